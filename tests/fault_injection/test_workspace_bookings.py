"""What the daemon writes to a Google Workspace is recorded as the action oracle judges it."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed.driver import Book, Release, Shorten, Surroundings, Withdraw, Written
from placed_google import Google
from placed_google.settings import GoogleSettings
from placed_google.simulator import Simulator, Workspace
from placed_google.simulator.scenario.daemon_access import let_in
from tests.drivers.google.driver_setup import room_of
from tests.fault_injection.tenant_ledger import WriteKind
from tests.fault_injection.workspace_bookings import ACTING, WorkspaceBookings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from placed.driver import Booking, BookingWriter, Order

NOW = datetime(2026, 12, 2, 8, tzinfo=UTC)
NAME = ACTING.lively[0]
HOUR = timedelta(hours=1)


@pytest.fixture
def bookings() -> WorkspaceBookings:
    workspace = Workspace(now=lambda: NOW)
    workspace.add_person("ada")
    workspace.token_clock = lambda: NOW
    return WorkspaceBookings(workspace)


@pytest.fixture
async def writer(bookings: WorkspaceBookings, tmp_path: Path) -> AsyncIterator[BookingWriter]:
    """As the daemon opens it, from the table."""
    simulator = Simulator(bookings._workspace)
    async with simulator:
        table = let_in(simulator, tmp_path) + bookings.let_write(simulator, tmp_path)
        settings = GoogleSettings(**tomllib.loads(table)["connections"][0])
        surroundings = Surroundings(lambda: NOW, 2, details=False, version="1", steady=lambda: 0.0)
        found = Google.open_writer(settings, surroundings)
        yield found
        await found.close()


async def test_each_kind_of_write_is_recorded_with_the_key_of_its_command(
    bookings: WorkspaceBookings, writer: BookingWriter
) -> None:
    room = room_of(bookings.rooms[0].address)

    async def write(order: Callable[[Booking], Order]) -> None:
        (booking,) = await writer.look(room, NOW - HOUR, NOW + HOUR)
        assert isinstance(await writer.write(order(booking)), Written)

    async def book(key: str) -> None:
        order = Book(key, room, NOW, NOW + HOUR / 2, "Booked at the room")
        assert isinstance(await writer.write(order), Written)

    await book("a")
    await write(lambda booking: Shorten("b", room, booking, NOW + HOUR / 4))
    await write(lambda booking: Release("c", room, booking, ""))
    await book("d")
    await write(lambda booking: Withdraw("d", room, booking))
    bookings.book(NAME, NOW, NOW + HOUR)
    await write(lambda booking: Release("e", room, booking, ""))
    assert [(write.kind, write.key, write.new_end) for write in bookings.writes] == [
        (WriteKind.CREATED, "a", NOW + HOUR / 2),
        (WriteKind.RETIMED, "a", NOW + HOUR / 4),
        (WriteKind.CANCELLED, "a", None),
        (WriteKind.CREATED, "d", NOW + HOUR / 2),
        (WriteKind.DELETED, "d", None),
        (WriteKind.DECLINED, None, None),
    ]
    assert {write.room for write in bookings.writes} == {NAME}


async def test_what_runs_and_what_a_key_has_booked_is_known_as_people_see_it(
    bookings: WorkspaceBookings, writer: BookingWriter
) -> None:
    room = room_of(bookings.rooms[0].address)
    assert isinstance(await writer.write(Book("a", room, NOW, NOW + HOUR, "")), Written)
    assert bookings.holds(NAME, "a")
    assert not bookings.holds(NAME, "b")
    assert bookings.runs(NAME, NOW, NOW + HOUR / 2)
    assert not bookings.runs(NAME, NOW, NOW + HOUR)
    (meeting,) = bookings.meetings(NAME)
    bookings.move(meeting.id, NOW + HOUR, NOW + 2 * HOUR)
    assert not bookings.runs(NAME, NOW, NOW)
    bookings.delete(meeting.id)
    assert not bookings.holds(NAME, "a")
