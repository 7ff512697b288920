"""The body of a call that writes an event."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed_google.simulator.api_messages import ApiError, invalid
from placed_google.simulator.calendar_host.query_parameters import zone_of
from placed_google.simulator.workspace.booking import utc
from placed_google.simulator.workspace.event_model import (
    Attendee,
    EventStatus,
    Response,
    Transparency,
    Visibility,
)

if TYPE_CHECKING:
    from placed_google.simulator.api_messages import ApiCall
    from placed_google.simulator.workspace.event_model import Event, When
    from placed_google.simulator.workspace.workspace import Workspace


class NewTime(msgspec.Struct, frozen=True, rename="camel"):
    """A moment or a date."""

    date_time: str | None = None
    date: str | None = None
    time_zone: str | None = None


class NewAttendee(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody to invite, or their answer."""

    email: str
    display_name: str | None = None
    response_status: Response = "needsAction"
    resource: bool = False
    optional: bool = False
    comment: str | None = None


class NewProperties(msgspec.Struct, frozen=True):
    """Properties of the copy alone, by name."""

    private: dict[str, str] = {}


class NewEvent(msgspec.Struct, frozen=True, rename="camel"):
    """What may be written of an event; what is left out stays. Whatever else is sent is passed over."""

    id: str | msgspec.UnsetType = msgspec.UNSET
    start: NewTime | msgspec.UnsetType = msgspec.UNSET
    end: NewTime | msgspec.UnsetType = msgspec.UNSET
    summary: str | msgspec.UnsetType | None = msgspec.UNSET
    description: str | msgspec.UnsetType | None = msgspec.UNSET
    status: EventStatus | msgspec.UnsetType = msgspec.UNSET
    transparency: Transparency | msgspec.UnsetType = msgspec.UNSET
    visibility: Visibility | msgspec.UnsetType = msgspec.UNSET
    attendees: tuple[NewAttendee, ...] | msgspec.UnsetType = msgspec.UNSET
    extended_properties: NewProperties | msgspec.UnsetType = msgspec.UNSET
    recurrence: tuple[str, ...] = ()


def read_event(call: ApiCall) -> NewEvent:
    """The body, or 400."""
    try:
        new = msgspec.json.decode(call.body or b"{}", type=NewEvent)
    except msgspec.DecodeError as error:
        raise ApiError(HTTPStatus.BAD_REQUEST, "parseError", f"Parse Error: {error}") from None
    if new.recurrence:
        raise invalid("recurrence", "The simulator takes no recurring events here.", "invalid")
    return new


def when_of(time: NewTime) -> When:
    """A moment without an offset is in the time zone beside it."""
    try:
        if time.date is not None:
            return date.fromisoformat(time.date)
        moment = datetime.fromisoformat(time.date_time or "")
    except ValueError:
        raise invalid("start", "Invalid value for: Invalid format", "invalid") from None
    if moment.tzinfo is None:
        if time.time_zone is None:
            raise ApiError(HTTPStatus.BAD_REQUEST, "required", "Missing time zone definition for start time.")
        moment = moment.replace(tzinfo=zone_of(time.time_zone))
    return utc(moment)


def with_private(event: Event, new: NewEvent) -> Event:
    """The event with the transparency, visibility and private properties that each copy has of its own."""
    if new.transparency is not msgspec.UNSET:
        event = replace(event, transparency=new.transparency)
    if new.visibility is not msgspec.UNSET:
        event = replace(event, visibility=new.visibility)
    if new.extended_properties is not msgspec.UNSET:
        properties = {**dict(event.private_properties), **new.extended_properties.private}
        event = replace(event, private_properties=tuple(properties.items()))
    return event


def changed_event(workspace: Workspace, event: Event, new: NewEvent) -> Event:
    """The event with whatever is written of it."""
    event = with_private(event, new)
    if new.start is not msgspec.UNSET:
        event = replace(event, start=when_of(new.start), zone=new.start.time_zone or event.zone)
    if new.end is not msgspec.UNSET:
        event = replace(event, end=when_of(new.end))
    if new.summary is not msgspec.UNSET:
        event = replace(event, summary=new.summary)
    if new.description is not msgspec.UNSET:
        event = replace(event, description=new.description)
    if new.status is not msgspec.UNSET:
        event = replace(event, status=new.status)
    if new.attendees is not msgspec.UNSET:
        event = replace(event, attendees=tuple(_attendee(workspace, one) for one in new.attendees))
    return event


def _attendee(workspace: Workspace, one: NewAttendee) -> Attendee:
    address = one.email.lower()
    return Attendee(
        email=address,
        name=one.display_name,
        response=one.response_status,
        resource=address in workspace.resources,
        optional=one.optional,
        comment=one.comment,
    )
