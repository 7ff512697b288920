"""The state document, to the letter, and what privacy lets into it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from placed.domain.model import Occupancy, Reason, Status
from placed.domain.privacy import Show
from placed.domain.state_document import meeting_document, state_document
from placed.domain.timestamps import timestamp
from tests.support.domain_builders import DAY, at, meeting, room

TITLE, ORGANIZER = "Salary review", "Grace Quillfeather"
NOW = meeting("9:00", "10:00", title=TITLE, organizer=ORGANIZER)
NEXT = meeting("10:00", "11:30", private=True, title=TITLE, organizer=ORGANIZER)


def document(occupancy: Occupancy, show: Show = Show.NOTHING) -> bytes:
    return state_document(room(), occupancy, changed_at=at("9:00"), epoch=7, seq=412, show=show)


def test_the_document_of_a_busy_room() -> None:
    busy = Occupancy(
        Status.BUSY,
        stale=False,
        valid_until=at("9:15:00.25"),
        current=NOW,
        next=NEXT,
        busy_until=at("11:30"),
        observed_at=at("9:00:00.25"),
    )
    assert document(busy).decode() == (
        '{"schema":1,"room":"boardroom","name":"Boardroom","status":"busy","occupied":true,"stale":false,'
        '"conflicts":0,'
        '"current":{"start":"2026-10-06T09:00:00Z","end":"2026-10-06T10:00:00Z","title":null,'
        '"organizer":null,"private":false,"all_day":false},'
        '"next":{"start":"2026-10-06T10:00:00Z","end":"2026-10-06T11:30:00Z","title":null,'
        '"organizer":null,"private":true,"all_day":false},'
        '"busy_until":"2026-10-06T11:30:00Z","free_until":null,'
        '"changed_at":"2026-10-06T09:00:00Z","observed_at":"2026-10-06T09:00:00.250Z",'
        '"valid_until":"2026-10-06T09:15:00.250Z","reason":null,"connection":"contoso","epoch":7,"seq":412,"presence":null,"use":null,"check_in":null}'
    )


def test_the_document_of_an_unknown_room() -> None:
    unknown = Occupancy(Status.UNKNOWN, stale=True, valid_until=at("9:15"), reason=Reason.FORBIDDEN)
    assert document(unknown).decode() == (
        '{"schema":1,"room":"boardroom","name":"Boardroom","status":"unknown","occupied":null,"stale":true,'
        '"conflicts":0,"current":null,"next":null,"busy_until":null,"free_until":null,'
        '"changed_at":"2026-10-06T09:00:00Z","observed_at":null,"valid_until":"2026-10-06T09:15:00Z",'
        '"reason":"forbidden","connection":"contoso","epoch":7,"seq":412,"presence":null,"use":null,"check_in":null}'
    )


@pytest.mark.parametrize(
    ("status", "occupied"),
    [
        (Status.FREE, False),
        (Status.STARTING, False),
        (Status.BUSY, True),
        (Status.PENDING, True),
        (Status.UNKNOWN, None),
    ],
)
def test_occupied_is_true_or_false_only_where_it_is_known(status: Status, *, occupied: bool | None) -> None:
    decoded = msgspec.json.decode(document(Occupancy(status, stale=False, valid_until=at("9:15"))))
    assert (decoded["status"], decoded["occupied"]) == (status.value, occupied)


def test_conflicts_are_counted() -> None:
    double = Occupancy(Status.BUSY, stale=False, valid_until=at("9:15"), current=NOW, conflicts=(NEXT, NEXT))
    assert msgspec.json.decode(document(double))["conflicts"] == 2


def test_names_are_published_unchanged() -> None:
    decoded = state_document(
        room(name='Größe "XL" 會議室'),
        Occupancy(Status.FREE, stale=False, valid_until=at("9:15")),
        changed_at=at("9:00"),
        epoch=7,
        seq=1,
        show=Show.NOTHING,
    )
    assert '"name":"Größe \\"XL\\" 會議室"' in decoded.decode("utf-8")


# --- privacy ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("show", "private", "title", "organizer"),
    [
        (Show.NOTHING, False, None, None),
        (Show.ORGANIZER, False, None, ORGANIZER),
        (Show.TITLE, False, TITLE, None),
        (Show.EVERYTHING, False, TITLE, ORGANIZER),
        (Show.NOTHING, True, None, None),
        (Show.ORGANIZER, True, None, None),
        (Show.TITLE, True, None, None),
        (Show.EVERYTHING, True, None, None),
    ],
)
def test_a_meeting_shows_the_allowed_fields_and_a_private_one_only_its_time(
    show: Show, *, private: bool, title: str | None, organizer: str | None
) -> None:
    expected: dict[str, Any] = {
        "start": "2026-10-06T09:00:00Z",
        "end": "2026-10-06T10:00:00Z",
        "title": title,
        "organizer": organizer,
        "private": private,
        "all_day": False,
    }
    assert meeting_document(replace(NOW, private=private), show) == expected


@pytest.mark.parametrize("show", Show)
def test_mailbox_and_calendar_details_are_never_published(show: Show) -> None:
    busy = Occupancy(Status.BUSY, stale=False, valid_until=at("9:15"), current=NOW, conflicts=(NOW,))
    decoded = state_document(
        room(address="hush@contoso.example", mailbox="object-of-hush"),
        replace(busy, current=replace(NOW, key="key-of-hush"), next=replace(NEXT, key="key-of-hush")),
        changed_at=at("9:00"),
        epoch=7,
        seq=1,
        show=show,
    )
    assert b"hush" not in decoded
    assert b"@" not in decoded


# --- times --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (DAY, "2026-10-06T00:00:00Z"),
        (at("9:30"), "2026-10-06T09:30:00Z"),
        (at("9:30:00.5"), "2026-10-06T09:30:00.500Z"),
        (at("9:30:59.999"), "2026-10-06T09:30:59.999Z"),
        (DAY + timedelta(microseconds=1), "2026-10-06T00:00:00.000Z"),
        (DAY - timedelta(microseconds=1), "2026-10-05T23:59:59.999Z"),
    ],
)
def test_times_are_in_utc_with_milliseconds_where_there_are_any(moment: datetime, expected: str) -> None:
    assert timestamp(moment) == expected


@given(st.integers(0, 10**13))
def test_a_time_is_never_rounded_up(microseconds: int) -> None:
    moment = DAY + timedelta(microseconds=microseconds)
    reported = datetime.fromisoformat(timestamp(moment))
    assert timedelta(0) <= moment - reported < timedelta(milliseconds=1)
