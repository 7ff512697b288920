"""Looking at a calendar: which bookings may be changed, and who made them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.driver import Book, BookingWriter, NotPermitted, Shorten, Unavailable, UnexpectedAnswer
from placed_microsoft365.booking.calendar_look import WritableEvent, bookings_of
from placed_microsoft365.booking.event_property import PROPERTY, transaction_id
from placed_microsoft365.graph.json_structs import DateTimeTimeZone
from tests.drivers.microsoft365 import graph_openapi
from tests.drivers.microsoft365.booking.writer_setup import ROOM, WriterSetup, outcome
from tests.drivers.microsoft365.driver_setup import BOARDROOM, at

if TYPE_CHECKING:
    from tests.drivers.microsoft365.simulator.conftest import Clock

EIGHT, NINE = DateTimeTimeZone("2026-10-06T08:00:00.0000000"), DateTimeTimeZone("2026-10-06T09:00:00.0000000")


def event(**changes: object) -> WritableEvent:
    usual = {"id": "AAMk", "etag": 'W/"1"', "type": "singleInstance", "is_organizer": False}
    return WritableEvent(**{"start": EIGHT, "end": NINE, **usual, **changes})  # type: ignore[arg-type]


@pytest.fixture
def writer(writer_setup: WriterSetup) -> BookingWriter:
    return writer_setup.open()


@pytest.mark.parametrize("kind", ["singleInstance", "occurrence", "exception"])
def test_a_single_meeting_can_be_changed(kind: str) -> None:
    (booking,) = bookings_of([event(type=kind)], ROOM)
    assert booking.changeable


@pytest.mark.parametrize(
    "changes", [{"type": "seriesMaster"}, {"type": None}, {"type": "Series"}, {"id": None}, {"etag": None}]
)
async def test_a_series_and_what_is_not_known_are_never_changed(
    writer_setup: WriterSetup, writer: BookingWriter, changes: dict[str, object]
) -> None:
    (booking,) = bookings_of([event(**changes)], ROOM)
    assert not booking.changeable
    assert outcome(await writer.write(Shorten("k", ROOM, booking, at(8, 30)))) == "forbidden"
    assert writer_setup.driver_setup.simulator.requests == []


async def test_a_series_in_the_answer_of_the_service_is_not_changed(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.book_series(BOARDROOM, at(7), at(9), count=3)
    writer_setup.tenant.faults.odd_events("series_master")
    booking = await writer_setup.booking(writer)
    assert outcome(await writer.write(Shorten("k", ROOM, booking, at(8)))) == "forbidden"
    assert writer_setup.writes == []


async def test_a_shortened_occurrence_can_be_changed_again(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.book_series(BOARDROOM, at(7), at(9), count=2)
    for end in (at(8, 30), at(8)):
        booking = await writer_setup.booking(writer)
        assert outcome(await writer.write(Shorten("k", ROOM, booking, end))) == "written"


async def test_all_pages_are_read(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    for number in range(120):
        start = at(0) + timedelta(minutes=10 * number)
        writer_setup.tenant.book(BOARDROOM, start, start + timedelta(minutes=10))
    assert len(await writer.look(ROOM, at(0), at(24))) == 120


async def test_pages_without_an_end_are_an_error(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    writer_setup.tenant.faults.endless()
    with pytest.raises(UnexpectedAnswer):
        await writer.look(ROOM, at(0), at(24))


async def test_an_event_that_comes_twice_is_one_booking(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.book(BOARDROOM, at(7), at(9))
    writer_setup.tenant.faults.odd_events("twice")
    assert (await writer_setup.booking(writer)).meeting.start == at(7)


@pytest.mark.parametrize("fault", ["bad_date", "missing_start", "null_start"])
async def test_a_malformed_event_is_an_error(
    writer_setup: WriterSetup, writer: BookingWriter, fault: str
) -> None:
    writer_setup.tenant.faults.bad_event(fault)
    with pytest.raises(UnexpectedAnswer):
        await writer.look(ROOM, at(0), at(24))


async def test_a_calendar_that_may_not_be_read_is_an_error(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.remove_member("placed-rooms", BOARDROOM)
    with pytest.raises(NotPermitted):
        await writer.look(ROOM, at(0), at(24))


async def test_a_service_that_is_down_is_an_error(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    writer_setup.tenant.faults.status(503)
    with pytest.raises(Unavailable):
        await writer.look(ROOM, at(0), at(24))


async def test_neither_titles_nor_names_are_requested(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    await writer.look(ROOM, at(0), at(24))
    (path,) = writer_setup.driver_setup.asked("/calendarView")
    fields = path.partition("$select=")[2].partition("&")[0].split(",")
    assert not {"subject", "organizer", "attendees", "body", "location"} & {*fields}
    assert "singleValueExtendedProperties" in path


async def test_a_write_shows_as_late_as_the_service_has_it(
    writer_setup: WriterSetup, writer: BookingWriter, clock: Clock
) -> None:
    writer_setup.tenant.undocumented.visible_after = timedelta(seconds=5)
    await writer.write(Book("6f0c", ROOM, at(10), at(11), "Booked at the room"))
    assert await writer.look(ROOM, at(0), at(24)) == ()
    clock.advance(seconds=5)
    booking = await writer_setup.booking(writer)
    assert booking.made_with == "6f0c"
    await writer.write(Shorten("k", ROOM, booking, at(10, 30)))
    assert (await writer_setup.booking(writer)).meeting.end == at(11)
    clock.advance(seconds=5)
    assert (await writer_setup.booking(writer)).meeting.end == at(10, 30)


def test_the_mark_of_placed_never_changes() -> None:
    assert PROPERTY == "String {6d0d6f5c-53a1-4f0e-9a0e-2f0d1b9a4c37} Name placed"
    assert transaction_id("k") == transaction_id("k") != transaction_id("l")


@graph_openapi.needs_contract
async def test_the_request_is_in_the_contract(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    await writer.look(ROOM, at(0), at(24))
    (path,) = writer_setup.driver_setup.asked("/calendarView")
    assert graph_openapi.load().request_problems("GET", path) == []
