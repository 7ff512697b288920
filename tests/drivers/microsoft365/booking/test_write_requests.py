"""The requests of orders: their shapes are those of Microsoft's OpenAPI, and their times are in UTC."""

from __future__ import annotations

import json
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from placed.domain.model import Meeting
from placed.driver import Book, Booking, Release, Shorten, Withdraw
from placed_microsoft365.booking.calendar_look import EventHandle
from placed_microsoft365.booking.event_property import PROPERTY, transaction_id
from placed_microsoft365.booking.write_requests import NotAllowedError, WriteRequest, request_of
from tests.drivers.microsoft365 import graph_openapi
from tests.drivers.microsoft365.booking.writer_setup import ROOM
from tests.drivers.microsoft365.driver_setup import BOARDROOM, at

HANDLE = EventHandle("AAMk+/=", 'W/"1"', is_organizer=False)
BOOKING = Booking(Meeting("k", at(7), at(9)), HANDLE)
OWN = Booking(Meeting("k", at(7), at(9)), EventHandle("AAMk+/=", 'W/"1"', is_organizer=True), "6f0c")
BOOK = Book("6f0c", ROOM, at(8), at(9), "Booked at the room")
BERLIN = timezone(timedelta(hours=2))


def body(request: WriteRequest) -> dict[str, Any]:
    assert request.body is not None
    document: dict[str, Any] = json.loads(request.body)
    return document


def test_a_booking_has_the_room_as_organizer_and_carries_its_key() -> None:
    request = request_of(BOOK)
    assert (request.method, request.path) == ("POST", f"/users/{BOARDROOM}/events")
    assert body(request) == {
        "subject": "Booked at the room",
        "start": {"dateTime": "2026-10-06T08:00:00", "timeZone": "UTC"},
        "end": {"dateTime": "2026-10-06T09:00:00", "timeZone": "UTC"},
        "showAs": "busy",
        "isReminderOn": False,
        "transactionId": transaction_id("6f0c"),
        "singleValueExtendedProperties": [{"id": PROPERTY, "value": "6f0c"}],
    }


@graph_openapi.needs_contract
def test_bodies_keep_to_the_contract() -> None:
    contract = graph_openapi.load()
    event = body(request_of(BOOK))
    del event["singleValueExtendedProperties"]  # a navigation property, which the subset leaves out
    assert contract.object_problems("microsoft.graph.event", event) == []
    change = body(request_of(Shorten("k", ROOM, BOOKING, at(8))))
    assert contract.object_problems("microsoft.graph.event", change) == []
    assert contract.object_problems("microsoft.graph.event", {"showAs": "asleep", "mood": "good"})


def test_only_the_end_is_changed_and_only_of_the_version_that_was_read() -> None:
    request = request_of(Shorten("k", ROOM, BOOKING, at(8).astimezone(BERLIN)))
    assert body(request) == {"end": {"dateTime": "2026-10-06T08:00:00", "timeZone": "UTC"}}
    assert request.headers == {"If-Match": 'W/"1"'}
    assert request.path == f"/users/{BOARDROOM}/events/AAMk%2B%2F="


def test_times_are_in_utc() -> None:
    local = replace(BOOK, start=at(8).astimezone(BERLIN), end=at(9).astimezone(UTC))
    assert body(request_of(local))["start"] == {"dateTime": "2026-10-06T08:00:00", "timeZone": "UTC"}


def test_a_release_declines_with_a_response_or_cancels() -> None:
    declined = request_of(Release("k", ROOM, BOOKING, "Nobody came"))
    assert declined.path.endswith("/decline")
    assert body(declined) == {"comment": "Nobody came", "sendResponse": True}
    cancelled = request_of(Release("k", ROOM, OWN, "Nobody came"))
    assert cancelled.path.endswith("/cancel")
    assert body(cancelled) == {"comment": "Nobody came"}


def test_what_placed_made_is_deleted_in_the_version_that_was_read() -> None:
    request = request_of(Withdraw("k", ROOM, OWN))
    assert (request.method, request.body, request.headers) == ("DELETE", None, {"If-Match": 'W/"1"'})


UNKNOWN = replace(BOOKING, handle=EventHandle("AAMk", 'W/"1"', is_organizer=None))


@pytest.mark.parametrize(
    "order",
    [
        Withdraw("k", ROOM, BOOKING),
        Withdraw("k", ROOM, replace(OWN, made_with=None)),
        Withdraw("k", ROOM, replace(BOOKING, made_with="6f0c")),
        Withdraw("k", ROOM, replace(UNKNOWN, made_with="6f0c")),
        Release("k", ROOM, UNKNOWN, ""),
        Shorten("k", ROOM, replace(BOOKING, changeable=False), at(8)),
        Shorten("k", ROOM, replace(BOOKING, handle=None), at(8)),
        Shorten("k", ROOM, replace(BOOKING, handle="AAMk"), at(8)),
    ],
)
def test_what_must_not_be_written_is_never_sent(order: Shorten | Release | Withdraw) -> None:
    with pytest.raises(NotAllowedError):
        request_of(order)
