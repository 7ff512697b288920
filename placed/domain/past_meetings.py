"""Leaves out of a reading the meetings of earlier days: nothing that is published needs them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import whole_days

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from placed.domain.model import Schedule

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def without_past_days(schedule: Schedule, moment: datetime, zone: ZoneInfo) -> Schedule:
    """Returns the schedule of a room in `zone` without meetings that ended before its today.

    Those of the last hour stay after midnight too: a clock that is set back by less needs them. What is left
    out is no part of the schedule's interval any more.
    """
    since = _start_of_today(moment.replace(minute=0, second=0, microsecond=0), zone)
    if since <= schedule.since:
        return schedule
    return replace(schedule, meetings=tuple([m for m in schedule.meetings if m.end > since]), since=since)


@lru_cache(maxsize=1000)
def _start_of_today(hour: datetime, zone: ZoneInfo) -> datetime:
    today = hour.astimezone(zone).date()
    midnight, _ = whole_days(today, today + _DAY, zone)
    return min(midnight, hour - _HOUR)
