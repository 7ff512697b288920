"""What the writer makes of each answer: done, certainly not done, or unclear. It never repeats a write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import UUID

import pytest

from placed.driver import Book, BookingWriter, NotWritten, Release, Shorten, Withdraw
from placed_microsoft365.booking import writer as writer_module
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.booking.writer_setup import ROOM, WriterSetup, outcome
from tests.drivers.microsoft365.driver_setup import BOARDROOM, at

if TYPE_CHECKING:
    from placed.driver import Order
    from tests.drivers.microsoft365.simulator.conftest import HeldSleep

BOOK = Book("6f0c", ROOM, at(10), at(11), "Booked at the room")


@pytest.fixture
def writer(writer_setup: WriterSetup) -> BookingWriter:
    return writer_setup.open()


async def order_of(kind: str, writer_setup: WriterSetup, writer: BookingWriter) -> Order:
    """An order about a running meeting, or a booking beside it."""
    if kind == "withdraw":
        await writer.write(BOOK)
    elif kind != "book":
        writer_setup.tenant.book(BOARDROOM, at(7), at(9))
    if kind == "book":
        return BOOK
    booking = await writer_setup.booking(writer)
    if kind == "shorten":
        return Shorten("k", ROOM, booking, at(8))
    return Withdraw("k", ROOM, booking) if kind == "withdraw" else Release("k", ROOM, booking, "Nobody came")


KINDS = ("book", "shorten", "release", "withdraw")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "code", "retry_after", "expected"),
    [
        (400, "ErrorInvalidRequest", None, "forbidden"),
        (403, "ErrorAccessDenied", None, "forbidden"),
        (405, "Request_BadRequest", None, "forbidden"),
        (409, "ErrorIrresolvableConflict", None, "changed"),
        (412, "ErrorIrresolvableConflict", None, "changed"),
        (400, "ErrorDuplicateTransactionId", None, "duplicate"),
        (409, "ErrorDuplicateTransactionId", None, "duplicate"),
        (429, "TooManyRequests", "2.5", "throttled"),
        (429, "TooManyRequests", None, "throttled"),
        (503, "ErrorServerBusy", "2.5", "throttled"),
        (503, "ErrorServerBusy", None, "unavailable"),
        (408, "RequestTimeout", None, "unclear"),
        (500, "ErrorInternalServerError", None, "unclear"),
        (502, "UnknownError", None, "unclear"),
        (504, "UnknownError", None, "unclear"),
        (302, "", None, "unclear"),
        (204, "", None, "unclear"),
    ],
)
async def test_an_error_is_given_once_and_nothing_is_repeated(  # noqa: PLR0913, PLR0917 - a row of the table
    writer_setup: WriterSetup,
    writer: BookingWriter,
    kind: str,
    status: int,
    code: str,
    retry_after: str | None,
    expected: str,
) -> None:
    order = await order_of(kind, writer_setup, writer)
    before, calendar = len(writer_setup.writes), writer_setup.meetings()
    if (kind, status) == ("withdraw", 204):
        expected = "written"
    writer_setup.tenant.faults.status(status, code=code, retry_after=retry_after, where=Where.WRITE)
    result = await writer.write(order)
    assert outcome(result) == expected
    assert len(writer_setup.writes) == before + 1
    assert writer_setup.meetings() == calendar
    if isinstance(result, NotWritten):
        assert result.problem.text == f"{status} {code}"
        assert result.problem.retry_after == (float(retry_after) if retry_after else None)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cut_connection_is_unclear_whether_it_was_done_or_not(
    writer_setup: WriterSetup, writer: BookingWriter, kind: str
) -> None:
    faults = writer_setup.tenant.faults
    order = await order_of(kind, writer_setup, writer)
    before, calendar = len(writer_setup.writes), writer_setup.meetings()
    faults.drop(where=Where.WRITE, times=1)
    assert outcome(await writer.write(order)) == "unclear"
    assert writer_setup.meetings() == calendar
    faults.lost_answer(times=1)
    assert outcome(await writer.write(order)) == "unclear"
    assert writer_setup.meetings() != calendar
    assert len(writer_setup.writes) == before + 2


@pytest.mark.parametrize("status", [200, 502, 504])
async def test_the_page_of_a_gateway_is_unclear(
    writer_setup: WriterSetup, writer: BookingWriter, status: int
) -> None:
    writer_setup.tenant.faults.lost_answer(status=status)
    assert outcome(await writer.write(BOOK)) == "unclear"
    assert len(writer_setup.meetings()) == 1


@pytest.mark.parametrize("fault", ["html", "empty"])
async def test_a_success_without_the_event_is_unclear(
    writer_setup: WriterSetup, writer: BookingWriter, fault: Literal["html", "empty"]
) -> None:
    getattr(writer_setup.tenant.faults, fault)(status=201, where=Where.WRITE)
    assert outcome(await writer.write(BOOK)) == "unclear"


async def test_a_write_that_takes_too_long_is_unclear(
    writer_setup: WriterSetup, writer: BookingWriter, held_sleep: HeldSleep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "TIMEOUT", 0.2)
    await writer.look(ROOM, at(0), at(24))
    writer_setup.tenant.faults.delay(60, where=Where.WRITE)
    assert outcome(await writer.write(BOOK)) == "unclear"
    await held_sleep.let_go()
    assert len(writer_setup.meetings()) == 1


async def test_what_was_never_sent_is_unavailable(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    await writer.look(ROOM, at(0), at(24))
    async with writer_setup.driver_setup.simulator.outage():
        assert outcome(await writer.write(BOOK)) == "unavailable"
    assert outcome(await writer.write(BOOK)) == "written"


async def test_without_a_sign_in_nothing_is_sent(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    writer_setup.app.disabled = True
    assert outcome(await writer.write(BOOK)) == "forbidden"
    assert writer_setup.writes == []


async def test_a_refused_token_is_replaced_and_the_write_is_left_to_the_caller(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    await writer.look(ROOM, at(0), at(24))
    writer_setup.tenant.expire_tokens(writer_setup.app)
    assert outcome(await writer.write(BOOK)) == "unavailable"
    assert outcome(await writer.write(BOOK)) == "written"
    assert len(writer_setup.writes) == 2


async def test_a_token_that_is_refused_again_is_forbidden(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.faults.token_refused(times=None)
    outcomes = [outcome(await writer.write(BOOK)) for _ in range(2)]
    assert outcomes == ["unavailable", "forbidden"]


async def test_a_meeting_that_changed_since_it_was_looked_at_stays(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    meeting = writer_setup.tenant.book(BOARDROOM, at(7), at(9))
    booking = await writer_setup.booking(writer)
    writer_setup.tenant.move(meeting, at(8), at(10))
    assert outcome(await writer.write(Shorten("k", ROOM, booking, at(8)))) == "changed"
    assert writer_setup.tenant.meeting(meeting).end == at(10)


async def test_a_booking_that_changed_since_it_was_looked_at_is_not_withdrawn(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    await writer.write(BOOK)
    booking = await writer_setup.booking(writer)
    writer_setup.tenant.move(writer_setup.meetings()[0].id, at(10), at(10, 30))
    assert outcome(await writer.write(Withdraw("k", ROOM, booking))) == "changed"
    assert len(writer_setup.meetings()) == 1


@pytest.mark.parametrize("kind", ["shorten", "release"])
async def test_a_meeting_that_was_deleted_meanwhile_is_gone(
    writer_setup: WriterSetup, writer: BookingWriter, kind: str
) -> None:
    order = await order_of(kind, writer_setup, writer)
    writer_setup.tenant.delete(writer_setup.meetings()[0].id)
    assert outcome(await writer.write(order)) == "gone"


async def test_a_mailbox_that_does_not_exist_is_unavailable_for_a_booking(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.remove_room(BOARDROOM)
    assert outcome(await writer.write(BOOK)) == "unavailable"


@pytest.mark.parametrize(("known", "expected"), [(400, "duplicate"), (409, "duplicate"), (201, "written")])
async def test_one_key_never_makes_two_bookings(
    writer_setup: WriterSetup, writer: BookingWriter, known: Literal[400, 409, 201], expected: str
) -> None:
    writer_setup.tenant.undocumented.known_transaction = known
    assert outcome(await writer.write(BOOK)) == "written"
    assert outcome(await writer_setup.open().write(BOOK)) == expected
    assert len(writer_setup.meetings()) == 1


async def test_a_service_that_refuses_an_attendees_change_is_reported(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    writer_setup.tenant.undocumented.attendee_patch = "refused"
    order = await order_of("shorten", writer_setup, writer)
    result = await writer.write(order)
    assert outcome(result) == "forbidden"
    assert isinstance(result, NotWritten)
    assert result.problem.text == "400 ErrorInvalidPropertySet"
    await writer.write(BOOK)
    mine = next(one for one in await writer.look(ROOM, at(0), at(24)) if one.made_with)
    assert outcome(await writer.write(Shorten("k", ROOM, mine, at(10, 5)))) == "written"


async def test_every_write_that_was_sent_has_a_reference_of_its_own(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    faults = writer_setup.tenant.faults
    written = await writer.write(BOOK)
    faults.status(412, code="ErrorIrresolvableConflict", where=Where.WRITE, times=1)
    refused = await writer.write(BOOK)
    faults.drop(where=Where.WRITE, times=1)
    unclear = await writer.write(BOOK)
    references = {written.reference, refused.reference, unclear.reference}
    assert len(references) == 3
    assert all(UUID(reference) for reference in references)
    writer_setup.app.disabled = True
    assert (await writer_setup.open().write(BOOK)).reference == ""
