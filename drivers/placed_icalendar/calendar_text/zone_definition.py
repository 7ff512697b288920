"""Time zones that a calendar defines itself (VTIMEZONE, RFC 5545, section 3.6.5)."""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING

from dateutil.rrule import rrule

from placed_icalendar.calendar_text.content_line import content_line, unescaped
from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.calendar_text.recurrence_rule import read_rule
from placed_icalendar.calendar_text.rule_arguments import arguments_of
from placed_icalendar.calendar_text.times import Time, read_time, read_times

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed_icalendar.calendar_text.components import Component
    from placed_icalendar.calendar_text.content_line import ContentLine

_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(\d\d)?", re.ASCII)
_MOST_OBSERVANCES = 500  # a zone with every change since 1850 has fewer; a hostile one may have any number
_MOST_RULES = 60
_BETWEEN = (b"", b"", 0)  # between two observances


class DefinedZone(tzinfo):
    """A time zone by its changes.

    Args:
        first: offset before the first change.
        changes: in order: when in UTC (naive), and the offset from then on.
    """

    def __init__(self, first: timedelta, changes: list[tuple[datetime, timedelta]]) -> None:
        self._offsets = [first, *(offset for _, offset in changes)]
        self._instants = [when for when, _ in changes]
        before = list(zip(self._instants, self._offsets, self._offsets[1:], strict=False))
        # From which wall time on the new offset counts: by the first reading of a time, and by the second.
        self._walls = (
            [when + max(old, new) for when, old, new in before],
            [when + min(old, new) for when, old, new in before],
        )

    def utcoffset(self, when: datetime | None) -> timedelta:
        """Offset at a wall time."""
        if when is None:
            return self._offsets[0]
        return self._offsets[bisect_right(self._walls[when.fold], when.replace(tzinfo=None, fold=0))]

    def dst(self, when: datetime | None) -> timedelta:  # noqa: ARG002 - of `tzinfo`
        """Nothing is known of it, and nothing depends on it."""
        return timedelta()

    def tzname(self, when: datetime | None) -> str | None:  # noqa: ARG002 - of `tzinfo`
        """The name is the calendar's, so it is not repeated."""
        return None

    def fromutc(self, when: datetime) -> datetime:
        """The wall time of a moment in UTC."""
        naive = when.replace(tzinfo=None)
        index = bisect_right(self._instants, naive)
        wall = when + self._offsets[index]
        again = index > 0 and wall.replace(tzinfo=None) < self._walls[0][index - 1]
        return wall.replace(fold=1 if again else 0)


def zone_name(component: Component) -> str | None:
    """TZID of a VTIMEZONE."""
    for name, rest, line in component.properties:
        if name == b"TZID":
            return unescaped(content_line(name, rest, line).value).strip().strip('"')
    return None


def defined_zone(component: Component, years: range) -> DefinedZone:
    """The zone that a VTIMEZONE defines.

    Args:
        component: the VTIMEZONE.
        years: for which it has to be right. Earlier changes are left out, so that a rule since 1601 costs
            nothing.

    Raises:
        Malformed: it is invalid, or has rules that are not yearly.
    """
    return _defined(_Definition(component), years)


class _Definition:
    """A VTIMEZONE, equal to another one with the same text. Many calendars repeat one, at each reading."""

    def __init__(self, component: Component) -> None:
        self.component = component
        self._text = tuple(
            (name, rest) for part in component.parts for name, rest, _ in (_BETWEEN, *part.properties)
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Definition) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@lru_cache(maxsize=20)
def _defined(definition: _Definition, years: range) -> DefinedZone:
    component = definition.component
    if not 1 <= len(component.parts) <= _MOST_OBSERVANCES:
        raise Malformed("a time zone has no changes, or too many", component.line, "VTIMEZONE")
    if sum(name == b"RRULE" for part in component.parts for name, _, _ in part.properties) > _MOST_RULES:
        raise Malformed("a time zone has too many rules", component.line, "VTIMEZONE")
    changes: list[tuple[datetime, timedelta, timedelta]] = []
    for part in component.parts:
        changes += _changes(part, years)
    changes.sort()
    if not changes:
        raise Malformed("a time zone has no changes", component.line, "VTIMEZONE")
    return DefinedZone(changes[0][1], [(when, offset) for when, _, offset in changes])


def _changes(part: Component, years: range) -> Iterator[tuple[datetime, timedelta, timedelta]]:
    """When an observance begins, in UTC, with the offsets before and after."""
    lines: dict[str, list[ContentLine]] = {}
    for name, rest, number in part.properties:
        line = content_line(name, rest, number)
        lines.setdefault(line.name, []).append(line)
    try:
        start = read_time(lines["DTSTART"][0], _no_zone)
        before, after = _offset(lines["TZOFFSETFROM"][0]), _offset(lines["TZOFFSETTO"][0])
    except KeyError:
        raise Malformed("a time zone's change has no start or no offset", part.line, "VTIMEZONE") from None
    walls = [
        start.wall,
        *(time.wall for dates in lines.get("RDATE", ()) for time in read_times(dates, _no_zone)),
    ]
    for line in lines.get("RRULE", ()):
        walls += _yearly(line, start, before, years)
    return ((wall - before, before, after) for wall in walls)


def _yearly(line: ContentLine, start: Time, before: timedelta, years: range) -> list[datetime]:
    rule = read_rule(line)
    if rule.frequency != "YEARLY" or rule.lists.keys() - {"BYMONTH", "BYMONTHDAY"} or rule.may_be_never_true:
        raise line.malformed("a time zone has a rule that is not by month and day of a year")
    last = datetime(years.stop, 12, 31)  # noqa: DTZ001 - a clock on the wall
    if rule.until is not None:
        until = rule.until.wall if rule.until.zone is None else rule.until.wall + before
        last = min(last, until.replace(hour=23, minute=59, second=59) if rule.until.dated else until)
    begin, wanted = start.wall, min(years.start, last.year - 1)
    if rule.count is None and begin.year < wanted:
        skipped = (wanted - begin.year) // rule.interval * rule.interval
        begin = begin.replace(year=begin.year + skipped, day=min(begin.day, 28))
    walls = rrule(dtstart=begin, **arguments_of(rule, start.wall))
    return list(takewhile(lambda wall: wall <= last, walls))


def _offset(line: ContentLine) -> timedelta:
    found = _OFFSET.fullmatch(line.value.strip())
    if found is None or int(found[2]) >= 24:  # noqa: PLR2004 - hours
        raise line.malformed("this is no offset from UTC")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return -offset if found[1] == "-" else offset


def _no_zone(line: ContentLine, _name: str) -> tzinfo:
    raise line.malformed("a time zone's change is in another time zone")
