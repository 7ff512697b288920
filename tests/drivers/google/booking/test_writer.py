"""The writer carries out each kind of order, on exactly the event that was looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.driver import Book, NotWritten, OffersBooking, Release, Shorten, Unavailable, Withdraw
from placed_google import Google
from tests.drivers.google.booking.writer_setup import ROOM, WriterSetup, outcome
from tests.drivers.google.driver_setup import BOARDROOM, at

if TYPE_CHECKING:
    from placed.driver import BookingWriter

BOOK = Book("6f0c", ROOM, at(8), at(9), "Booked at the room")


@pytest.fixture
def writer(writer_setup: WriterSetup) -> BookingWriter:
    return writer_setup.open()


def test_the_driver_offers_booking() -> None:
    assert isinstance(Google, OffersBooking)


async def test_a_booking_is_the_rooms_own_and_invites_nobody(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    assert outcome(await writer.write(BOOK)) == "written"
    (event,) = writer_setup.events()
    assert (event.start, event.end, event.summary) == (at(8), at(9), "Booked at the room")
    assert (event.organizer, event.attendees) == (BOARDROOM, ())


async def test_a_booking_of_placed_is_recognized_by_its_key(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.workspace.book(BOARDROOM, at(10), at(11))
    await writer.write(BOOK)
    found = {one.meeting.start: one.made_with for one in await writer.look(ROOM, at(0), at(24))}
    assert found == {at(10): None, at(8): "6f0c"}


@pytest.mark.parametrize("delay", [0, 5])
async def test_a_booking_is_there_whether_it_shows_at_once_or_later(
    writer_setup: WriterSetup, writer: BookingWriter, delay: int
) -> None:
    setup = writer_setup.driver_setup
    setup.workspace.answers.visible_after = timedelta(seconds=delay)
    driver = setup.open()
    assert await setup.meetings(driver) == ()
    assert outcome(await writer.write(BOOK)) == "written"
    assert len(await writer.look(ROOM, at(0), at(24))) == (0 if delay else 1)
    assert outcome(await writer.write(BOOK)) == "duplicate"
    setup.clock.advance(seconds=5)
    (meeting,) = await setup.meetings(driver)
    assert (await writer_setup.booking(writer)).meeting.key == meeting.key


async def test_the_same_key_makes_one_booking_also_after_it_was_deleted(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    await writer.write(BOOK)
    assert outcome(await writer.write(BOOK)) == "duplicate"
    assert len(writer_setup.events()) == 1
    await writer.write(Withdraw("w", ROOM, await writer_setup.booking(writer)))
    assert outcome(await writer.write(BOOK)) == "duplicate"
    assert writer_setup.events() == []


async def test_what_is_looked_at_has_the_keys_of_the_reading_driver(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    workspace = writer_setup.workspace
    workspace.book(BOARDROOM, at(10), at(11))
    workspace.hold(BOARDROOM, at(24).date(), at(48).date())
    workspace.book_series(BOARDROOM, at(12), at(13), frequency="DAILY", count=2)
    await writer.write(BOOK)
    driver = writer_setup.driver_setup.open(details=False, check_in={})
    read = await writer_setup.driver_setup.meetings(driver)
    looked = await writer.look(ROOM, at(-24), at(72))
    assert {one.meeting for one in looked} >= {*read}
    assert len(read) == 5


async def test_a_booking_of_the_room_is_shortened(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    await writer.write(BOOK)
    booking = await writer_setup.booking(writer)
    assert outcome(await writer.write(Shorten("k", ROOM, booking, at(8, 31)))) == "written"
    (event,) = writer_setup.events()
    assert (event.start, event.end, event.summary) == (at(8), at(8, 31), "Booked at the room")
    assert (await writer_setup.booking(writer)).made_with == "6f0c"


async def test_a_persons_meeting_is_shortened_where_google_lets_the_room(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.workspace.answers.copies_have_times_of_their_own = True
    writer_setup.workspace.book_series(BOARDROOM, at(7), at(9), frequency="DAILY", count=3)
    (booking,) = await writer.look(ROOM, at(7), at(8))
    assert outcome(await writer.write(Shorten("k", ROOM, booking, at(8)))) == "written"
    assert [one.end for one in writer_setup.events()] == [at(8), at(33), at(57)]


async def test_it_is_forbidden_where_google_refuses_and_the_setting_is_named(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.workspace.book(BOARDROOM, at(7), at(9))
    booking = await writer_setup.booking(writer)
    result = await writer.write(Shorten("k", ROOM, booking, at(8)))
    assert isinstance(result, NotWritten)
    assert (outcome(result), result.problem.text) == ("forbidden", "403 forbiddenForNonOrganizer")
    assert "actions.end to decline" in result.problem.remedy
    assert [one.end for one in writer_setup.events()] == [at(9)]


async def test_a_release_declines_one_occurrence_and_the_organizer_hears_of_it(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.workspace.book_series(BOARDROOM, at(7), at(9), frequency="DAILY", count=2)
    (booking,) = await writer.look(ROOM, at(7), at(8))
    assert outcome(await writer.write(Release("k", ROOM, booking, "Nobody came"))) == "written"
    assert [one.start for one in writer_setup.events()] == [at(31)]
    (write,) = writer_setup.writes
    assert "sendUpdates=all" in write
    (event,) = writer_setup.workspace.calendar(BOARDROOM).within(at(7), at(8))
    own = event.own(BOARDROOM)
    assert own is not None
    assert (own.response, own.comment) == ("declined", "Nobody came")
    assert len(event.attendees) == 2, "the others stay invited"


async def test_a_release_deletes_where_the_room_is_the_organizer(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    await writer.write(BOOK)
    booking = await writer_setup.booking(writer)
    assert outcome(await writer.write(Release("k", ROOM, booking, "Nobody came"))) == "written"
    assert writer_setup.events() == []


async def test_only_what_placed_made_is_withdrawn(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    await writer.write(BOOK)
    booking = await writer_setup.booking(writer)
    assert outcome(await writer.write(Withdraw("w", ROOM, booking))) == "written"
    assert writer_setup.events() == []
    for book in (writer_setup.workspace.book, writer_setup.workspace.hold):
        event = book(BOARDROOM, at(10), at(11))
        booking = await writer_setup.booking(writer)
        before = list(writer_setup.writes)
        assert outcome(await writer.write(Withdraw("w", ROOM, booking))) == "forbidden"
        assert writer_setup.writes == before
        writer_setup.workspace.delete(event)


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
