"""Decides how long a connection pauses after it failed as a whole. Pure.

It is short where time helps, longer and longer where another person has to act, and five minutes where only a
change of the configuration helps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.room_readability import DOUBTED
from placed.driver import NotPermitted
from placed.polling.reading_planner import SELDOM

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.driver import DriverError

SHORTEST = 1.0  # seconds of a pause after a failure that time heals
_LONGEST = 5.0, 60.0  # the same, at the shortest and at the longest intervals


class ConnectionPause:
    """Counts the failures of one connection.

    Args:
        jitter: a number from [0, 1), so that several daemons do not ask in step.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._failures = 0  # in a row
        self._seconds = 0.0

    def succeeded(self) -> None:
        """Notes that the connection could be read."""
        self._failures, self._seconds = 0, 0.0

    def after(self, error: DriverError, interval: float, *, was_readable: bool) -> float:
        """Notes a failure; returns the seconds until the connection is asked again.

        Args:
            error: the failure.
            interval: seconds from poll to poll.
            was_readable: whether a calendar was ever read over this connection.
        """
        self._failures += 1
        doubted = was_readable and self._failures <= DOUBTED
        if doubted and not error.certain and (error.problem.lasting or isinstance(error, NotPermitted)):
            self._seconds = pause = min(interval, SELDOM)  # it was readable a moment ago
        elif error.problem.lasting:
            pause = SELDOM
        elif isinstance(error, NotPermitted):
            self._seconds = pause = min(max(interval, self._seconds * 2), SELDOM)
        else:
            # No longer than from poll to poll, so that all is right again one interval after the service is.
            longest = min(max(interval, _LONGEST[0]), _LONGEST[1])
            self._seconds = pause = min(max(SHORTEST, self._seconds * 2), longest)
        return max(pause, error.problem.retry_after or 0.0) * (1 + 0.1 * self._jitter())
