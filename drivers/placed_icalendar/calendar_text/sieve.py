"""The sieve: what of a room's calendars can matter in a window, still as text, and its digest."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from placed_icalendar.calendar_text.components import CalendarText, Component, read_components
from placed_icalendar.calendar_text.content_line import content_line
from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.calendar_text.room_zones import RoomZones
from placed_icalendar.calendar_text.time_zones import TimeZones
from placed_icalendar.calendar_text.times import PLAIN_TIME, read_time

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_EVENTS = 20_000

_STAMPS = frozenset({b"DTSTAMP", b"LAST-MODIFIED", b"CREATED"})
_UNDIGESTED = frozenset({b"DTSTAMP", b"LAST-MODIFIED"})
_DETAILS = frozenset({b"SUMMARY", b"ORGANIZER"})
_OF_EVENTS = _STAMPS | {
    b"UID",
    b"RECURRENCE-ID",
    b"SEQUENCE",
    b"DTSTART",
    b"DTEND",
    b"DURATION",
    b"RRULE",
    b"RDATE",
    b"EXDATE",
    b"EXRULE",
    b"STATUS",
    b"TRANSP",
    b"CLASS",
    b"X-MICROSOFT-CDO-BUSYSTATUS",
    b"X-MICROSOFT-CDO-ALLDAYEVENT",
    b"ATTENDEE",
}
# An event with one of these may be anywhere in time, whatever its DTSTART.
_SPREADING = frozenset({b"RRULE", b"RDATE", b"EXRULE", b"RECURRENCE-ID", b"DURATION"})
_REPEATING = frozenset({b"RRULE", b"RDATE"})
_TIMES = frozenset({b"DTSTART", b"DTEND"})
_STAMP = re.compile(rb":(\d{8}T\d{6})Z\s*$")
_RESOURCE = re.compile(rb"CUTYPE=\"?(?:ROOM|RESOURCE)", re.IGNORECASE)
_MARGIN = timedelta(days=2)  # more than any zone is away from UTC
_SERIES_SINCE = 1990  # series that began earlier are rare; the moments of their first times count as well
_YEARS_AHEAD = 3


class Wanted(msgspec.Struct, frozen=True):
    """What the sieve has to keep.

    Attributes:
        since: in UTC.
        until: in UTC, exclusive.
        zone: the room's.
        zone_is_default: whether nobody has set it, so that the calendar's own counts.
        address: of the room, to keep its own ATTENDEE.
        details: whether SUMMARY and ORGANIZER are kept.
    """

    since: datetime
    until: datetime
    zone: tzinfo
    address: str | None = None
    details: bool = False
    zone_is_default: bool = False


class Sieved(msgspec.Struct):
    """What is left of a room's calendars.

    Attributes:
        events: with the zones of their calendar.
        free_busy: VFREEBUSY, with the zones of its calendar.
        digest: of what is left, but for the times at which it was written.
        total: number of events and VFREEBUSY in all bodies.
        newest: newest DTSTAMP, LAST-MODIFIED or CREATED, in UTC.
        last_end: latest end of an event that is no series, in UTC.
        exrules: number of EXRULE.
        zone: IANA name of the zone that the calendars state as their own.
    """

    events: list[tuple[Component, TimeZones]]
    free_busy: list[tuple[Component, TimeZones]]
    digest: bytes = b""
    total: int = 0
    newest: datetime | None = None
    last_end: datetime | None = None
    exrules: int = 0
    zone: str | None = None


class Sieve:
    """Keeps of a room's calendars what can touch the window, and what is not understood.

    Args:
        wanted: what to keep.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._names = _OF_EVENTS | _DETAILS if wanted.details else _OF_EVENTS
        self._years = range(_SERIES_SINCE, wanted.until.year + _YEARS_AHEAD)
        first, last = wanted.since - _MARGIN, wanted.until + _MARGIN
        self._days = first.strftime("%Y%m%d").encode(), last.strftime("%Y%m%d").encode()
        self._address = None if wanted.address is None else wanted.address.casefold().encode()
        self._room = RoomZones(wanted.zone, is_default=wanted.zone_is_default)
        self._sieved = Sieved([], [])
        self._left_out: dict[bytes, int] = {}
        self._newest = b""
        self._last: tuple[bytes, Component, CalendarText] = b"", Component(b"", 0), CalendarText()

    def add(self, body: bytes) -> None:
        """Takes a whole iCalendar stream.

        Raises:
            Malformed: it is no calendar, is cut off, or there are too many events.
        """
        zones: dict[int, TimeZones] = {}

        def take(calendar: CalendarText, event: Component) -> None:
            if id(calendar) not in zones:
                zones[id(calendar)] = TimeZones(calendar, self._years, self._room)
            self._add(event, calendar, zones[id(calendar)])

        for calendar in read_components(body, self._names, take):
            _refuse_other_calendars(calendar)
            own_zones = zones.get(id(calendar)) or TimeZones(calendar, self._years, self._room)
            self._room.add(own_zones)
            self._sieved.free_busy += [(component, own_zones) for component in calendar.free_busy]
            self._sieved.total += calendar.events + len(calendar.free_busy)
        if self._sieved.total > MOST_EVENTS:
            raise Malformed(f"the calendar has more than {MOST_EVENTS} events")

    def finish(self) -> Sieved:
        """What is left of all bodies."""
        sieved = self._sieved
        if self._left_out:
            sieved.events = [pair for pair in sieved.events if not _is_replaced(pair[0], self._left_out)]
        _, last, calendar = self._last
        sieved.newest = _stamp(self._newest)
        sieved.last_end = _latest_end(last, TimeZones(calendar, self._years, self._room))
        sieved.zone = self._room.stated
        sieved.digest = _digest(sieved, self._wanted, self._room)
        return sieved

    def _add(self, event: Component, calendar: CalendarText, zones: TimeZones) -> None:
        facts = _Facts(event)
        self._newest = max(self._newest, facts.stamp)
        if facts.end > self._last[0]:
            self._last = facts.end, event, calendar
        self._sieved.exrules += facts.exrules
        if facts.is_outside(*self._days):
            self._left_out[facts.uid] = max(facts.sequence, self._left_out.get(facts.uid, 0))
        else:
            event.properties = [line for line in event.properties if _may_matter(line, self._address)]
            self._sieved.events.append((event, zones))


class _Facts:
    """What the sieve reads of an event, from its bytes."""

    def __init__(self, event: Component) -> None:
        self.uid = self.stamp = self.end = b""
        self.sequence = self.exrules = 0
        self._times: dict[bytes, bytes] = {}
        names = {name for name, _, _ in event.properties}
        self._plain = names.isdisjoint(_SPREADING)
        for name, rest, _ in event.properties:
            if name in _TIMES:
                self._add_time(name, rest)
            elif name in _STAMPS:
                stamped = _STAMP.search(rest)
                if stamped is not None:
                    self.stamp = max(self.stamp, stamped[1])
            elif name == b"UID":
                self.uid = rest
            elif name == b"EXRULE":
                self.exrules += 1
            elif name == b"SEQUENCE" and rest[1:].strip().isdigit():
                self.sequence = int(rest[1:].strip()[:12])
        if not names.isdisjoint(_REPEATING):
            self.end = b""

    def _add_time(self, name: bytes, rest: bytes) -> None:
        found = PLAIN_TIME.search(rest)
        if found is None or name in self._times:
            self._plain = False
            return
        self._times[name] = found[1]
        self.end = max(self.end, found[1] + (found[2] or b""))

    def is_outside(self, first: bytes, last: bytes) -> bool:
        """Whether it is certain that it does not touch the days from `first` to `last` (YYYYMMDD)."""
        if not self._plain or len(self._times) != 2:  # noqa: PLR2004 - a start and an end
            return False
        start, end = self._times[b"DTSTART"], self._times[b"DTEND"]
        return (start < first and end < first) or (start > last and end > last)


def _may_matter(line: tuple[bytes, bytes, int], address: bytes | None) -> bool:
    """Whether it is no attendee, or one that may be the room."""
    name, rest, _ = line
    if name != b"ATTENDEE":
        return True
    return _RESOURCE.search(rest) is not None or (address is not None and address in rest.lower())


def _is_replaced(event: Component, left_out: dict[bytes, int]) -> bool:
    """Whether a later version of the event was left out: it was moved out of the window."""
    if any(name == b"RECURRENCE-ID" for name, _, _ in event.properties):
        return False
    facts = _Facts(event)
    return bool(facts.uid) and facts.sequence < left_out.get(facts.uid, 0)


def _refuse_other_calendars(calendar: CalendarText) -> None:
    for name, rest, line in calendar.properties:
        if name == b"CALSCALE" and rest[1:].strip().upper() not in (b"GREGORIAN", b""):
            raise Malformed("the calendar is not a Gregorian one", line, "CALSCALE")


def _stamp(newest: bytes) -> datetime | None:
    try:
        return datetime.strptime(newest.decode(), "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if newest else None
    except ValueError:
        return None


def _latest_end(event: Component, zones: TimeZones) -> datetime | None:
    ends = []
    for name, rest, line in event.properties:
        if name in (b"DTSTART", b"DTEND") and PLAIN_TIME.search(rest):
            try:
                property_ = content_line(name, rest, line)
                ends.append(zones.instant(read_time(property_, zones.zone_of)))
            except (Malformed, OverflowError, ValueError):
                continue
    return max(ends, default=None)


def _digest(sieved: Sieved, wanted: Wanted, room: RoomZones) -> bytes:
    digest = blake2b(repr(wanted).encode(), digest_size=16)
    digest.update(room.text)
    for component, zones in (*sieved.events, *sieved.free_busy):
        digest.update(b"\n\n" + zones.text)
        digest.update(b"\n".join(_texts(component)))
    return digest.digest()


def _texts(component: Component) -> Iterable[bytes]:
    return (
        part for name, rest, _ in component.properties if name not in _UNDIGESTED for part in (name, rest)
    )
