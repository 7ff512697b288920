"""Single events: get, insert, patch, update and delete (Google: Events), for who may write.

A copy of somebody else's event has shared properties, which only its organizer changes, and an answer and a
visibility of its own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed_google.simulator.api_messages import NO_PAGE, ApiError, invalid, not_found
from placed_google.simulator.calendar_host.calendar_access import (
    READ_EVENTS,
    WRITE_EVENTS,
    readable,
    require,
    role_for_events,
    with_role,
)
from placed_google.simulator.calendar_host.event_body import (
    NewEvent,
    changed_event,
    read_event,
    when_of,
    with_private,
)
from placed_google.simulator.calendar_host.event_listing import view_of
from placed_google.simulator.calendar_host.event_rendering import etag_of, render
from placed_google.simulator.calendar_host.query_parameters import known_only
from placed_google.simulator.field_mask import parse_mask
from placed_google.simulator.workspace.booking import answered
from placed_google.simulator.workspace.calendar_model import EventWrite
from placed_google.simulator.workspace.calendar_sharing import Role
from placed_google.simulator.workspace.event_model import (
    Event,
    Response,
    moment_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed_google.simulator.api_messages import ApiCall
    from placed_google.simulator.workspace.calendar_model import Calendar
    from placed_google.simulator.workspace.workspace import Workspace
    from placed_simulator.http_messages import Reply

PARAMETERS = (
    "alwaysIncludeEmail",
    "conferenceDataVersion",
    "eventLabelVersion",
    "maxAttendees",
    "sendNotifications",
    "sendUpdates",
    "supportsAttachments",
    "timeZone",
)
EVENT_ID = re.compile(r"[a-v0-9]{5,1024}")


TIMES = ("start", "end")
SHARED = ("start", "end", "summary", "description", "status")


def answer(workspace: Workspace, call: ApiCall, calendar_id: str, event_id: str | None = None) -> Reply:
    """The answer to a call for one event, or for a new one."""
    match call.method:
        case "POST" if event_id is None:
            return insert_event(workspace, call, calendar_id)
        case "GET" if event_id is not None:
            return get_event(workspace, call, calendar_id, event_id)
        case "PATCH" | "PUT" if event_id is not None:
            return change_event(workspace, call, calendar_id, event_id)
        case "DELETE" if event_id is not None:
            return delete_event(workspace, call, calendar_id, event_id)
        case _:
            return NO_PAGE


def get_event(workspace: Workspace, call: ApiCall, calendar_id: str, event_id: str) -> Reply:
    """`GET`; 304 for who has it already."""
    require(call, READ_EVENTS)
    known_only(call, *PARAMETERS)
    calendar, role = readable(workspace, call, calendar_id)
    event = _found(calendar, event_id)
    if call.headers.get("if-none-match") == etag_of(event):
        return replace(call.empty(), status=HTTPStatus.NOT_MODIFIED)
    return _shown(workspace, call, calendar, event, role_for_events(workspace, call, role))


def insert_event(workspace: Workspace, call: ApiCall, calendar_id: str) -> Reply:
    """`POST`: an event of this calendar; rooms among its attendees get a copy, and answer."""
    calendar = _writable(workspace, call, calendar_id)
    new = read_event(call)
    event_id = workspace.new_id("event") if new.id is msgspec.UNSET else new.id
    if not EVENT_ID.fullmatch(event_id):
        raise invalid("id", "Invalid resource id value.", "invalid")
    if calendar.find(event_id) is not None:
        raise ApiError(HTTPStatus.CONFLICT, "duplicate", "The requested identifier already exists.")
    if new.start is msgspec.UNSET or new.end is msgspec.UNSET:
        missing = "start" if new.start is msgspec.UNSET else "end"
        raise ApiError(HTTPStatus.BAD_REQUEST, "required", f"Missing {missing} time.")
    draft = Event(
        id=event_id,
        start=when_of(new.start),
        end=when_of(new.end),
        zone=new.start.time_zone or calendar.zone,
        organizer=calendar.id,
        organizer_name=calendar.name,
        created=call.moment,
        updated=call.moment,
    )
    event = changed_event(workspace, draft, new)
    _check_times(calendar, event)
    workspace.place(calendar, event)
    _invite_rooms(workspace, event)
    _note(workspace, call, calendar, None, _found(calendar, event_id))
    return _shown(workspace, call, calendar, _found(calendar, event_id), Role.WRITER)


def change_event(workspace: Workspace, call: ApiCall, calendar_id: str, event_id: str) -> Reply:
    """`PATCH` and `PUT`: of somebody else's event only the calendar's own answer and private properties.

    What a `PUT` leaves out stays, too; nobody needs more here.
    """
    calendar = _writable(workspace, call, calendar_id)
    event = _found(calendar, event_id)
    _check_precondition(call, event)
    new = read_event(call)
    if event.organizer != calendar.id:
        _change_copy(workspace, calendar, event, new)
    else:
        after = changed_event(workspace, event, new)
        _check_times(calendar, after)
        _spread(workspace, after)
        _invite_rooms(workspace, _found(calendar, event_id))
    _note(workspace, call, calendar, event, _found(calendar, event_id))
    return _shown(workspace, call, calendar, _found(calendar, event_id), Role.WRITER)


def delete_event(workspace: Workspace, call: ApiCall, calendar_id: str, event_id: str) -> Reply:
    """`DELETE`: the organizer's event is cancelled for all, a copy only taken off its calendar."""
    calendar = _writable(workspace, call, calendar_id)
    event = _found(calendar, event_id)
    _check_precondition(call, event)
    if event.status == "cancelled":
        raise ApiError(HTTPStatus.GONE, "deleted", "Resource has been deleted")
    if event.organizer == calendar.id:
        workspace.cancel(event_id)
    else:
        workspace.change(event_id, _answer(calendar.id, "declined"))
        calendar.put(replace(_found(calendar, event_id), status="cancelled"))
    _note(workspace, call, calendar, event, None)
    return call.empty()


def _note(
    workspace: Workspace, call: ApiCall, calendar: Calendar, before: Event | None, after: Event | None
) -> None:
    """Notes what was written; nobody is notified unless the caller asks for it."""
    notifies = call.query.get("sendUpdates", "none") != "none"
    workspace.was_written(EventWrite(calendar, before, after, notifies))


def _writable(workspace: Workspace, call: ApiCall, calendar_id: str) -> Calendar:
    require(call, WRITE_EVENTS)
    known_only(call, *PARAMETERS)
    return with_role(workspace, call, calendar_id, Role.WRITER)


def _found(calendar: Calendar, event_id: str) -> Event:
    event = calendar.find(event_id)
    if event is None:
        raise not_found()
    return event


def _shown(workspace: Workspace, call: ApiCall, calendar: Calendar, event: Event, role: Role) -> Reply:
    document = render(event, view_of(workspace, call, calendar, role))
    headers = (("ETag", etag_of(event)),)
    if "fields" in call.query:
        return call.json(parse_mask(call.query["fields"], "Event").apply(document), headers=headers)
    return call.json(document, headers=headers)


def _check_precondition(call: ApiCall, event: Event) -> None:
    """412 if the event is no longer what the caller has seen."""
    expected = call.headers.get("if-match", "*")
    if expected not in ("*", etag_of(event)):
        raise ApiError(
            HTTPStatus.PRECONDITION_FAILED,
            "conditionNotMet",
            "Precondition Failed",
            location=("header", "If-Match"),
        )


def _check_times(calendar: Calendar, event: Event) -> None:
    if isinstance(event.start, datetime) is not isinstance(event.end, datetime):
        raise invalid(
            "end", "The start and end times must either both be date or both be dateTime.", "invalid"
        )
    if moment_of(event.end, calendar.time_zone) < moment_of(event.start, calendar.time_zone):
        raise ApiError(
            HTTPStatus.BAD_REQUEST,
            "timeRangeEmpty",
            "The specified time range is empty.",
            domain="calendar",
        )


def _change_copy(workspace: Workspace, calendar: Calendar, event: Event, new: NewEvent) -> None:
    """Shared properties belong to the organizer; the answer goes to all copies."""
    own_times = TIMES if workspace.answers.copies_have_times_of_their_own else ()
    if any(getattr(new, name) is not msgspec.UNSET for name in SHARED if name not in own_times):
        raise ApiError(
            HTTPStatus.FORBIDDEN,
            "forbiddenForNonOrganizer",
            "Shared properties can only be changed by the organizer of the event.",
            domain="calendar",
        )
    attendees = () if new.attendees is msgspec.UNSET else new.attendees
    own = next((one for one in attendees if one.email.lower() == calendar.id), None)
    if own is not None:
        workspace.change(event.id, _answer(calendar.id, own.response_status, own.comment))
    copy = with_private(_found(calendar, event.id), new)
    if new.start is not msgspec.UNSET:
        copy = replace(copy, start=when_of(new.start))
    if new.end is not msgspec.UNSET:
        copy = replace(copy, end=when_of(new.end))
    calendar.put(replace(copy, updated=workspace.now(), revision=copy.revision + 1))


def _spread(workspace: Workspace, after: Event) -> None:
    """Gives all copies what the organizer changed; the transparency and visibility of a copy are its own."""

    def changed(calendar: Calendar, copy: Event) -> Event:
        if calendar.id == after.organizer:
            return after
        return replace(
            after,
            transparency=copy.transparency,
            visibility=copy.visibility,
            private_properties=copy.private_properties,
        )

    workspace.change(after.id, changed)


def _invite_rooms(workspace: Workspace, event: Event) -> None:
    """Each room that is invited gets a copy and answers; that of a room that no longer is, is cancelled."""
    invited = {one.email for one in event.attendees if one.resource and one.email != event.organizer}
    for address in invited:
        room = workspace.calendars[address]
        workspace.place(room, room.find(event.id) or event)
        answer = workspace.answer_of(room, event)
        workspace.change(event.id, _answer(address, answer))
    for address in workspace.resources.keys() - invited - {event.organizer}:
        room = workspace.calendars[address]
        copy = room.find(event.id)
        if copy is not None:
            room.put(replace(copy, status="cancelled"))


def _answer(address: str, answer: Response, comment: str | None = None) -> Callable[[Calendar, Event], Event]:
    return lambda _calendar, copy: answered(copy, address, answer, comment)
