"""The JSON of Google's APIs as typed structs, with the fields that are used; msgspec checks their types.

Source: the discovery documents of Calendar API v3 and Directory API v1. What is absent has its default. None
refers to itself, so the garbage collector need not look at the thousands of a reading.
"""

from __future__ import annotations

import msgspec

# --- events.list --------------------------------------------------------------------------------------------


class EventTime(msgspec.Struct, rename="camel", gc=False):
    """{"dateTime":"2026-12-02T08:00:00Z","timeZone":"Europe/Berlin"}, or {"date":"2026-12-02"}."""

    date: str | None = None
    date_time: str | None = None


class Attendee(msgspec.Struct, rename="camel", gc=False):
    """One who was invited; `own` is the calendar that was asked for."""

    own: bool = msgspec.field(default=False, name="self")
    resource: bool = False
    response_status: str | None = None


class Organizer(msgspec.Struct, rename="camel", gc=False):
    """Who organizes a meeting; the address is not asked for."""

    display_name: str | None = None
    own: bool = msgspec.field(default=False, name="self")


class Event(msgspec.Struct, rename="camel", gc=False):
    """An occurrence on a calendar."""

    id: str | None = None
    status: str | None = None
    start: EventTime | None = None
    end: EventTime | None = None
    transparency: str | None = None
    visibility: str | None = None
    event_type: str | None = None
    attendees: list[Attendee] = []
    attendees_omitted: bool = False
    summary: str | None = None
    organizer: Organizer | None = None
    created: str | None = None
    recurring_event_id: str | None = None


class CalendarPage(msgspec.Struct, rename="camel", gc=False):
    """A page of a calendar. It is the last one only if it has no token, however many events it has."""

    next_page_token: str | None = None
    time_zone: str | None = None
    access_role: str | None = None


class Events(CalendarPage):
    """Its events."""

    items: list[Event] = []


class RawEvents(CalendarPage):
    """Its events, to be decoded one by one."""

    items: list[msgspec.Raw] = []


# --- freebusy.query -----------------------------------------------------------------------------------------


class BusyTime(msgspec.Struct, gc=False):
    """A block in which a calendar is busy."""

    start: str
    end: str


class ErrorReason(msgspec.Struct, gc=False):
    """{"domain":"global","reason":"notFound"}."""

    reason: str | None = None


class FreeBusyCalendar(msgspec.Struct, gc=False):
    """One calendar of the answer. With errors its `busy` is empty, which does not mean that it is free."""

    busy: list[BusyTime] | None = None
    errors: list[ErrorReason] = []


class FreeBusy(msgspec.Struct, gc=False):
    """The answer, by calendar id."""

    calendars: dict[str, FreeBusyCalendar] = {}


class FreeBusyItem(msgspec.Struct, gc=False):
    """A calendar that is asked for."""

    id: str


class FreeBusyRequest(msgspec.Struct, rename="camel", gc=False):
    """At most 50 calendars."""

    time_min: str
    time_max: str
    items: list[FreeBusyItem]
    time_zone: str = "UTC"
    calendar_expansion_max: int = 50


# --- directory ----------------------------------------------------------------------------------------------


class CalendarResource(msgspec.Struct, rename="camel", gc=False):
    """A room of the directory."""

    resource_email: str | None = None
    resource_name: str | None = None
    generated_resource_name: str | None = None
    capacity: int | None = None
    building_id: str | None = None
    floor_name: str | None = None


class CalendarResources(msgspec.Struct, rename="camel", gc=False):
    """A page of rooms."""

    items: list[CalendarResource] = []
    kind: str | None = None
    next_page_token: str | None = None


class Building(msgspec.Struct, rename="camel", gc=False):
    """A building; its id is opaque."""

    building_id: str | None = None
    building_name: str | None = None


class Buildings(msgspec.Struct, rename="camel", gc=False):
    """A page of buildings."""

    buildings: list[Building] = []
    kind: str | None = None
    next_page_token: str | None = None


# --- errors -------------------------------------------------------------------------------------------------


class ErrorDetail(msgspec.Struct, gc=False):
    """A detail of newer hosts."""

    reason: str | None = None


class ApiError(msgspec.Struct, gc=False):
    """The error; its message is not used, since it may change and contain names."""

    errors: list[ErrorReason] = []
    details: list[ErrorDetail] = []
    status: str | None = None


class ApiErrorBody(msgspec.Struct, gc=False):
    """{"error":{"code":404,"errors":[{"domain":"global","reason":"notFound"}]}}."""

    error: ApiError | None = None
