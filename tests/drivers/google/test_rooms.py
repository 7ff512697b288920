"""Which rooms there are: the list of the settings, or the directory's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from placed.driver import NotPermitted, Unavailable, UnexpectedAnswer
from placed_google.simulator import Where
from tests.drivers.google.driver_setup import ADA, BOARDROOM, LIBRARY

if TYPE_CHECKING:
    from placed_google import Google
    from placed_google.api.reply import Reply
    from tests.drivers.google.driver_setup import DriverSetup


def with_directory(driver_setup: DriverSetup, **changes: object) -> Google:
    driver_setup.account.reads_directory = True
    customer = driver_setup.workspace.customer_id
    return driver_setup.open(rooms=None, customer=customer, **changes)  # type: ignore[arg-type]


async def test_a_list_needs_no_directory_and_its_addresses_mean_nothing(driver_setup: DriverSetup) -> None:
    found = await driver_setup.open(rooms=(BOARDROOM.upper(), LIBRARY)).find_rooms()
    assert [room.mailbox for room in found] == [BOARDROOM, LIBRARY]
    assert all(room.opaque_address and room.name is None for room in found)
    assert driver_setup.simulator.requests == []


async def test_the_directory_names_rooms_buildings_and_floors(driver_setup: DriverSetup) -> None:
    boardroom, library = sorted(
        await with_directory(driver_setup).find_rooms(), key=lambda room: room.mailbox
    )
    assert (boardroom.mailbox, boardroom.name) == (BOARDROOM, "Boardroom")
    assert (boardroom.building, boardroom.floor, boardroom.capacity) == ("HQ", "3", 12)
    assert (library.name, library.capacity) == ("Library", 4)
    assert boardroom.opaque_address


async def test_other_resources_are_no_rooms(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.add_room("Projector", category="OTHER")
    found = await with_directory(driver_setup).find_rooms()
    assert {room.name for room in found} == {"Boardroom", "Library"}


async def test_a_query_selects_rooms(driver_setup: DriverSetup) -> None:
    found = await with_directory(driver_setup, room_query="capacity>10").find_rooms()
    assert [room.name for room in found] == ["Boardroom"]


@pytest.mark.slow  # hundreds of rooms
async def test_all_pages_of_the_directory_are_read(driver_setup: DriverSetup) -> None:
    for number in range(600):
        driver_setup.workspace.add_room(f"Room {number}")
    assert len(await with_directory(driver_setup).find_rooms()) == 602


async def test_a_directory_that_is_down_refuses_nobody(driver_setup: DriverSetup) -> None:
    driver = with_directory(driver_setup)
    driver_setup.workspace.faults.status(503, where=Where.DIRECTORY)
    with pytest.raises(Unavailable):
        await driver.find_rooms()


async def test_a_customer_that_is_not_ours_is_reported(driver_setup: DriverSetup) -> None:
    driver_setup.account.reads_directory = True
    with pytest.raises(NotPermitted) as caught:
        await driver_setup.open(rooms=None, customer="C0nobody").find_rooms()
    assert "customer" in caught.value.problem.remedy
    driver_setup.workspace.answers.customer_id_works_for_roles = False
    with pytest.raises(NotPermitted):
        await with_directory(driver_setup).find_rooms()


async def test_the_time_zone_of_a_calendar_is_known_once_it_was_read(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.calendar(BOARDROOM).zone = "Europe/Berlin"
    driver = driver_setup.open()
    assert {room.time_zone for room in await driver.find_rooms()} == {None}
    await driver_setup.read(driver)
    assert {room.time_zone for room in await driver.find_rooms()} == {"Europe/Berlin", "UTC"}
    chosen = driver_setup.open(time_zone="Asia/Tokyo")
    await driver_setup.read(chosen)
    assert {room.time_zone for room in await chosen.find_rooms()} == {None}


async def test_a_subject_reads_what_colleagues_may_read(driver_setup: DriverSetup) -> None:
    """No room is shared with the service account."""
    scope = "https://www.googleapis.com/auth/calendar.events.readonly"
    driver_setup.workspace.delegate(driver_setup.account, scope)
    for room in (BOARDROOM, LIBRARY):
        driver_setup.workspace.unshare(room, driver_setup.account)
    driver = driver_setup.open(subject=ADA)
    assert {type(answer).__name__ for answer in await driver_setup.read(driver)} == {"Read"}


@pytest.mark.parametrize("listed", ["calendars", "buildings"])
async def test_json_that_is_no_page_of_the_directory_removes_no_room(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch, listed: str
) -> None:
    """A gateway may answer 200 with JSON of its own; an organisation without rooms is another answer."""
    driver = with_directory(driver_setup)
    ask = driver._clients.directory.ask

    async def answer(method: str, path: str, *rest: Any) -> Reply:
        found = await ask(method, path, *rest)
        return replace(found, body=b'{"status":"ok"}') if f"/{listed}?" in path else found

    monkeypatch.setattr(driver._clients.directory, "ask", answer)
    with pytest.raises(UnexpectedAnswer, match="no page of the directory"):
        await driver.find_rooms()


async def test_an_organisation_without_rooms_has_none(driver_setup: DriverSetup) -> None:
    assert await with_directory(driver_setup, room_query="capacity>1000").find_rooms() == []
