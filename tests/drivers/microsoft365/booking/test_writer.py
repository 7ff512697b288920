"""The writer carries out each kind of order, on exactly the event that was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.driver import Book, NotWritten, OffersBooking, Release, Shorten, Unavailable, Withdraw
from placed_microsoft365 import Microsoft365
from tests.drivers.microsoft365.booking.writer_setup import ROOM, WriterSetup, outcome
from tests.drivers.microsoft365.driver_setup import BOARDROOM, at

if TYPE_CHECKING:
    from placed.driver import BookingWriter

BOOK = Book("6f0c", ROOM, at(8), at(9), "Booked at the room")


@pytest.fixture
def writer(writer_setup: WriterSetup) -> BookingWriter:
    return writer_setup.open()


def test_the_driver_offers_booking() -> None:
    assert isinstance(Microsoft365, OffersBooking)


async def test_a_booking_is_the_rooms_own_and_invites_nobody(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    assert outcome(await writer.write(BOOK)) == "written"
    (meeting,) = writer_setup.meetings()
    assert (meeting.start, meeting.end, meeting.subject) == (at(8), at(9), "Booked at the room")
    assert (meeting.show_as, meeting.response, meeting.reminder) == ("busy", "organizer", False)
    assert writer_setup.tenant.messages == []


async def test_a_booking_of_placed_is_recognized_by_its_key(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.book(BOARDROOM, at(10), at(11))
    await writer.write(BOOK)
    found = {one.meeting.start: one.made_with for one in await writer.look(ROOM, at(0), at(24))}
    assert found == {at(10): None, at(8): "6f0c"}


async def test_what_is_looked_at_has_the_keys_of_the_reading_driver(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    tenant = writer_setup.tenant
    tenant.book(BOARDROOM, at(10), at(11))
    tenant.book(BOARDROOM, at(0), at(24), all_day=True)
    tenant.book_series(BOARDROOM, at(12), at(13), count=3)
    await writer.write(BOOK)
    driver = writer_setup.driver_setup.open(details=False)
    read = await writer_setup.driver_setup.meetings(driver)
    looked = await writer.look(ROOM, at(-24), at(72))
    assert {one.meeting for one in looked} >= {*read}
    assert len(read) == 5


async def test_a_meeting_is_shortened_and_nobody_is_notified(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.book(BOARDROOM, at(7), at(9))
    booking = await writer_setup.booking(writer)
    assert outcome(await writer.write(Shorten("k", ROOM, booking, at(7, 31)))) == "written"
    (meeting,) = writer_setup.meetings()
    assert (meeting.start, meeting.end) == (at(7), at(7, 31))
    assert writer_setup.tenant.messages == []


async def test_an_occurrence_is_shortened_without_its_series(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.book_series(BOARDROOM, at(7), at(9), count=3)
    booking = await writer_setup.booking(writer)
    assert outcome(await writer.write(Shorten("k", ROOM, booking, at(8)))) == "written"
    assert [one.end for one in writer_setup.meetings()] == [at(8), at(33), at(57)]


async def test_a_release_declines_and_the_organizer_hears_of_it(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.book_series(BOARDROOM, at(7), at(9), count=2)
    booking = await writer_setup.booking(writer)
    assert outcome(await writer.write(Release("k", ROOM, booking, "Nobody came"))) == "written"
    (message,) = writer_setup.tenant.messages
    assert (message.kind, message.comment) == ("declined", "Nobody came")
    assert [one.start for one in writer_setup.meetings()] == [at(31)]


async def test_a_release_cancels_where_the_room_is_the_organizer(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    await writer.write(BOOK)
    booking = await writer_setup.booking(writer)
    assert outcome(await writer.write(Release("k", ROOM, booking, "Nobody came"))) == "written"
    assert [one.kind for one in writer_setup.tenant.messages] == ["cancelled"]
    assert writer_setup.meetings() == []


async def test_only_what_placed_made_is_withdrawn(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    await writer.write(BOOK)
    booking = await writer_setup.booking(writer)
    assert outcome(await writer.write(Withdraw("w", ROOM, booking))) == "written"
    assert writer_setup.meetings() == []
    writer_setup.tenant.book(BOARDROOM, at(10), at(11))
    booking = await writer_setup.booking(writer)
    before = list(writer_setup.writes)
    assert outcome(await writer.write(Withdraw("w", ROOM, booking))) == "forbidden"
    assert writer_setup.writes == before


async def test_a_closed_writer_sends_nothing_and_opens_no_connection_again(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    await writer.look(ROOM, at(0), at(24))
    await writer.close()
    requests = len(writer_setup.driver_setup.simulator.requests)
    with pytest.raises(Unavailable, match="closed"):
        await writer.look(ROOM, at(0), at(24))
    assert isinstance(await writer.write(BOOK), NotWritten)
    assert len(writer_setup.driver_setup.simulator.requests) == requests
