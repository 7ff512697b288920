"""Reads a room's bookings with what is needed to change them: ids, versions, and who made them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from placed.driver import Booking, UnexpectedAnswer
from placed_google.api.json_structs import CalendarPage, Event
from placed_google.booking.placed_mark import PROPERTY
from placed_google.calendars.event_to_meeting import SEES_NO_DETAILS, meeting_of, own_attendee
from placed_google.calendars.room_calendar import events_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from placed.domain.model import Room
    from placed_google.api.client import ApiClient

_MOST_PAGES = 5  # a window of a few hours has one
_FIELDS = (
    "accessRole,timeZone,nextPageToken,items(id,etag,status,start,end,transparency,visibility,eventType,"
    "created,recurringEventId,recurrence,organizer(self),attendees(self,resource,responseStatus),"
    "extendedProperties(private))"
)


class EventHandle(msgspec.Struct, frozen=True):
    """What changes exactly this version of an event.

    Attributes:
        event_id: of the event, or of one occurrence of a series.
        etag: of the version that was read.
        is_organizer: whether the room itself is the organizer; None if the service did not answer it.
        is_invited: whether the room is among the attendees, and so can decline.
    """

    event_id: str
    etag: str
    is_organizer: bool | None
    is_invited: bool


class _ExtendedProperties(msgspec.Struct):
    private: dict[str, str] = {}


class WritableEvent(Event, rename="camel"):
    """An event with what a change of it needs."""

    etag: str | None = None
    recurrence: tuple[str, ...] = ()
    extended_properties: _ExtendedProperties | None = None


class _Page(CalendarPage):
    items: list[WritableEvent] = msgspec.field(default_factory=list)


async def look(
    client: ApiClient, room: Room, since: datetime, until: datetime, *, own_zone: bool
) -> Sequence[Booking]:
    """Reads the bookings of a room that overlap [since, until), without titles and names.

    Args:
        client: reads events.
        room: the room.
        since: from when.
        until: until when, exclusively.
        own_zone: whether all-day events have their midnights in the calendar's time zone, not in the room's.

    Raises:
        DriverError: the calendar cannot be read.
    """
    # All attendees, since one of them need not be the room; their addresses are not asked for.
    path = events_path(room.mailbox, since, until, fields=_FIELDS, all_attendees=True)
    page = await client.get(path, _Page)
    zone = (_zone(page.time_zone) if own_zone and not room.zone_is_set else None) or room.time_zone
    hidden = page.access_role in SEES_NO_DETAILS
    events = page.items
    for _ in range(_MOST_PAGES):
        if page.next_page_token is None:
            return bookings_of(events, zone, hidden=hidden)
        page = await client.get(f"{path}&pageToken={quote(page.next_page_token, safe='')}", _Page)
        events += page.items
    raise UnexpectedAnswer("the calendar has too many pages for so short a time")


def bookings_of(
    events: Iterable[WritableEvent], zone: ZoneInfo, *, hidden: bool = False
) -> tuple[Booking, ...]:
    """Returns each event once, even if it comes twice because pages shift while they are read.

    Raises:
        UnexpectedAnswer: the times of an event are invalid, or it has no id.
    """
    found: dict[tuple[str, datetime, datetime], Booking] = {}
    try:
        for event in events:
            meeting = meeting_of(event, zone, hidden=hidden)
            if meeting is not None:
                handle = _handle_of(event)
                booking = Booking(meeting, handle, _made_with(event), handle is not None, event.etag or "")
                found[meeting.key, meeting.start, meeting.end] = booking
    except (ValueError, OverflowError):
        raise UnexpectedAnswer("an event has no id, or invalid times") from None
    return tuple(found.values())


def _handle_of(event: WritableEvent) -> EventHandle | None:
    """Returns None for what may be a whole series: an order is about one meeting."""
    if not event.id or not event.etag or event.recurrence or event.id == event.recurring_event_id:
        return None
    organizer = None if event.organizer is None else event.organizer.own
    return EventHandle(event.id, event.etag, organizer, own_attendee(event) is not None)


def _made_with(event: WritableEvent) -> str | None:
    properties = event.extended_properties
    return None if properties is None else properties.private.get(PROPERTY)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
