"""Dates, times, durations and periods (RFC 5545, section 3.3), read strictly."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from placed_icalendar.calendar_text.content_line import ContentLine

PLAIN_TIME = re.compile(
    rb":(\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(T(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ?)?\s*$"
)
"""The end of a property with one date or time, as bytes."""

_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?", re.ASCII
)
_DAY = timedelta(days=1)

ZoneOf = Callable[["ContentLine", str], tzinfo]


class Time(msgspec.Struct, frozen=True, gc=False):
    """A date or a time as a property states it.

    Attributes:
        wall: what a clock shows; midnight for a date. Naive.
        zone: None for a date, and for a floating time.
        dated: whether it is a date.
    """

    wall: datetime
    zone: tzinfo | None = None
    dated: bool = False

    def instant(self, default: tzinfo) -> datetime:
        """The moment in UTC; a date or a floating time is in the zone `default`.

        A time that the clock skips is as long after midnight as it would be without the change; of a time
        that the clock shows twice it is the first (RFC 5545, section 3.3.5).
        """
        return as_instant(self.wall, self.zone or default)

    def day(self, default: tzinfo) -> date:
        """The day that it stands for on a calendar of whole days.

        Exchange states whole days as times: midnight in some zone, or in UTC midnight of the reader's zone.
        """
        if self.wall.time() == datetime.min.time() or self.zone is None:
            return self.wall.date()
        return self.instant(default).astimezone(default).date()


class Duration(msgspec.Struct, frozen=True, gc=False):
    """A duration: days that follow the clock on the wall, and a time that is exact."""

    days: timedelta
    exact: timedelta


class Period(msgspec.Struct, frozen=True, gc=False):
    """A start with an end or a duration; neither for a plain time."""

    start: Time
    end: Time | None = None
    duration: Duration | None = None


def as_instant(wall: datetime, zone: tzinfo) -> datetime:
    """The moment in UTC at which a clock in the zone shows `wall` (naive)."""
    try:
        return wall.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:  # on the first or the last day that a date can be
        return wall.replace(tzinfo=UTC)


def read_time(property_: ContentLine, zone_of: ZoneOf, value: str | None = None) -> Time:
    """Reads a DATE or DATE-TIME: the property's value, or one of its values.

    Raises:
        Malformed: it is neither, or its zone is not known.
    """
    found = _TIME.fullmatch((property_.value if value is None else value).strip())
    if found is None:
        raise property_.malformed("this is no date and no time")
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    try:
        if found[4] is None:
            return Time(datetime(year, month, day), dated=True)  # noqa: DTZ001 - a clock on the wall
        wall = datetime(year, month, day, int(found[4]), int(found[5]), min(int(found[6]), 59))  # noqa: DTZ001
    except ValueError:
        raise property_.malformed("there is no such date or time") from None
    name = property_.parameters.get("TZID")
    if found[7]:
        if name is not None and as_instant(wall, zone_of(property_, name)) != wall.replace(tzinfo=UTC):
            raise property_.malformed("this time is both in UTC and in a time zone")
        return Time(wall, UTC)
    return Time(wall, None if name is None else zone_of(property_, name))


def read_times(property_: ContentLine, zone_of: ZoneOf) -> list[Time]:
    """Reads a list of DATE or DATE-TIME; an empty one has none.

    Raises:
        Malformed: one of them is neither, or the zone is not known.
    """
    values = property_.value.split(",") if property_.value.strip() else []
    return [read_time(property_, zone_of, value) for value in values]


def read_duration(property_: ContentLine, value: str | None = None) -> Duration:
    """Reads a DURATION: the property's value, or a part of it.

    Raises:
        Malformed: it is none.
    """
    text = (property_.value if value is None else value).strip()
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        raise property_.malformed("this is no duration")
    sign = -1 if found[1] == "-" else 1
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
    return Duration(
        sign * (days + 7 * weeks) * _DAY, sign * timedelta(hours=hours, minutes=minutes, seconds=seconds)
    )


def read_periods(property_: ContentLine, zone_of: ZoneOf) -> list[Period]:
    """Reads a list of PERIOD, DATE or DATE-TIME; an empty one has none.

    Raises:
        Malformed: one of them is none of these, or the zone is not known.
    """
    periods = []
    for value in property_.value.split(",") if property_.value.strip() else []:
        start, slash, end = value.strip().partition("/")
        begin = read_time(property_, zone_of, start)
        if not slash:
            periods.append(Period(begin))
        elif end.lstrip("+-").startswith("P"):
            periods.append(Period(begin, duration=read_duration(property_, end)))
        else:
            periods.append(Period(begin, end=read_time(property_, zone_of, end)))
    return periods
