"""How badly a room's calendar wants to be read. Pure.

1. Readings are few, so each room gets its share of them by a weight.
2. The weight is a power of a guess at how often the calendar changes. With the square root what changes would
   be read soonest on the mean; with a little more than that, most of it is read sooner, and the last later.
3. Rooms with many meetings change often, and a room that changed lately changes again: what counts is the
   meetings in the window that is read, and the changes that were seen, each half forgotten in an hour.
4. While a room is in use, and near the start or the end of a meeting, people prolong, leave and come in.
5. Outside of working hours little changes, though within two hours of them more than in the night; within
   them it is as much as the building's bustle says (`placed.polling.calendar_activity`).
6. What a room does not take then is saved: it goes to nobody.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.domain.working_hours import EVENING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from placed.domain.model import Meeting
    from placed.domain.working_hours import WorkingHours

_POWER = 0.6
_ALWAYS = 2.0  # the guess for a room without meetings; all others are in proportion to it
_A_MEETING = 0.5
_A_CHANGE = 2.0
_HALF_FORGOTTEN = 3600.0  # seconds
_IN_USE = 1.5
_NEAR_AN_EDGE = 2.0
_NEAR = 600.0  # seconds


@dataclass(slots=True)
class RoomUsage:
    """What is known of how a room is used. Moments are POSIX seconds."""

    zone: ZoneInfo
    until: datetime | None = None  # of the window that was read
    _starts: tuple[float, ...] = ()  # in their order, as the ends are
    _ends: tuple[float, ...] = ()
    _changes: float = 0.0
    _counted_at: float = 0.0

    def learn(self, meetings: Iterable[Meeting], until: datetime, moment: float) -> bool:
        """Its calendar was read, up to `until`; whether it changed. That the window moved on is no change."""
        held = [m for m in meetings if not m.cancelled and m.start < m.end]
        starts = tuple(sorted(m.start.timestamp() for m in held))
        ends = tuple(sorted(m.end.timestamp() for m in held))
        changed = self.until == until and (starts, ends) != (self._starts, self._ends)
        if changed:
            self._changes = self._recent(moment) + 1.0
            self._counted_at = moment
        self._starts, self._ends, self.until = starts, ends, until
        return changed

    def weight(self, moment: float) -> float:
        """How badly it wants to be read from now on, if these are working hours."""
        guess = _ALWAYS + _A_MEETING * len(self._starts) + _A_CHANGE * self._recent(moment)
        begun, ended = bisect_right(self._starts, moment), bisect_right(self._ends, moment)
        if begun > ended:
            guess *= _IN_USE
        around = (*self._starts[max(0, begun - 1) : begun + 1], *self._ends[max(0, ended - 1) : ended + 1])
        if any(-_NEAR < edge - moment < _NEAR for edge in around):
            guess *= _NEAR_AN_EDGE
        return float(guess**_POWER)

    def quiet(self, now: datetime, hours: WorkingHours, calendar_activity: float) -> float:
        """By how much less at this time: 1 in working hours with all the bustle there can be, else below."""
        activity = hours.activity(now.astimezone(self.zone))
        return float((max(calendar_activity, EVENING) if activity >= 1 else activity) ** _POWER)

    def next_edge(self, moment: float) -> float:
        """When the next meeting starts or ends; infinity if none does. The moment itself does not count."""
        begun, ended = bisect_right(self._starts, moment), bisect_right(self._ends, moment)
        return min((*self._starts[begun : begun + 1], *self._ends[ended : ended + 1]), default=math.inf)

    def _recent(self, moment: float) -> float:
        """The changes that were seen, less what was forgotten of them."""
        if not self._changes:
            return 0.0
        hours = max(0.0, moment - self._counted_at) / _HALF_FORGOTTEN
        return self._changes * float(0.5**hours)
