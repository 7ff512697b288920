"""When a recurrence rule is true, as a clock on the wall shows it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from dateutil.rrule import rrule

from placed_icalendar.calendar_text.rule_arguments import arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from placed_icalendar.calendar_text.recurrence_rule import Rule

SEARCH = 10_000
"""Cost of a rule whose parts may exclude each other: dateutil searches until the year 9999."""

_HOURS = {"DAILY": 24, "WEEKLY": 7 * 24, "MONTHLY": 28 * 24, "YEARLY": 365 * 24, "HOURLY": 1}
_HOUR = timedelta(hours=1)
_MONTHS = 12


def walls_of(
    rule: Rule, start: datetime, last: datetime | None, low: datetime, high: datetime
) -> Iterator[datetime]:
    """Yields the times in [low, high] at which a rule is true, in order. All times are naive, of one zone.

    The search begins shortly before `low`, so that a rule since 1601 costs no more than one since yesterday,
    but for a rule with COUNT, which has to be followed from its start.

    Args:
        rule: to be followed.
        start: DTSTART.
        last: after which the rule has ended; None if it does not end.
        low: the earliest of interest.
        high: the latest of interest.

    Raises:
        ValueError: its parts exclude each other.
    """
    found = 0
    for wall in rrule(dtstart=_begin(rule, start, low), **arguments_of(rule, start)):
        if wall > high or (last is not None and wall > last):
            return
        if wall < start:
            continue
        found += 1
        if rule.count is not None and found > rule.count:
            return
        if wall >= low:
            yield wall


def cost_of(rule: Rule, start: datetime, low: datetime, high: datetime) -> float:
    """About how many steps `walls_of` takes."""
    if high < start:
        return 1
    period = _HOURS[rule.frequency] * rule.interval * _HOUR
    times = 1
    for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= len(rule.lists.get(name, (0,)))
    steps = (high - (start if rule.count is not None else max(start, low))) / period * times + 2
    if rule.count is not None:
        steps = min(steps, rule.count)
    if rule.frequency == "HOURLY":
        steps *= 2  # it is followed by the clock, and by exact hours
    return steps + (SEARCH if rule.may_be_never_true else 0)


def _begin(rule: Rule, start: datetime, low: datetime) -> datetime:
    """Where the search begins: at the beginning of a period of the rule, at the time of day of DTSTART."""
    years, months = low.year - start.year, low.month - start.month
    if rule.frequency == "YEARLY":
        return start.replace(year=start.year + _skipped(rule, years), month=1, day=1)
    if rule.frequency == "MONTHLY":
        month = start.month - 1 + _skipped(rule, years * _MONTHS + months)
        return start.replace(year=start.year + month // _MONTHS, month=month % _MONTHS + 1, day=1)
    if rule.frequency == "WEEKLY":
        monday = start - timedelta(days=(start.weekday() - rule.week_start) % 7)
        return monday + timedelta(weeks=_skipped(rule, (low - start).days // 7))
    if rule.frequency == "DAILY":
        return start + timedelta(days=_skipped(rule, (low - start).days))
    return start + timedelta(hours=_skipped(rule, (low - start) // _HOUR))


def _skipped(rule: Rule, periods: int) -> int:
    """How many of the periods before the window need no search: whole intervals, and one less to be safe."""
    if rule.count is not None:
        return 0
    return max(0, periods // rule.interval - 1) * rule.interval
