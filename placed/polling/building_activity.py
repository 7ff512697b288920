"""Estimates how busy a building is from the recent changes of its calendars. Pure.

Working hours define when people may be there; this estimates how many are: fewer early and late, at noon and
on a holiday. It compares recent changes with the highest known rate, which decays within days. With few
rooms, whose changes show little, it reports the full share. Times are POSIX seconds.
"""

from __future__ import annotations

_LATELY = 1800.0  # seconds, in which a change is half forgotten
_DAYS = 2 * 86400.0  # seconds, in which the busiest time is half forgotten
_TELLS_LITTLE = 3.0  # changes


class CalendarActivity:
    """Counts the changes of one connection's calendars."""

    def __init__(self) -> None:
        self._lately = 0.0
        self._most = 0.0
        self._counted_at = 0.0

    def changed(self, moment: float) -> None:
        """Notes a change of a calendar."""
        self._forget(moment)
        self._lately += 1.0
        self._most = max(self._most, self._lately)

    def share(self, moment: float) -> float:
        """Returns the activity as a share of the highest known: above 0, at most 1."""
        self._forget(moment)
        return (self._lately + _TELLS_LITTLE) / (self._most + _TELLS_LITTLE)

    def _forget(self, moment: float) -> None:
        passed = max(0.0, moment - self._counted_at)
        self._counted_at = max(moment, self._counted_at)
        self._lately *= float(0.5 ** (passed / _LATELY))
        self._most = max(self._lately, self._most * float(0.5 ** (passed / _DAYS)))
