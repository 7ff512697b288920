"""How busy a building is now, told by how many of its calendars changed lately. Pure.

Working hours say when people may be there, this says how many seem to be: less early and late, at noon and
on a holiday. It compares the changes that were seen lately with the most that it has known, which it forgets
within days; with few rooms, whose changes tell little, it says that the building is as busy as ever.
Times are POSIX seconds.
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
        """A calendar changed."""
        self._forget(moment)
        self._lately += 1.0
        self._most = max(self._most, self._lately)

    def share(self, moment: float) -> float:
        """How busy it is, as a share of the busiest that is known: above 0, at most 1."""
        self._forget(moment)
        return (self._lately + _TELLS_LITTLE) / (self._most + _TELLS_LITTLE)

    def _forget(self, moment: float) -> None:
        passed = max(0.0, moment - self._counted_at)
        self._counted_at = max(moment, self._counted_at)
        self._lately *= float(0.5 ** (passed / _LATELY))
        self._most = max(self._lately, self._most * float(0.5 ** (passed / _DAYS)))
