"""Finding rooms: a list, a group, a room list, all rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.driver import Consent, DriverError, FoundRoom, NotPermitted, Unavailable, UnexpectedAnswer
from placed_microsoft365.graph.json_structs import Places
from placed_microsoft365.simulator import Kind, Where
from placed_microsoft365.simulator.faults.fault import Fault
from tests.drivers.microsoft365.driver_setup import ADDRESSES, BOARDROOM, DriverSetup

if TYPE_CHECKING:
    from collections.abc import Sequence


GROUP: dict[str, Any] = {"rooms": None, "room_group": "placed-rooms@contoso.example"}
ALL: dict[str, Any] = {"rooms": None, "room_list": "*"}


def addresses(rooms: Sequence[FoundRoom]) -> list[str]:
    return sorted(room.address for room in rooms)


def many(driver_setup: DriverSetup, number: int) -> list[str]:
    """More rooms, in no group yet."""
    return [driver_setup.tenant.add_room(f"room-{n:05}").address for n in range(number)]


async def test_a_list_needs_no_question(driver_setup: DriverSetup) -> None:
    rooms = await driver_setup.open().find_rooms()
    assert rooms == [FoundRoom(address, address) for address in ADDRESSES]
    assert driver_setup.simulator.requests == []


async def test_the_members_of_the_group_are_known_by_their_object_ids(driver_setup: DriverSetup) -> None:
    rooms = await driver_setup.open(**GROUP).find_rooms()
    ids = {driver_setup.tenant.mailbox(address).user_id for address in ADDRESSES}
    assert addresses(rooms) == list(ADDRESSES)
    assert {room.mailbox for room in rooms} == ids


async def test_a_group_may_be_named_by_its_id(driver_setup: DriverSetup) -> None:
    group = driver_setup.tenant.group("placed-rooms").group_id
    assert addresses(await driver_setup.open(rooms=None, room_group=group).find_rooms()) == list(ADDRESSES)
    assert not driver_setup.asked("$filter")


async def test_a_missing_group_is_reported(driver_setup: DriverSetup) -> None:
    with pytest.raises(NotPermitted, match="not found") as error:
        await driver_setup.open(rooms=None, room_group="o'neill & sons@contoso.example").find_rooms()
    assert "room_group" in error.value.problem.remedy
    with pytest.raises(NotPermitted, match="404"):
        await driver_setup.open(rooms=None, room_group="00000000-0000-0000-0000-000000000000").find_rooms()


async def test_nested_and_large_groups_are_found_whole(driver_setup: DriverSetup) -> None:
    tenant = driver_setup.tenant
    rooms = many(driver_setup, 1100)
    tenant.add_group("floor", members=rooms[:600])
    tenant.add_group("wing", members=["floor", *rooms[500:]])
    tenant.add_member("placed-rooms", "wing")
    found = await driver_setup.open(**GROUP).find_rooms()
    assert addresses(found) == sorted([*ADDRESSES, *rooms])
    assert len(driver_setup.asked("transitiveMembers")) == 2


async def test_places_describe_a_room(driver_setup: DriverSetup) -> None:
    rooms = await driver_setup.open(**ALL).find_rooms()
    assert rooms[0] == FoundRoom(
        BOARDROOM, BOARDROOM, "Boardroom", "HQ", "3", 12, object_id=rooms[0].object_id
    )
    ids = [room.object_id for room in rooms]
    driver_setup.tenant.change_address(BOARDROOM, "big-room")
    assert [room.object_id for room in await driver_setup.open(**ALL).find_rooms()] == ids


async def test_a_capacity_may_be_text(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.sloppy_places = True
    assert [room.capacity for room in await driver_setup.open(**ALL).find_rooms()] == [12, 12]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("number", [98, 99, 1148])
async def test_all_rooms_are_found_with_and_without_next_links(
    driver_setup: DriverSetup, number: int, *, links: bool
) -> None:
    rooms = many(driver_setup, number)
    if not links:
        driver_setup.tenant.faults.no_next_link()
    assert addresses(await driver_setup.open(**ALL).find_rooms()) == sorted([*ADDRESSES, *rooms])


async def test_places_on_short_pages_are_all_read(driver_setup: DriverSetup) -> None:
    rooms = many(driver_setup, 30)
    driver = driver_setup.open(**ALL)
    plain = driver._graph.get

    async def short(url: str, *rest: object) -> object:
        return await plain(url.replace("$top=100", "$top=7"), *rest)  # type: ignore[arg-type]

    driver._graph.get = short  # type: ignore[method-assign,assignment]
    assert addresses(await driver.find_rooms()) == sorted([*ADDRESSES, *rooms])


async def test_the_rooms_of_a_list_are_found(driver_setup: DriverSetup) -> None:
    many(driver_setup, 3)
    driver_setup.tenant.add_room_list("hq", rooms=ADDRESSES)
    assert addresses(
        await driver_setup.open(rooms=None, room_list="hq@contoso.example").find_rooms()
    ) == list(ADDRESSES)


@pytest.mark.parametrize(("settings", "role"), [(GROUP, "GroupMember.Read.All"), (ALL, "Place.Read.All")])
async def test_a_missing_permission_is_reported(
    driver_setup: DriverSetup, settings: dict[str, Any], role: str
) -> None:
    driver_setup.tenant.revoke(driver_setup.app, role)
    with pytest.raises(NotPermitted, match="403") as error:
        await driver_setup.open(**settings).find_rooms()
    assert "consented" in error.value.problem.remedy


@pytest.mark.parametrize("settings", [GROUP, ALL])
async def test_a_token_that_is_refused_is_no_missing_permission(
    driver_setup: DriverSetup, settings: dict[str, Any]
) -> None:
    """As after a change of the account: the second token within a minute is refused, too."""
    driver = driver_setup.open(**settings)
    driver_setup.tenant.faults.token_refused(times=2)
    with pytest.raises(NotPermitted, match="401 InvalidAuthenticationToken") as error:
        await driver.find_rooms()
    problem = error.value.problem
    assert (problem.remedy, problem.lasting, error.value.consent) == ("", False, Consent.UNKNOWN)
    await driver.find_rooms()


@pytest.mark.parametrize(("settings", "where"), [(GROUP, Where.GROUPS), (ALL, Where.PLACES)])
@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.HTML, Kind.EMPTY, Kind.DROP, Kind.TRUNCATED])
async def test_a_directory_in_trouble_is_a_driver_s_error(
    driver_setup: DriverSetup, settings: dict[str, Any], where: Where, kind: Kind
) -> None:
    status = 200 if kind in (Kind.HTML, Kind.EMPTY) else 503
    driver_setup.tenant.faults.add(Fault(kind=kind, where=where, status=status))
    with pytest.raises(DriverError) as error:
        await driver_setup.open(**settings).find_rooms()
    wanted = Unavailable if kind in (Kind.STATUS, Kind.DROP) else UnexpectedAnswer
    assert type(error.value) is wanted


@pytest.mark.parametrize("where", [Where.GROUPS, Where.PLACES])
async def test_a_throttled_directory_error_carries_retry_after(
    driver_setup: DriverSetup, where: Where
) -> None:
    driver_setup.tenant.faults.throttled(retry_after="12.5", where=where)
    with pytest.raises(Unavailable) as error:
        await driver_setup.open(**(GROUP if where is Where.GROUPS else ALL)).find_rooms()
    assert error.value.problem.retry_after == 12.5


async def test_rooms_without_addresses_are_not_taken_for_none(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(**ALL)
    plain = driver._graph.get

    async def nameless(url: str, *rest: Any) -> object:
        page: Any = await plain(url, *rest)
        for place in page.value:
            place.email_address = None
        return page

    driver._graph.get = nameless  # type: ignore[method-assign,assignment]
    with pytest.raises(NotPermitted, match="none of them has an e-mail address"):
        await driver.find_rooms()


@pytest.mark.parametrize("settings", [GROUP, ALL])
async def test_pages_without_an_end_come_to_one(driver_setup: DriverSetup, settings: dict[str, Any]) -> None:
    driver = driver_setup.open(**settings)
    plain = driver._graph.get

    async def endless(url: str, shape: type, *rest: Any) -> object:
        page: Any = await plain(url, shape, *rest)
        page.next_link = f"{driver_setup.simulator.url}/v1.0/places/microsoft.graph.room?$skip=0"
        if shape is not Places:
            page.next_link = f"{driver_setup.simulator.url}/v1.0/groups?$top=7"
        return page

    driver._graph.get = endless  # type: ignore[method-assign,assignment]
    with pytest.raises(UnexpectedAnswer, match="without an end"):
        await driver.find_rooms()


async def test_rooms_that_come_and_go_are_found_out(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(**GROUP)
    await driver.find_rooms()
    new = driver_setup.tenant.add_room("annex")
    driver_setup.tenant.add_member("placed-rooms", new)
    driver_setup.tenant.remove_room(BOARDROOM)
    assert addresses(await driver.find_rooms()) == ["annex@contoso.example", ADDRESSES[1]]
