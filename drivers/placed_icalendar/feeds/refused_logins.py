"""Which logins are refused, so that a wrong password is not tried once for each room.

One room's 401 may be about that room only. So rooms that were readable are still asked; but when several of
these are refused in a row, or several others, the login is the reason, and it rests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed_icalendar.feeds.answer_errors import REFUSED_FOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed_icalendar.feeds.feed import Feed

_ENOUGH = 3  # refusals in a row


@dataclass(slots=True)
class _Login:
    refused: int = 0  # feeds in a row
    lost: int = 0  # of these, that were readable before
    rests_until: float = 0.0
    wholly: bool = False  # also feeds that were readable are not asked


class RefusedLogins:
    """The logins of a connection.

    Args:
        steady: seconds of a monotonic clock.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._logins: dict[tuple[str, object], _Login] = {}

    def rest_of(self, feed: Feed, *, readable: bool) -> float:
        """The seconds for which the feed is not asked.

        Args:
            feed: the feed.
            readable: whether it was readable when it was asked last.
        """
        login = self._logins.get((feed.url.origin, feed.login))
        if feed.login is None or login is None or (readable and not login.wholly):
            return 0.0
        return max(0.0, login.rests_until - self._steady())

    def was_accepted(self, feed: Feed) -> None:
        """Notes that a feed was readable with its login."""
        self._logins.pop((feed.url.origin, feed.login), None)

    def was_refused(self, feed: Feed, *, readable: bool) -> None:
        """Notes a 401; see `rest_of`."""
        login = self._logins.setdefault((feed.url.origin, feed.login), _Login())
        login.refused += 1
        login.lost += readable
        if login.refused >= _ENOUGH:
            login.rests_until = self._steady() + REFUSED_FOR
            login.wholly = login.wholly or login.lost >= _ENOUGH
