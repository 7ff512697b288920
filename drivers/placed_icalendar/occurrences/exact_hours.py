"""When an hourly rule is true if its hours are exact, whatever the clock shows."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed_icalendar.calendar_text.recurrence_rule import Rule

_HOUR = timedelta(hours=1)


def exact_hours(  # noqa: PLR0913, PLR0917 - as many as `walls_of` has, and the zone
    rule: Rule, start: datetime, zone: tzinfo, last: datetime | None, low: datetime, high: datetime
) -> Iterator[datetime]:
    """Yields the moments in [low, high] at which an hourly rule is true, in order, on the clock of the zone.

    RFC 5545 does not define what an hourly rule does in the night in which the clock shows an hour twice, or
    skips one: the hours of the clock (`walls_of`) are one reading, exact hours are the other.

    Args:
        rule: with FREQ=HOURLY.
        start: DTSTART, as a moment.
        zone: of the series, on whose clock the parts BY… are judged.
        last: after which the rule has ended; None if it does not end.
        low: the earliest of interest, as a moment.
        high: the latest of interest, as a moment.
    """
    step = rule.interval * _HOUR
    skipped = max(0, (low - start) // step - 1) if rule.count is None else 0
    moment, found = start + skipped * step, 0
    while moment <= high and (last is None or moment - _HOUR <= last):
        for one in _of_hour(rule, moment, zone):
            if one < start or (last is not None and one > last):
                continue
            found += 1
            if rule.count is not None and found > rule.count:
                return
            if low <= one <= high:
                yield one.astimezone(zone)
        moment += step


def _of_hour(rule: Rule, moment: datetime, zone: tzinfo) -> list[datetime]:
    """The moments of one hour."""
    local = moment.astimezone(zone)
    if not _is_allowed(rule, local):
        return []
    minutes, seconds = rule.lists.get("BYMINUTE"), rule.lists.get("BYSECOND")
    moments = [moment]
    if minutes or seconds:
        whole = moment - timedelta(minutes=local.minute, seconds=local.second)
        moments = [
            whole + timedelta(minutes=minute, seconds=second)
            for minute in minutes or (local.minute,)
            for second in seconds or (local.second,)
        ]
    positions = rule.lists.get("BYSETPOS")
    if positions:
        places = {place - 1 if place > 0 else len(moments) + place for place in positions}
        moments = [one for place, one in enumerate(moments) if place in places]
    return moments


def _is_allowed(rule: Rule, local: datetime) -> bool:
    lists = rule.lists
    if lists.get("BYHOUR") and local.hour not in lists["BYHOUR"]:
        return False
    if lists.get("BYMONTH") and local.month not in lists["BYMONTH"]:
        return False
    if rule.weekdays and local.weekday() not in {day for day, _ in rule.weekdays}:
        return False
    if "BYMONTHDAY" in lists:
        next_month = (local.replace(day=28) + timedelta(days=4)).replace(day=1)
        length = (next_month - timedelta(days=1)).day
        if not {local.day, local.day - length - 1} & set(lists["BYMONTHDAY"]):
            return False
    if "BYYEARDAY" in lists:
        day = local.timetuple().tm_yday
        length = local.replace(month=12, day=31).timetuple().tm_yday
        return bool({day, day - length - 1} & set(lists["BYYEARDAY"]))
    return True
