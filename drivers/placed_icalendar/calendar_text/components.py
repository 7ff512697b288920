"""Divides a body into calendars and components, and keeps the properties that matter, as bytes.

Everything else is skipped without being parsed: alarms, descriptions, properties of one vendor, lines that
are no property at all. So a fault in them cannot make a room unreadable. What is kept is parsed strictly,
later.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

import msgspec

from placed_icalendar.calendar_text.malformed import Malformed

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_NO_CALENDAR = "this is no calendar: it does not begin with BEGIN:VCALENDAR"
_FOLDS = b" \t"
_BLANK = b"\r\n"
# Some programs end lines with CR CR LF, or put a blank line after each. The patterns take linear time, and
# those that begin with one character, in one case, are the fastest to search for.
_FOLD = re.compile(rb"(?<![\r\n])[\r\n]+[ \t]")
_FOLDED_NAME = re.compile(rb"\n(?:[A-Za-z0-9.-]+[ \t]*|(?i:BEGIN|END)[:;][^\r\n]*)[\r\n]+[ \t]")
# What would be taken for a part of the line before it: components that are indented, and lines that end with
# CR alone.
_INDENTED = re.compile(rb"\n[ \t]+(?i:BEGIN:V(?:CALENDAR|EVENT|FREEBUSY))[ \t\r]*$", re.MULTILINE)
_AFTER_CR = re.compile(rb"\r(?i:BEGIN:|END:|(?:DTSTART|DTEND|RRULE|RDATE)[:;]|DURATION:[+-]?P)")
_FIRST_LINE = 1000  # characters; it is BEGIN:VCALENDAR, folded or not
_DEEPEST = 20  # RFC 5545 has three levels
_NOTHING: frozenset[bytes] = frozenset()
_PROPERTY = re.compile(rb"([A-Za-z0-9-]+)[^\n\r!-~]*(?=[:;])")
# A name may have a group before it, as in vCard (`item1.RRULE`), and invisible characters around it: NUL, a
# byte order mark, a space that does not break.
_ODD_PROPERTY = re.compile(rb"[^\t\n\r -~]*(?:[A-Za-z0-9-]+\.)?" + _PROPERTY.pattern)
_KIND = re.compile(rb"[^!-~]*([A-Za-z0-9-]+)[^!-~]*")
_CALENDAR, _EVENT, _FREE_BUSY, _TIME_ZONE = b"VCALENDAR", b"VEVENT", b"VFREEBUSY", b"VTIMEZONE"
_ZONE_PARTS = (b"STANDARD", b"DAYLIGHT")
_OF_CALENDARS = frozenset({b"X-WR-TIMEZONE", b"CALSCALE"})
_OF_ZONES = frozenset({b"TZID", b"DTSTART", b"TZOFFSETFROM", b"TZOFFSETTO", b"RRULE", b"RDATE"})
_OF_FREE_BUSY = frozenset({b"UID", b"FREEBUSY"})

Property = tuple[bytes, bytes, int]  # upper-case name; the rest from `;` or `:`, unfolded; line of the body


class Component(msgspec.Struct):
    """A component with the properties that are kept of it.

    Attributes:
        line: of its BEGIN.
        parts: of a time zone: its observances.
    """

    name: bytes
    line: int
    properties: list[Property] = msgspec.field(default_factory=list)
    parts: list[Component] = msgspec.field(default_factory=list)


class CalendarText(msgspec.Struct):
    """One VCALENDAR.

    Attributes:
        events: their number; they are not kept here.
    """

    properties: list[Property] = msgspec.field(default_factory=list)
    events: int = 0
    free_busy: list[Component] = msgspec.field(default_factory=list)
    time_zones: list[Component] = msgspec.field(default_factory=list)


TakeEvent = Callable[[CalendarText, Component], None]


def read_components(  # noqa: C901, PLR0912 - one loop over 100,000 lines; calls would double its time
    body: bytes, of_events: frozenset[bytes], take: TakeEvent
) -> list[CalendarText]:
    """Divides a body into its calendars: at least one.

    Args:
        body: a whole iCalendar stream.
        of_events: upper-case names of the properties of an event that are kept.
        take: is called with each event when it is complete, though its calendar may not be.

    Raises:
        Malformed: it does not begin with a calendar, or components do not nest, or are not closed: it is
            something else, or cut off.
    """
    found: list[CalendarText] = []
    stack: list[tuple[Component, frozenset[bytes]]] = []
    component, keep = Component(b"", 0), _NOTHING
    folded: list[bytes] = []  # of the last property, if it is kept
    name, line, number = b"", 0, 0
    _refuse_swallowed(body)
    for number, raw in enumerate(BytesIO(_unfolded_names(body.removeprefix(BYTE_ORDER_MARK))), 1):
        if raw[0] in _FOLDS:
            if folded:
                folded.append(raw[1:].rstrip(b"\r\n"))
            continue
        if raw[0] in _BLANK and not raw.strip():
            continue  # it does not end a property that goes on after it
        if folded:
            component.properties.append((name, b"".join(folded), line))
            folded = []
        match = _PROPERTY.match(raw) or _ODD_PROPERTY.match(raw)
        if match is None:
            if not found and raw.strip():
                raise Malformed(_NO_CALENDAR, number)
            continue
        name = match[1].upper()
        if name in keep:
            folded, line = [raw[match.end() :].rstrip(b"\r\n")], number
        elif name == b"BEGIN":
            if len(stack) > _DEEPEST:
                raise Malformed("components are nested too deeply", number, "BEGIN")
            component, keep = _begin(
                _kind(raw, number), number, found, [entry[0].name for entry in stack], of_events
            )
            stack.append((component, keep))
        elif name == b"END":
            if not stack or stack[-1][0].name != _kind(raw, number):
                raise Malformed("BEGIN and END do not match", number, "END")
            ended = stack.pop()[0]
            if ended.name == _EVENT:
                take(found[-1], ended)
            component, keep = stack[-1] if stack else (Component(b"", 0), _NOTHING)
        elif not found:
            raise Malformed(_NO_CALENDAR, number)
    if stack:
        raise Malformed("the calendar is cut off: a component is not closed", number)
    if not found:
        raise Malformed("this is no calendar: it is empty")
    return found


def _unfolded_names(body: bytes) -> bytes:
    """The body, unfolded as a whole if the name of a property, or of a component, is folded.

    RFC 5545 allows that, and nobody does it. The numbers of lines are then those of the unfolded text.
    """
    folded = _FOLDED_NAME.search(body) or _FOLDED_NAME.match(b"\n" + body[:_FIRST_LINE])
    return _FOLD.sub(b"", body) if folded else body


def _refuse_swallowed(body: bytes) -> None:
    """Refuses a text of which events or their times would be read as parts of other lines."""
    found = _INDENTED.search(body)
    if found is None and body.count(b"\r") != body.count(b"\r\n"):
        found = _AFTER_CR.search(body)
    if found is not None:
        line = body.count(b"\n", 0, found.start()) + 1
        raise Malformed("a line is indented, or ends with CR alone, and hides what comes after it", line)


def _kind(raw: bytes, line: int) -> bytes:
    """Name of the component in a line with BEGIN or END."""
    found = _KIND.fullmatch(raw.partition(b":")[2])
    if found is None:
        raise Malformed("a component has an invalid name", line)
    return found[1].upper()


def _begin(
    kind: bytes, line: int, found: list[CalendarText], outside: list[bytes], of_events: frozenset[bytes]
) -> tuple[Component, frozenset[bytes]]:
    """Starts a component, and returns it with the names of its properties that are kept."""
    component = Component(kind, line)
    if not outside:
        if kind != _CALENDAR:
            raise Malformed("a component is outside of a calendar", line, "BEGIN")
        found.append(CalendarText(component.properties))
        return component, _OF_CALENDARS
    if kind == _CALENDAR or (kind == _EVENT and _EVENT in outside):
        raise Malformed("a calendar or an event is inside of another", line, "BEGIN")
    calendar = found[-1]
    if kind == _EVENT:
        calendar.events += 1
        return component, of_events
    if kind == _FREE_BUSY:
        calendar.free_busy.append(component)
        return component, _OF_FREE_BUSY
    if kind == _TIME_ZONE:
        calendar.time_zones.append(component)
        return component, _OF_ZONES
    if kind in _ZONE_PARTS and outside[-1] == _TIME_ZONE:
        calendar.time_zones[-1].parts.append(component)
        return component, _OF_ZONES
    return component, _NOTHING
