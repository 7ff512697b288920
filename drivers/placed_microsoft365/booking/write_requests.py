"""The request to Graph that carries out an order. Pure.

Source: Microsoft, event-update, user-post-events, event-delete, event-decline, event-cancel.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import msgspec

from placed.driver import Book, Release, Shorten, Withdraw
from placed_microsoft365.booking.calendar_look import EventHandle
from placed_microsoft365.booking.event_property import PROPERTY, transaction_id

if TYPE_CHECKING:
    from datetime import datetime

    from placed.domain.model import Room
    from placed.driver import Order

_encode = msgspec.json.Encoder().encode


class WriteRequest(NamedTuple):
    """One request, and the status with which Graph reports that it was carried out."""

    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]
    done: int


class NotAllowedError(Exception):
    """An order that must not be sent, whatever the service would do with it."""


def request_of(order: Order) -> WriteRequest:
    """Returns the request of an order.

    Raises:
        NotAllowedError: it is about a whole series, or would delete what placed did not make.
    """
    match order:
        case Book():
            return WriteRequest("POST", f"{_user(order.room)}/events", _encode(_event(order)), {}, 201)
        case Shorten():
            handle = _handle(order)
            body = _encode({"end": _moment(order.end)})
            return WriteRequest("PATCH", _path(order.room, handle), body, {"If-Match": handle.etag}, 200)
        case Withdraw():
            handle = _handle(order)
            if order.booking.made_with is None or handle.is_organizer is not True:
                raise NotAllowedError("placed did not make this booking")
            return WriteRequest("DELETE", _path(order.room, handle), None, {"If-Match": handle.etag}, 204)
        case Release():
            return _release(order)


def _release(order: Release) -> WriteRequest:
    """Whether decline and cancel heed `If-Match` is not documented, so it is not sent."""
    handle = _handle(order)
    path = _path(order.room, handle)
    if handle.is_organizer is None:
        raise NotAllowedError("it is not known who the organizer is")
    if handle.is_organizer:
        return WriteRequest("POST", f"{path}/cancel", _encode({"comment": order.comment}), {}, 202)
    body = _encode({"comment": order.comment, "sendResponse": True})
    return WriteRequest("POST", f"{path}/decline", body, {}, 202)


def _event(order: Book) -> dict[str, object]:
    """The room is the organizer, and nobody is invited."""
    return {
        "subject": order.subject,
        "start": _moment(order.start),
        "end": _moment(order.end),
        "showAs": "busy",
        "isReminderOn": False,
        "transactionId": transaction_id(order.key),
        "singleValueExtendedProperties": [{"id": PROPERTY, "value": order.key}],
    }


def _handle(order: Shorten | Release | Withdraw) -> EventHandle:
    handle = order.booking.handle
    if not order.booking.changeable or not isinstance(handle, EventHandle):
        raise NotAllowedError("it is not a single meeting or one occurrence of a series")
    return handle


def _user(room: Room) -> str:
    return f"/users/{quote(room.mailbox, safe='@')}"


def _path(room: Room, handle: EventHandle) -> str:
    return f"{_user(room)}/events/{quote(handle.event_id, safe='=')}"


def _moment(moment: datetime) -> dict[str, str]:
    return {"dateTime": f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}
