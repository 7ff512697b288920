"""Recurrence rules (RFC 5545, section 3.3.10): read strictly, and refused where they hardly end."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, tzinfo
from typing import TYPE_CHECKING

import msgspec

from placed_icalendar.calendar_text.times import Time, read_time

if TYPE_CHECKING:
    from placed_icalendar.calendar_text.content_line import ContentLine

FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MOST_TIMES_A_DAY = 96
"""A rule with more times a day is no meeting: it is refused like a rule for every minute."""

_LONGEST = 4000  # characters; one with every day of a year has half of that
_IN_EVERY_MONTH = 28  # days
_WEEKS_OF_A_MONTH = 4  # at least
_WEEKS_OF_A_YEAR = 52  # at least
_FIRST_WEEK_FROM_THE_END = -51  # in each year after its first week, which is -52 or -53
_LAST_SECOND = time(23, 59, 59)
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,7}", re.ASCII)
# Smallest and largest number; whether the negative ones count from the end.
_LISTS = {
    "BYSECOND": (0, 59, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}


class Rule(msgspec.Struct, frozen=True):
    """A recurrence rule.

    Attributes:
        frequency: YEARLY to HOURLY.
        count: number of occurrences; None without a limit.
        until: as written; None without a limit.
        week_start: 0 for Monday.
        weekdays: BYDAY: 0 for Monday, and which of them in the month or year, 0 for all.
        lists: the other parts BY…, by their names.
    """

    frequency: str
    interval: int = 1
    count: int | None = None
    until: Time | None = None
    week_start: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    lists: dict[str, tuple[int, ...]] = {}

    @property
    def may_be_never_true(self) -> bool:
        """Whether its parts might exclude each other, so that a search for an occurrence may take long."""
        months, days = self.lists.get("BYMONTH", ()), self.lists.get("BYMONTHDAY", ())
        exact = [bool(days), any(number for _, number in self.weekdays)]
        exact += [name in self.lists for name in ("BYYEARDAY", "BYWEEKNO", "BYSETPOS")]
        if sum(exact) > 1 or "BYSETPOS" in self.lists or "BYWEEKNO" in self.lists:
            return True
        if days and min(abs(day) for day in days) > _IN_EVERY_MONTH and (months or self.weekdays):
            return True
        if self.frequency in ("YEARLY", "MONTHLY"):
            most = _WEEKS_OF_A_MONTH if months or self.frequency == "MONTHLY" else _WEEKS_OF_A_YEAR
            # A fifth Monday of a month is there every few months.
            most += self.interval == 1
            return any(abs(number) > most for _, number in self.weekdays)
        limited = bool(self.weekdays or months or days or "BYYEARDAY" in self.lists)
        if self.frequency == "HOURLY":
            return limited or bool(self.lists)
        return self.interval > 1 and (limited if self.frequency == "DAILY" else bool(months or days))

    def last_wall(self, start: Time, default: tzinfo) -> datetime | None:
        """What a clock in the zone of the series shows when the rule ends, inclusive; None if it does not.

        UNTIL should be of the same kind as DTSTART (RFC 5545), and often is not. Where it has two readings,
        the later one counts, so that a meeting is not lost.

        Args:
            start: DTSTART.
            default: zone of floating times.
        """
        until = self.until
        if until is None:
            return None
        if start.dated:
            days = [until.wall.date()] if until.dated else [until.wall.date(), until.day(default)]
            if until.zone is not None:
                days.append(until.instant(default).astimezone(default).date())
            return datetime.combine(max(days), time.min)
        if until.dated:
            return datetime.combine(until.wall, _LAST_SECOND)
        if until.zone is None:
            return until.wall
        wall = until.wall.replace(tzinfo=until.zone).astimezone(start.zone or default)
        if wall.fold:  # the second of two hours: all times of that hour are before it, being of the first
            return wall.replace(tzinfo=None, fold=0, minute=59, second=59)
        return wall.replace(tzinfo=None)


def read_rule(property_: ContentLine) -> Rule:
    """Reads an RRULE.

    Raises:
        Malformed: it is invalid, or one that placed refuses: more often than hourly, or hourly for ever.
    """
    if len(property_.value) > _LONGEST:
        raise property_.malformed("the rule is too long")
    parts = _parts(property_)
    frequency = parts.pop("FREQ", "")
    if frequency not in FREQUENCIES:
        raise property_.malformed("the rule's FREQ is missing or unknown")
    rule = Rule(
        frequency,
        interval=_one(property_, parts.pop("INTERVAL", "1"), 1),
        count=_count(property_, parts.pop("COUNT", None)),
        until=_until(property_, parts.pop("UNTIL", None)),
        week_start=_week_start(property_, parts.pop("WKST", "MO")),
        weekdays=_weekdays(property_, parts.pop("BYDAY", None)),
        lists={name: _list(property_, name, parts.pop(name)) for name in _LISTS if name in parts},
    )
    if parts.pop("RSCALE", "GREGORIAN") != "GREGORIAN" or parts.pop("SKIP", "OMIT") != "OMIT":
        raise property_.malformed("the rule is of a calendar other than the Gregorian one")
    if any(not name.startswith("X-") for name in parts):
        raise property_.malformed("the rule has an unknown part")
    if any(number < _FIRST_WEEK_FROM_THE_END for number in rule.lists.get("BYWEEKNO", ())):
        # dateutil misses those days of such a week that are in December of the year before.
        raise property_.malformed("the rule counts the first week of a year from its end")
    _refuse_endless(property_, rule)
    return rule


def _refuse_endless(property_: ContentLine, rule: Rule) -> None:
    times_a_day = 1
    for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times_a_day *= len(rule.lists.get(name, (0,)))
    if rule.frequency in ("SECONDLY", "MINUTELY") or times_a_day > MOST_TIMES_A_DAY:
        raise property_.malformed("the rule repeats more often than every hour")
    if rule.frequency == "HOURLY" and rule.count is None and rule.until is None:
        raise property_.malformed("the rule repeats every hour without an end")


def _parts(property_: ContentLine) -> dict[str, str]:
    parts: dict[str, str] = {}
    for part in property_.value.strip().upper().split(";"):
        name, equals, value = part.strip().partition("=")
        if not part.strip():
            continue
        if not equals or name in parts:
            raise property_.malformed("the rule has an invalid or repeated part")
        parts[name] = value.strip()
    return parts


def _one(property_: ContentLine, text: str, smallest: int) -> int:
    if not _NUMBER.fullmatch(text) or int(text) < smallest:
        raise property_.malformed("the rule has an invalid number")
    return int(text)


def _count(property_: ContentLine, text: str | None) -> int | None:
    """COUNT; a negative one is of programs that mean a rule without an end."""
    if text is None or (_NUMBER.fullmatch(text) and int(text) < 0):
        return None
    return _one(property_, text, 1)


def _until(property_: ContentLine, text: str | None) -> Time | None:
    if text is None:
        return None

    def no_zone(_property: ContentLine, _name: str) -> tzinfo:
        return UTC

    plain = msgspec.structs.replace(property_, parameters={})
    return read_time(plain, no_zone, text)


def _week_start(property_: ContentLine, text: str) -> int:
    if text not in WEEKDAYS:
        raise property_.malformed("the rule has an unknown weekday")
    return WEEKDAYS.index(text)


def _weekdays(property_: ContentLine, text: str | None) -> tuple[tuple[int, int], ...]:
    if text is None:
        return ()
    found = [_WEEKDAY.fullmatch(part.strip()) for part in text.split(",")]
    days = tuple((WEEKDAYS.index(match[2]), int(match[1] or 0)) for match in found if match is not None)
    if len(days) != len(found) or any(abs(number) > 53 for _, number in days):  # noqa: PLR2004 - weeks
        raise property_.malformed("the rule has an unknown weekday")
    return tuple(dict.fromkeys(days))


def _list(property_: ContentLine, name: str, text: str) -> tuple[int, ...]:
    smallest, largest, signed = _LISTS[name]
    parts = [part.strip() for part in text.split(",")]
    numbers = tuple(int(part) for part in parts if _NUMBER.fullmatch(part))
    fits = all(
        smallest <= (abs(number) if signed else number) <= largest and not (signed and number == 0)
        for number in numbers
    )
    if len(numbers) != len(parts) or not fits:
        raise property_.malformed("the rule has an invalid number")
    return tuple(sorted(set(numbers)))
