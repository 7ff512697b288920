"""What time it is for the daemon, by which its statements end; this machine's clock may be wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed.domain.clock import Clock

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")


class DaemonClock:
    """The latest that it can be for the daemon, by the times that came with its answers.

    Args:
        clock: this machine's; its time on the wall counts only until the daemon has reported one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead: timedelta | None = None  # of the daemon's time to the steady clock's seconds

    def now(self) -> datetime:
        """The daemon's time, in UTC."""
        if self._ahead is None:
            return self._clock.now()
        return datetime.fromtimestamp(0, UTC) + self._ahead + timedelta(seconds=self._clock.steady())

    def steady(self) -> float:
        """Seconds that only ever grow."""
        return self._clock.steady()

    def answered(self, text: str, asked: float) -> None:
        """What was asked at `asked` of `steady` was answered with this time; other text is ignored."""
        told = read_time(text)
        if told is not None:
            self._ahead = told - datetime.fromtimestamp(0, UTC) - timedelta(seconds=asked)

    def heard(self, told: datetime) -> timedelta:
        """A stream brought this time; how late it is. It cannot be earlier than that."""
        late = self.now() - told
        if late < timedelta(0):
            self._ahead = told - datetime.fromtimestamp(0, UTC) - timedelta(seconds=self._clock.steady())
        return max(late, timedelta(0))


def read_time(text: str) -> datetime | None:
    """The time that a text contains, as the daemon writes it; None if there is none."""
    found = _TIME.search(text)
    try:
        return datetime.fromisoformat(found[0]) if found else None
    except ValueError:
        return None
