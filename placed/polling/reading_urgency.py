"""Estimates how urgently a room's calendar has to be read. Pure.

1. Readings are limited, so each room gets a share of them by a weight.
2. The weight is a power of the estimated rate of changes. The square root would minimize the mean delay of
   changes; with a slightly higher power most changes are read sooner, and the last ones later.
3. Rooms with many meetings change often, and a room that changed recently changes again: the estimate uses
   the meetings in the window, and the changes that were seen, with a half-life of an hour.
4. While a room is in use, and near the start or the end of a meeting, people prolong, leave and come in.
5. Outside of working hours little changes, though within two hours of them more than at night; within
   them it depends on the building's activity, estimated from the recent changes of all its calendars.
6. What a room does not use then is saved: no other room gets it.
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
_ALWAYS = 2.0  # the estimate for a room without meetings; all others are relative to it
_A_MEETING = 0.5
_A_CHANGE = 2.0
_HALF_FORGOTTEN = 3600.0  # seconds
_IN_USE = 1.5
_NEAR_AN_EDGE = 2.0
_NEAR = 600.0  # seconds
_LATELY = 1800.0  # seconds, in which a building's change is half forgotten
_DAYS = 2 * 86400.0  # seconds, in which its busiest time is half forgotten
_SHOWS_LITTLE = 3.0  # changes


@dataclass(slots=True)
class RoomUsage:
    """What is known of a room's use. Moments are POSIX seconds."""

    zone: ZoneInfo
    until: datetime | None = None  # of the window that was read
    _starts: tuple[float, ...] = ()  # in their order, as the ends are
    _ends: tuple[float, ...] = ()
    _changes: float = 0.0
    _counted_at: float = 0.0

    def learn(self, meetings: Iterable[Meeting], until: datetime, moment: float) -> bool:
        """Takes in a reading up to `until`, and whether it changed. A moved window is not a change."""
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
        """Returns the urgency from now on, in working hours."""
        guess = _ALWAYS + _A_MEETING * len(self._starts) + _A_CHANGE * self._recent(moment)
        begun, ended = bisect_right(self._starts, moment), bisect_right(self._ends, moment)
        if begun > ended:
            guess *= _IN_USE
        around = (*self._starts[max(0, begun - 1) : begun + 1], *self._ends[max(0, ended - 1) : ended + 1])
        if any(-_NEAR < edge - moment < _NEAR for edge in around):
            guess *= _NEAR_AN_EDGE
        return float(guess**_POWER)

    def quiet(self, now: datetime, hours: WorkingHours, calendar_activity: float) -> float:
        """Returns the factor for the time of day: 1 in working hours at full activity, otherwise less."""
        activity = hours.activity(now.astimezone(self.zone))
        return float((max(calendar_activity, EVENING) if activity >= 1 else activity) ** _POWER)

    def next_edge(self, moment: float) -> float:
        """Returns when the next meeting starts or ends after the moment; infinity if none does."""
        begun, ended = bisect_right(self._starts, moment), bisect_right(self._ends, moment)
        return min((*self._starts[begun : begun + 1], *self._ends[ended : ended + 1]), default=math.inf)

    def _recent(self, moment: float) -> float:
        """Returns the decayed number of changes."""
        if not self._changes:
            return 0.0
        hours = max(0.0, moment - self._counted_at) / _HALF_FORGOTTEN
        return self._changes * float(0.5**hours)


class CalendarActivity:
    """Estimates how busy a building is, from the recent changes of one connection's calendars.

    Working hours define when people may be there; this estimates how many are: fewer early and late, at noon
    and on a holiday. It compares recent changes with the highest known rate, which decays within days. With
    few rooms, whose changes show little, it reports the full share. Moments are POSIX seconds.
    """

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
        return (self._lately + _SHOWS_LITTLE) / (self._most + _SHOWS_LITTLE)

    def _forget(self, moment: float) -> None:
        passed = max(0.0, moment - self._counted_at)
        self._counted_at = max(moment, self._counted_at)
        self._lately *= float(0.5 ** (passed / _LATELY))
        self._most = max(self._lately, self._most * float(0.5 ** (passed / _DAYS)))
