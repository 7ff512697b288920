"""A recurrence rule as the arguments of `dateutil.rrule.rrule`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dateutil.rrule import weekday

from placed_icalendar.calendar_text.recurrence_rule import FREQUENCIES

if TYPE_CHECKING:
    from datetime import datetime

    from placed_icalendar.calendar_text.recurrence_rule import Rule

_BY_MONTH_OR_YEAR = ("YEARLY", "MONTHLY")
_DAYS = frozenset({"BYMONTHDAY", "BYYEARDAY"})


def arguments_of(rule: Rule, start: datetime) -> dict[str, Any]:
    """Returns the arguments but for the start, COUNT and UNTIL.

    What a rule does not have it takes from DTSTART; this is written out, so that the search may begin later.

    Args:
        rule: to be followed.
        start: what the clock shows at DTSTART.
    """
    arguments: dict[str, Any] = {
        "freq": FREQUENCIES.index(rule.frequency),
        "interval": rule.interval,
        "wkst": rule.week_start,
        **{name.lower(): numbers for name, numbers in rule.lists.items()},
    }
    if rule.weekdays:
        arguments["byweekday"] = [weekday(day, number or None) for day, number in _of_one_kind(rule)]
    elif not rule.lists.keys() & _DAYS:
        if rule.frequency == "WEEKLY" or "BYWEEKNO" in rule.lists:
            arguments["byweekday"] = start.weekday()
        elif rule.frequency in _BY_MONTH_OR_YEAR:
            arguments["bymonthday"] = start.day
            if rule.frequency == "YEARLY":
                arguments.setdefault("bymonth", start.month)
    return arguments


def _of_one_kind(rule: Rule) -> list[tuple[int, int]]:
    """The weekdays, either all with a number or none.

    dateutil takes BYDAY=MO,1TU as days that are both a Monday and the first Tuesday, which finds none.
    """
    numbers = {number for _, number in rule.weekdays}
    if rule.frequency not in _BY_MONTH_OR_YEAR or 0 not in numbers or len(numbers) == 1:
        return list(rule.weekdays)
    most = 53 if rule.frequency == "YEARLY" and "BYMONTH" not in rule.lists else 5
    return [
        (day, one) for day, number in rule.weekdays for one in ([number] if number else range(1, most + 1))
    ]
