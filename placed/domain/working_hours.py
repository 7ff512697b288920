"""The hours in which people are in the building, as the site set them. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from datetime import datetime

EVENING = 0.08  # the share of activity within two hours of working hours
_NIGHT = 0.01
_TWO_HOURS = timedelta(hours=2)


class WorkingHours(msgspec.Struct, frozen=True):
    """When people are there: from `since` to `until` after midnight, on days counted from Monday as 0."""

    days: frozenset[int] = frozenset(range(5))
    since: timedelta = timedelta(hours=7)
    until: timedelta = timedelta(hours=19)

    def activity(self, local: datetime) -> float:
        """How much happens at a moment in the room's local time, as a share of that in working hours."""
        if local.weekday() not in self.days:
            return _NIGHT
        time = timedelta(hours=local.hour, minutes=local.minute)
        if self.since <= time < self.until:
            return 1.0
        near = self.since - _TWO_HOURS <= time < self.until + _TWO_HOURS
        return EVENING if near else _NIGHT
