"""An event as the calendar states it: its times, its rules, and what decides whether it occupies the room."""

from __future__ import annotations

from datetime import datetime
from datetime import time as time_of_day
from typing import TYPE_CHECKING

import msgspec

from placed_icalendar.calendar_text.content_line import ContentLine, content_line
from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.calendar_text.recurrence_rule import Rule, read_rule
from placed_icalendar.calendar_text.time_zones import TimeZones
from placed_icalendar.calendar_text.times import (
    Duration,
    Period,
    Time,
    read_duration,
    read_periods,
    read_time,
    read_times,
)

if TYPE_CHECKING:
    from placed_icalendar.calendar_text.components import Component

_ONCE = ("UID", "RECURRENCE-ID", "DTSTART", "DTEND", "DURATION")
_OF_MEANING = frozenset({"STATUS", "TRANSP", "CLASS", "X-MICROSOFT-CDO-BUSYSTATUS"})
_OF_DISPLAY = frozenset({"ATTENDEE", "ORGANIZER", "SUMMARY", "CREATED"})
_WHOLE_DAYS = "X-MICROSOFT-CDO-ALLDAYEVENT"


class Event(msgspec.Struct, frozen=True):
    """A VEVENT.

    Attributes:
        uid: None if it has none.
        line: of its BEGIN.
        zones: of its calendar.
        original: RECURRENCE-ID: which occurrence it replaces.
        from_then_on: whether it replaces all later ones, too (RANGE=THISANDFUTURE).
        dated: whether it takes whole days.
        end: DTEND as stated; None if it has none.
        facts: the properties that decide about the meeting, by name, without those in `doubtful`.
        doubtful: names of properties that are invalid, or there twice with different values.
        attendees: those that may be the room.
    """

    uid: str | None
    line: int
    zones: TimeZones
    start: Time
    end: Time | None
    duration: Duration | None
    dated: bool
    original: Time | None
    from_then_on: bool
    sequence: int
    rules: tuple[Rule, ...]
    added: tuple[Period, ...]
    excluded: tuple[Time, ...]
    exrules: int
    facts: dict[str, ContentLine]
    doubtful: frozenset[str]
    attendees: tuple[ContentLine, ...]

    @property
    def recurs(self) -> bool:
        """Whether it is a series by itself."""
        return bool(self.rules or self.added)

    def value(self, name: str) -> str | None:
        """A property's value, as written; None if it has none, or several."""
        found = self.facts.get(name)
        return None if found is None else found.value.rstrip()


def read_event(component: Component, zones: TimeZones) -> Event:
    """Reads a VEVENT.

    Raises:
        Malformed: a property that decides when it takes place is missing, repeated or invalid.
    """
    lines, doubtful = _lines(component)
    facts = _facts(lines, doubtful)
    original, from_then_on = _original(facts.get("RECURRENCE-ID"), zones)
    start = _start(facts, component, zones, original)
    end = None if "DTEND" not in facts else read_time(facts["DTEND"], zones.zone_of)
    duration = None if "DURATION" not in facts else read_duration(facts["DURATION"])
    dated = start.dated and (end is None or end.dated) and not (duration is not None and duration.exact)
    if not dated and facts.get(_WHOLE_DAYS) is not None and _is_true(facts[_WHOLE_DAYS]) and end is not None:
        start, end, dated = _as_days(start, end, zones)
    uid = facts["UID"].value.strip() if "UID" in facts else ""
    return Event(
        uid=uid or None,
        line=component.line,
        zones=zones,
        start=start,
        end=end,
        duration=duration,
        dated=dated,
        original=original,
        from_then_on=from_then_on,
        sequence=_sequence(facts.get("SEQUENCE")),
        rules=tuple(read_rule(line) for line in lines.get("RRULE", ())),
        added=tuple(
            period for line in lines.get("RDATE", ()) for period in read_periods(line, zones.zone_of)
        ),
        excluded=tuple(time for line in lines.get("EXDATE", ()) for time in read_times(line, zones.zone_of)),
        exrules=len(lines.get("EXRULE", ())),
        facts=facts,
        doubtful=frozenset(doubtful),
        attendees=tuple(lines.get("ATTENDEE", ())),
    )


def _lines(component: Component) -> tuple[dict[str, list[ContentLine]], set[str]]:
    """The properties by name; and the names of those that are invalid, and do not decide about times."""
    lines: dict[str, list[ContentLine]] = {}
    doubtful: set[str] = set()
    for name, rest, number in component.properties:
        try:
            line = content_line(name, rest, number)
        except Malformed as problem:
            if problem.property_name in _OF_DISPLAY:
                continue
            if problem.property_name not in _OF_MEANING:
                raise
            doubtful.add(problem.property_name)
        else:
            lines.setdefault(line.name, []).append(line)
    return lines, doubtful


def _facts(lines: dict[str, list[ContentLine]], doubtful: set[str]) -> dict[str, ContentLine]:
    """The properties that an event has once; the names of others are added to `doubtful`."""
    facts: dict[str, ContentLine] = {}
    for name, found in lines.items():
        if len({(line.value, *line.parameters.items()) for line in found}) == 1:
            facts[name] = found[0]
        elif name in _ONCE:
            raise found[1].malformed("an event has this property twice")
        else:
            doubtful.add(name)
    return facts


def _original(line: ContentLine | None, zones: TimeZones) -> tuple[Time | None, bool]:
    if line is None:
        return None, False
    reach = line.parameters.get("RANGE", "").upper()
    if reach not in ("", "THISANDFUTURE"):
        raise line.malformed("the range of the change is not known")
    return read_time(line, zones.zone_of), bool(reach)


def _start(
    facts: dict[str, ContentLine], component: Component, zones: TimeZones, original: Time | None
) -> Time:
    if "DTSTART" in facts:
        return read_time(facts["DTSTART"], zones.zone_of)
    status = facts.get("STATUS")
    if original is not None and status is not None and status.value.strip().upper() == "CANCELLED":
        return original
    raise Malformed("an event has no start", component.line, "DTSTART")


def _as_days(start: Time, end: Time, zones: TimeZones) -> tuple[Time, Time, bool]:
    """Whole days, if the times are midnights as written, or in the zone of the calendar."""
    days = []
    for time in (start, end):
        wall = time.wall
        if not _is_midnight(wall):
            wall = time.instant(zones.default).astimezone(zones.default).replace(tzinfo=None)
        if not _is_midnight(wall):
            return start, end, False
        days.append(Time(wall, dated=True))
    return days[0], days[1], True


def _is_midnight(wall: datetime) -> bool:
    return wall.time() == time_of_day.min


def _is_true(line: ContentLine) -> bool:
    return line.value.strip().upper() == "TRUE"


def _sequence(line: ContentLine | None) -> int:
    if line is None or not line.value.strip():
        return 0
    text = line.value.strip()
    if not text.isascii() or not text.lstrip("-").isdigit() or len(text) > 12:  # noqa: PLR2004 - digits
        raise line.malformed("this is no number")
    return int(text)
