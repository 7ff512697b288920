"""The request to Google Calendar that carries out an order. Pure.

Source: Google, Calendar API v3: events.insert, events.patch, events.delete, and "Specific versions of
resources" for `If-Match`. `attendeesOmitted` lets a patch change the participant's own response alone.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import msgspec

from placed.driver import Book, Release, Shorten, Withdraw
from placed_google.booking.calendar_look import EventHandle
from placed_google.booking.placed_mark import PROPERTY, event_id
from placed_google.calendars.room_calendar import calendar_path

if TYPE_CHECKING:
    from datetime import datetime

    from placed.domain.model import Room
    from placed.driver import Order

_encode = msgspec.json.Encoder().encode
_ANSWER = "prettyPrint=false&fields=id"  # of the event only its id is needed


class WriteRequest(NamedTuple):
    """One request.

    Attributes:
        done: the status with which Google reports that it was carried out.
        reference: the id of an event that placed makes or has made, by which an administrator finds the
            change in the log events of Calendar; Google gives requests no id of their own. Empty for other
            events, since an imported one's id may encode an address.
    """

    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]
    done: int
    reference: str = ""


class NotAllowedError(Exception):
    """An order that must not be sent, whatever the service would do with it."""


def request_of(order: Order) -> WriteRequest:
    """Returns the request of an order.

    Raises:
        NotAllowedError: it is about a whole series, or would delete what placed did not make.
    """
    request = _request_of(order)
    if isinstance(order, Book):
        return request._replace(reference=event_id(order.key))
    made = order.booking.made_with is not None
    return request._replace(reference=_handle(order).event_id) if made else request


def _request_of(order: Order) -> WriteRequest:
    match order:
        case Book():
            path = f"{calendar_path(order.room.mailbox)}/events?sendUpdates=none&{_ANSWER}"
            return WriteRequest("POST", path, _encode(_event(order)), {}, 200)
        case Shorten():
            return _patch(order.room, _handle(order), {"end": _moment(order.end)}, notify="none")
        case Withdraw():
            handle = _handle(order)
            if order.booking.made_with is None or handle.is_organizer is not True:
                raise NotAllowedError("placed did not make this booking")
            return _delete(order.room, handle, notify="none")
        case Release():
            return _release(order)


def _release(order: Release) -> WriteRequest:
    """The room declines; a booking of its own, which nobody else has, is deleted."""
    handle = _handle(order)
    if handle.is_organizer is None:
        raise NotAllowedError("it is not known who the organizer is")
    if handle.is_organizer:
        return _delete(order.room, handle, notify="all")
    if not handle.is_invited:
        raise NotAllowedError("the room is not among the attendees, and cannot decline")
    own = {"email": order.room.mailbox, "responseStatus": "declined", "comment": order.comment}
    change = {"attendees": [own], "attendeesOmitted": True}
    return _patch(order.room, handle, change, notify="all")


def _patch(room: Room, handle: EventHandle, change: dict[str, object], *, notify: str) -> WriteRequest:
    path = f"{_path(room, handle)}?sendUpdates={notify}&{_ANSWER}"
    return WriteRequest("PATCH", path, _encode(change), {"If-Match": handle.etag}, 200)


def _delete(room: Room, handle: EventHandle, *, notify: str) -> WriteRequest:
    path = f"{_path(room, handle)}?sendUpdates={notify}"
    return WriteRequest("DELETE", path, None, {"If-Match": handle.etag}, 204)


def _event(order: Book) -> dict[str, object]:
    """The room is the organizer, and nobody is invited."""
    return {
        "id": event_id(order.key),
        "summary": order.subject,
        "start": _moment(order.start),
        "end": _moment(order.end),
        "transparency": "opaque",
        "reminders": {"useDefault": False},
        "extendedProperties": {"private": {PROPERTY: order.key}},
    }


def _handle(order: Shorten | Release | Withdraw) -> EventHandle:
    handle = order.booking.handle
    if not order.booking.changeable or not isinstance(handle, EventHandle):
        raise NotAllowedError("it is not a single meeting or one occurrence of a series")
    return handle


def _path(room: Room, handle: EventHandle) -> str:
    return f"{calendar_path(room.mailbox)}/events/{quote(handle.event_id, safe='')}"


def _moment(moment: datetime) -> dict[str, str]:
    return {"dateTime": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "timeZone": "UTC"}
