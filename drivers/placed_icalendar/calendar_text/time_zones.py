"""The time zones of a calendar: by name, else as it defines them, else it is malformed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed_icalendar.calendar_text.content_line import ContentLine, content_line, unescaped
from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.calendar_text.times import as_instant
from placed_icalendar.calendar_text.zone_definition import defined_zone, zone_name
from placed_icalendar.calendar_text.zone_names import is_abbreviation, zone_by_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, tzinfo

    from placed_icalendar.calendar_text.components import CalendarText
    from placed_icalendar.calendar_text.room_zones import RoomZones
    from placed_icalendar.calendar_text.times import Time


class TimeZones:
    """The time zones of one VCALENDAR.

    A name of IANA or Windows counts before the calendar's own definition: outdated definitions are more
    common than wrong names. Only for names such as `EST` and `GMT` the definition counts first: many
    calendars name a zone with daylight saving so. A zone without either makes the calendar malformed, since a
    time in it could be at any hour.

    Args:
        calendar: whose definitions are used.
        years: for which definitions have to be right.
        of_room: in which zones the room's days may lie.

    Attributes:
        of_room: the same.
    """

    def __init__(self, calendar: CalendarText, years: range, of_room: RoomZones) -> None:
        self._calendar = calendar
        self._years = years
        self.of_room = of_room
        self._known: dict[str, tzinfo] = {}
        self._default: tzinfo | None = None
        self._text: bytes | None = None

    @property
    def text(self) -> bytes:
        """What of the calendar's text decides about its zones."""
        if self._text is None:
            parts = [self._calendar.properties]
            for zone in self._calendar.time_zones:
                parts += [zone.properties, *(part.properties for part in zone.parts)]
            self._text = b"\n".join(name + rest for properties in parts for name, rest, _ in properties)
        return self._text

    @property
    def room(self) -> tzinfo:
        """The room's zone."""
        return self.of_room.all[0]

    @property
    def stated(self) -> tzinfo | None:
        """The zone that X-WR-TIMEZONE names; None if it is not there, or not known."""
        try:
            return self._stated()
        except Malformed:  # of interest only to an event that is in it
            return None

    @property
    def defined(self) -> Iterator[tzinfo]:
        """The zones that the calendar defines, by their names where these are known."""
        for component in self._calendar.time_zones:
            try:
                name = zone_name(component)
                if name is not None:
                    yield self.zone_of(ContentLine("TZID", {}, name, component.line), name)
            except Malformed:  # the same
                continue

    @property
    def default(self) -> tzinfo:
        """Zone of floating times: the calendar's X-WR-TIMEZONE, else the room's.

        Raises:
            Malformed: the calendar names one that is not known.
        """
        if self._default is None:
            self._default = self._stated() or self.room
        return self._default

    def instant(self, time: Time) -> datetime:
        """The moment of a time, in UTC.

        Raises:
            Malformed: see `zone_for`.
        """
        return as_instant(time.wall, self.zone_for(time))

    def zone_for(self, time: Time) -> tzinfo:
        """The zone that a time is in. Whole days are those of the room, wherever the calendar is kept.

        Raises:
            Malformed: it is floating, and the calendar names a zone that is not known.
        """
        if time.zone is not None:
            return time.zone
        return self.room if time.dated else self.default

    def zone_of(self, property_: ContentLine, name: str) -> tzinfo:
        """The zone that a property names.

        Raises:
            Malformed: it is neither known nor defined, or its definition is invalid.
        """
        zone = self._known.get(name)
        if zone is None:
            zone = self._known[name] = self._find(property_, name)
        return zone

    def _stated(self) -> tzinfo | None:
        zone = None
        for name, rest, line in self._calendar.properties:
            if name == b"X-WR-TIMEZONE":
                property_ = content_line(name, rest, line)
                if property_.text.strip():
                    zone = self.zone_of(property_, property_.text)
        return zone

    def _find(self, property_: ContentLine, name: str) -> tzinfo:
        plain = unescaped(name).strip().strip('"').strip()
        zone = zone_by_name(plain)
        if zone is not None and not is_abbreviation(plain):
            return zone
        for component in self._calendar.time_zones:
            if zone_name(component) == plain and (component.parts or zone is None):
                return defined_zone(component, self._years)
        if zone is not None:
            return zone
        raise property_.malformed("the time zone is not known, and the calendar does not define it")
