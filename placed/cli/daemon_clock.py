"""The daemon's time, by which its statements expire; this machine's clock may be wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed.domain.clock import Clock

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")


class DaemonClock:
    """The latest possible time of the daemon, from the times in its answers.

    Args:
        clock: this machine's clock; its wall clock is used only until the daemon's time is known.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead: timedelta | None = None  # offset of the daemon's time from the steady clock

    def now(self) -> datetime:
        """The daemon's time, in UTC."""
        if self._ahead is None:
            return self._clock.now()
        return datetime.fromtimestamp(0, UTC) + self._ahead + timedelta(seconds=self._clock.steady())

    def steady(self) -> float:
        """Monotonic seconds."""
        return self._clock.steady()

    def set_from_answer(self, text: str, asked: float) -> None:
        """Sets the time from an answer to a request sent at `asked` (of `steady`); ignores other text."""
        stated = read_time(text)
        if stated is not None:
            self._ahead = stated - datetime.fromtimestamp(0, UTC) - timedelta(seconds=asked)

    def delay_of(self, stated: datetime) -> timedelta:
        """The delay of a stream that carries this time. The daemon's time cannot be earlier than that."""
        late = self.now() - stated
        if late < timedelta(0):
            self._ahead = stated - datetime.fromtimestamp(0, UTC) - timedelta(seconds=self._clock.steady())
        return max(late, timedelta(0))


def read_time(text: str) -> datetime | None:
    """The time that a text contains, as the daemon writes it; None if there is none."""
    found = _TIME.search(text)
    try:
        return datetime.fromisoformat(found[0]) if found else None
    except ValueError:
        return None
