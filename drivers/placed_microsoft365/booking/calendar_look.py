"""Reads a room's bookings with what is needed to change them: ids, versions, and who made them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from placed.driver import Booking, UnexpectedAnswer
from placed_microsoft365.booking.event_property import EXPAND, PROPERTY
from placed_microsoft365.calendars.calendar_view import calendar_view
from placed_microsoft365.calendars.event_to_meeting import meeting_of
from placed_microsoft365.graph.json_structs import EVENT_FIELDS, Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from placed.domain.model import Room
    from placed_microsoft365.graph.client import GraphClient

_FIELDS = (*EVENT_FIELDS, "type", "isOrganizer")
_MARK = PROPERTY.lower()
_PAGE_SIZE = 100
_MOST_PAGES = 5  # a window of a few hours has one
# What an action may be about. A seriesMaster is a whole series, and a type that is not known may be one.
_ONE_MEETING = frozenset({"singleInstance", "occurrence", "exception"})


class EventHandle(msgspec.Struct, frozen=True):
    """What changes exactly this version of an event.

    Attributes:
        event_id: of the event in the room's own mailbox.
        etag: of the version that was read.
        is_organizer: whether the room itself is the organizer; None if the service did not answer it.
    """

    event_id: str
    etag: str
    is_organizer: bool | None


class WritableEvent(Event, rename="camel"):
    """An event with what a change of it needs."""

    etag: str | None = msgspec.field(default=None, name="@odata.etag")
    type: str | None = None
    is_organizer: bool | None = None


class _Page(msgspec.Struct):
    value: list[WritableEvent]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


async def look(graph: GraphClient, room: Room, since: datetime, until: datetime) -> Sequence[Booking]:
    """Reads the bookings of a room that overlap [since, until), without titles and names.

    Raises:
        DriverError: the calendar cannot be read.
    """
    url = calendar_view(room.mailbox, since, until, fields=_FIELDS, page_size=_PAGE_SIZE)
    page = await graph.get(f"{url}&$expand={EXPAND}", _Page)
    events = page.value
    for _ in range(_MOST_PAGES):
        if page.next_link is None:
            return bookings_of(events, room)
        page = await graph.get(page.next_link, _Page)
        events += page.value
    raise UnexpectedAnswer("the calendar has too many pages for so short a time")


def bookings_of(events: Iterable[WritableEvent], room: Room) -> tuple[Booking, ...]:
    """Returns each event once, even if it comes twice because pages shift while they are read.

    Raises:
        UnexpectedAnswer: the times of an event are invalid.
    """
    found: dict[tuple[str, datetime, datetime], Booking] = {}
    try:
        for event in events:
            booking = _booking_of(event, room)
            meeting = booking.meeting
            found[meeting.key, meeting.start, meeting.end] = booking
    except (ValueError, OverflowError):
        raise UnexpectedAnswer("an event has invalid times") from None
    return tuple(found.values())


def _booking_of(event: WritableEvent, room: Room) -> Booking:
    handle = None
    if event.id and event.etag and event.type in _ONE_MEETING:
        handle = EventHandle(event.id, event.etag, event.is_organizer)
    marks = (one.value for one in event.single_value_extended_properties or () if one.id.lower() == _MARK)
    meeting = meeting_of(event, room.time_zone)
    return Booking(meeting, handle, next(marks, None), handle is not None, event.etag or "")
