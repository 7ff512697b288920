"""Another way to find the occurrences of a series: day by day, and zone arithmetic by trial.

It uses neither dateutil nor the driver, so that a mistake is not made twice. RFC 5545, section 3.3.10, is
followed as it defines each part: whether a day is in the rule's period, and whether each BY… part allows it.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Rule:
    """A rule by its parts; `weekdays` are (0 for Monday, which of them or 0)."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None  # on the clock of the series
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()


def moment(wall: datetime, zone: ZoneInfo, *, second: bool = False) -> datetime:
    """The first moment at which a clock shows `wall`; if it never does, by the offset of the day before.

    Args:
        wall: naive.
        zone: of the clock.
        second: the second one instead, if there are two.
    """
    offsets = [
        (wall + days * DAY).replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()
        for days in (-1, 1)
    ]
    tried = [(wall - offset).replace(tzinfo=UTC) for offset in offsets]
    shown = [when for when in tried if when.astimezone(zone).replace(tzinfo=None) == wall]
    return (max if second else min)(shown, default=tried[0])


def moments(rule: Rule, start: datetime, zone: ZoneInfo, last: date) -> dict[datetime, datetime]:
    """When the rule is true up to the day `last`, DTSTART included, and what the clock shows then.

    Hourly rules have two readings, and both count: hour by hour as the clock shows them, and exact hours.
    """
    if rule.frequency != "HOURLY":
        return {moment(wall, zone): wall for wall in walls(rule, start, last)}
    end = datetime.combine(last + DAY, time())
    begin = moment(start, zone)
    hours = range(0, (end - start + 2 * DAY) // HOUR, rule.interval)
    exact = [(begin + number * HOUR).astimezone(zone).replace(tzinfo=None) for number in hours]
    found: dict[datetime, datetime] = {}
    true = [
        (begin + number * HOUR, wall)
        for number, wall in zip(hours, exact, strict=True)
        if _hour_is_allowed(rule, wall)
    ]
    until = None if rule.until is None else moment(rule.until, zone, second=True)
    found |= dict(_ended(true, rule.count, until))
    by_clock = [start + number * HOUR for number in hours if _hour_is_allowed(rule, start + number * HOUR)]
    # Of two that become the same moment, since the clock skips one, the later counts.
    found |= {
        moment(wall, zone): wall
        for _, wall in _ended([(wall, wall) for wall in by_clock], rule.count, rule.until)
    }
    return {begin: start, **found}


def _ended(
    found: list[tuple[datetime, datetime]], count: int | None, until: datetime | None
) -> list[tuple[datetime, datetime]]:
    return [one for one in found if until is None or one[0] <= until][:count]


def _hour_is_allowed(rule: Rule, wall: datetime) -> bool:
    return (not rule.hours or wall.hour in rule.hours) and _is_allowed(rule, wall, wall.date())


def walls(rule: Rule, start: datetime, last: date) -> list[datetime]:
    """What a clock shows at each occurrence up to the day `last`, in order, DTSTART included."""
    found = [wall for wall in _all_walls(rule, start, _period_end(rule, last)) if wall >= start]
    if rule.until is not None:
        found = [wall for wall in found if wall <= rule.until]
    if rule.count is not None:
        found = found[: rule.count]
    return [wall for wall in sorted({start, *found}) if wall.date() <= last]


def _all_walls(rule: Rule, start: datetime, last: date) -> Iterator[datetime]:
    first = _period_start(rule, start.date())
    days = (first + number * DAY for number in range((last - first).days + 1))
    in_rule = (
        day for day in days if _is_in_period(rule, start.date(), day) and _is_allowed(rule, start, day)
    )
    hours = sorted(rule.hours) or [start.hour]
    for _, group in groupby(in_rule, lambda day: _period(rule, day)):
        times = [datetime.combine(day, time(hour, start.minute)) for day in group for hour in hours]
        if rule.positions:
            places = {position - 1 if position > 0 else len(times) + position for position in rule.positions}
            times = [wall for place, wall in enumerate(times) if place in places]
        yield from times


def _week(rule: Rule, day: date) -> date:
    return day - ((day.weekday() - rule.week_start) % 7) * DAY


def _period(rule: Rule, day: date) -> object:
    return {
        "DAILY": day,
        "WEEKLY": _week(rule, day),
        "MONTHLY": (day.year, day.month),
        "YEARLY": day.year,
    }[rule.frequency]


def _period_start(rule: Rule, day: date) -> date:
    if rule.frequency == "WEEKLY":
        return _week(rule, day)
    if rule.frequency == "MONTHLY":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if rule.frequency == "YEARLY" else day


def _period_end(rule: Rule, day: date) -> date:
    """BYSETPOS counts in a whole period, also from its end."""
    if rule.frequency == "WEEKLY":
        return _week(rule, day) + 6 * DAY
    if rule.frequency == "MONTHLY":
        return day.replace(day=monthrange(day.year, day.month)[1])
    return day.replace(month=12, day=31) if rule.frequency == "YEARLY" else day


def _is_in_period(rule: Rule, start: date, day: date) -> bool:
    distance = {
        "DAILY": (day - start).days,
        "WEEKLY": (_week(rule, day) - _week(rule, start)).days // 7,
        "MONTHLY": (day.year - start.year) * 12 + day.month - start.month,
        "YEARLY": day.year - start.year,
    }[rule.frequency]
    return distance % rule.interval == 0


def _is_allowed(rule: Rule, start: datetime, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    length = monthrange(day.year, day.month)[1]
    if rule.month_days and not {day.day, day.day - length - 1} & set(rule.month_days):
        return False
    year, place = date(day.year, 12, 31).timetuple().tm_yday, day.timetuple().tm_yday
    if rule.year_days and not {place, place - year - 1} & set(rule.year_days):
        return False
    if rule.weeks and not set(_week_numbers(rule, day)) & set(rule.weeks):
        return False
    return _is_allowed_day(rule, start, day)


def _is_allowed_day(rule: Rule, start: datetime, day: date) -> bool:
    """By BYDAY; without any part about days, as DTSTART is."""
    if rule.weekdays:
        return any(_is_weekday(rule, day, *weekday) for weekday in rule.weekdays)
    if rule.month_days or rule.year_days or rule.frequency in ("DAILY", "HOURLY"):
        return True
    if rule.frequency == "WEEKLY" or rule.weeks:
        return day.weekday() == start.weekday()
    same_month = rule.frequency == "MONTHLY" or bool(rule.months) or day.month == start.month
    return same_month and day.day == start.day


def _week_numbers(rule: Rule, day: date) -> tuple[int, int]:
    """The number of the day's week, from the begin and from the end of its year (RFC 5545, BYWEEKNO)."""

    def number(one: date) -> tuple[int, int]:
        middle = _week(rule, one) + 3 * DAY  # a week is of the year in which most of its days are
        return middle.year, (middle.timetuple().tm_yday - 1) // 7 + 1

    year, week = number(day)
    return week, week - number(date(year, 12, 28))[1] - 1


def _is_weekday(rule: Rule, day: date, weekday: int, which: int) -> bool:
    if day.weekday() != weekday:
        return False
    if which == 0 or rule.frequency not in ("MONTHLY", "YEARLY"):
        return True
    if rule.frequency == "YEARLY" and not rule.months:
        first, last = date(day.year, 1, 1), date(day.year, 12, 31)
    else:
        first, last = day.replace(day=1), day.replace(day=monthrange(day.year, day.month)[1])
    return which == ((day - first).days // 7 + 1 if which > 0 else -((last - day).days // 7 + 1))


def touching(
    intervals: Iterable[tuple[datetime, datetime]], since: datetime, until: datetime
) -> set[tuple[datetime, datetime]]:
    """The intervals that overlap [since, until)."""
    return {(start, end) for start, end in intervals if start < until and end > since}
