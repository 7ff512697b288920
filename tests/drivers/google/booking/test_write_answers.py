"""What the writer makes of each answer: done, certainly not done, or unclear. It never repeats a write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.driver import Book, BookingWriter, NotWritten, Release, Shorten, Withdraw
from placed_google.booking import writer as writer_module
from placed_google.simulator import Where
from tests.drivers.google.booking.writer_setup import ROOM, WriterSetup, outcome
from tests.drivers.google.driver_setup import BOARDROOM, at

if TYPE_CHECKING:
    from placed.driver import Order

BOOK = Book("6f0c", ROOM, at(10), at(11), "Booked at the room")
KINDS = ("book", "shorten", "release", "withdraw")


@pytest.fixture
def writer(writer_setup: WriterSetup) -> BookingWriter:
    writer_setup.workspace.answers.copies_have_times_of_their_own = True
    return writer_setup.open()


async def order_of(kind: str, writer_setup: WriterSetup, writer: BookingWriter) -> Order:
    """An order about a running meeting, or a booking beside it."""
    if kind == "book":
        return BOOK
    if kind == "withdraw":
        await writer.write(BOOK)
    else:
        writer_setup.workspace.book(BOARDROOM, at(7), at(9))
    booking = await writer_setup.booking(writer)
    if kind == "shorten":
        return Shorten("k", ROOM, booking, at(8))
    return Withdraw("k", ROOM, booking) if kind == "withdraw" else Release("k", ROOM, booking, "Nobody came")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("status", "reason", "retry_after", "expected"),
    [
        (400, "invalid", None, "forbidden"),
        (403, "requiredAccessLevel", None, "forbidden"),
        (403, "insufficientPermissions", None, "forbidden"),
        (403, "rateLimitExceeded", "2.5", "throttled"),
        (403, "quotaExceeded", "2.5", "throttled"),
        (429, "rateLimitExceeded", None, "throttled"),
        (404, "notFound", None, "gone"),
        (410, "deleted", None, "gone"),
        (409, "duplicate", None, "changed"),
        (412, "conditionNotMet", None, "changed"),
        (408, "", None, "unclear"),
        (500, "backendError", None, "unclear"),
        (501, "notImplemented", None, "unavailable"),
        (505, "notSupported", None, "unavailable"),
        (502, "", None, "unclear"),
        (503, "backendError", "2.5", "unclear"),
        (504, "", None, "unclear"),
    ],
)
async def test_an_error_is_given_once_and_nothing_is_repeated(  # noqa: PLR0913, PLR0917 - a row of the table
    writer_setup: WriterSetup,
    writer: BookingWriter,
    kind: str,
    status: int,
    reason: str,
    retry_after: str | None,
    expected: str,
) -> None:
    order = await order_of(kind, writer_setup, writer)
    before, calendar = len(writer_setup.writes), writer_setup.events()
    if kind == "book":  # there is no event yet: its calendar is not shared, or its id is taken
        expected = {404: "forbidden", 410: "forbidden", 409: "duplicate"}.get(status, expected)
    writer_setup.workspace.faults.status(status, reason=reason, retry_after=retry_after, where=Where.API)
    result = await writer.write(order)
    assert outcome(result) == expected
    assert len(writer_setup.writes) == before + 1
    assert writer_setup.events() == calendar
    if isinstance(result, NotWritten):
        assert result.problem.text == f"{status} {reason}"
        if retry_after is not None:
            assert result.problem.retry_after == float(retry_after)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cut_connection_is_unclear_and_not_repeated(
    writer_setup: WriterSetup, writer: BookingWriter, kind: str
) -> None:
    order = await order_of(kind, writer_setup, writer)
    before = len(writer_setup.writes)
    writer_setup.workspace.faults.drop()
    assert outcome(await writer.write(order)) == "unclear"
    assert len(writer_setup.writes) == before + 1


@pytest.mark.parametrize("kind", KINDS)
async def test_no_answer_in_time_is_unclear(
    writer_setup: WriterSetup, writer: BookingWriter, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await order_of(kind, writer_setup, writer)
    monkeypatch.setattr(writer_module, "TIMEOUT", 0.0)
    assert outcome(await writer.write(order)) == "unclear"


async def test_the_page_of_a_gateway_is_unclear(writer_setup: WriterSetup, writer: BookingWriter) -> None:
    writer_setup.workspace.faults.html(status=200, where=Where.API)
    assert outcome(await writer.write(BOOK)) == "unclear"


@pytest.mark.parametrize("kind", ["shorten", "release", "withdraw"])
async def test_another_version_than_the_one_that_was_looked_at_is_left_alone(
    writer_setup: WriterSetup, writer: BookingWriter, kind: str
) -> None:
    order = await order_of(kind, writer_setup, writer)
    (event,) = writer_setup.events()
    writer_setup.workspace.move(event.id, at(12), at(13))
    assert outcome(await writer.write(order)) == "changed"
    assert [(one.start, one.end) for one in writer_setup.events()] == [(at(12), at(13))]


async def test_nothing_is_sent_without_a_token(writer_setup: WriterSetup) -> None:
    writer = writer_setup.open()
    writer_setup.workspace.remove_account(writer_setup.account)
    assert outcome(await writer.write(BOOK)) == "forbidden"
    assert writer_setup.writes == []


async def test_a_refused_token_is_replaced_at_the_next_request(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    await writer.look(ROOM, at(0), at(24))
    writer_setup.workspace.faults.bad_credentials()
    assert outcome(await writer.write(BOOK)) == "unavailable"
    assert outcome(await writer.write(BOOK)) == "written"


@pytest.mark.parametrize("status", [0, 502, 504])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_write_whose_answer_is_lost_is_done_and_unclear(
    writer_setup: WriterSetup, writer: BookingWriter, kind: str, status: int
) -> None:
    order = await order_of(kind, writer_setup, writer)
    before = [(event.id, event.end) for event in writer_setup.events()]
    writer_setup.workspace.faults.lost_answer(status=status)
    sent = len(writer_setup.writes)
    assert outcome(await writer.write(order)) == "unclear"
    assert len(writer_setup.writes) == sent + 1
    assert [(event.id, event.end) for event in writer_setup.events()] != before
    if kind == "book":
        writer_setup.workspace.faults.clear()
        assert outcome(await writer.write(order)) == "duplicate"


async def test_what_was_written_is_found_by_its_id_in_googles_log(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    result = await writer.write(BOOK)
    (event,) = writer_setup.events()
    assert (outcome(result), result.reference) == ("written", event.id)
    booking = await writer_setup.booking(writer)
    writer_setup.workspace.faults.lost_answer(times=1)
    result = await writer.write(Withdraw("k", ROOM, booking))
    assert (outcome(result), result.reference) == ("unclear", event.id)


async def test_the_id_of_a_persons_event_is_no_reference(
    writer_setup: WriterSetup, writer: BookingWriter
) -> None:
    result = await writer.write(await order_of("release", writer_setup, writer))
    assert (outcome(result), result.reference) == ("written", "")
