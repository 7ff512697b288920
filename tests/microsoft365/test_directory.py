"""Finding rooms: a list, a group, a room list, all rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.driver import DriverError, FoundRoom, NotPermitted, Unavailable
from placed_microsoft365.answers import UnexpectedAnswer
from placed_microsoft365.simulator import Kind, Where
from placed_microsoft365.simulator.faults import Fault
from placed_microsoft365.wire import Places
from tests.microsoft365.house import ADDRESSES, BOARDROOM, House

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUP: dict[str, Any] = {"rooms": None, "room_group": "placed-rooms@contoso.example"}
ALL: dict[str, Any] = {"rooms": None, "room_list": "*"}


def addresses(rooms: Sequence[FoundRoom]) -> list[str]:
    return sorted(room.address for room in rooms)


def many(house: House, number: int) -> list[str]:
    """More rooms, in no group yet."""
    return [house.tenant.add_room(f"room-{n:05}").address for n in range(number)]


async def test_a_list_needs_no_question(house: House) -> None:
    rooms = await house.open().find_rooms()
    assert rooms == [FoundRoom(address, address) for address in ADDRESSES]
    assert house.simulator.requests == []


async def test_the_members_of_the_group_are_known_by_their_object_ids(house: House) -> None:
    rooms = await house.open(**GROUP).find_rooms()
    ids = {house.tenant.mailbox(address).user_id for address in ADDRESSES}
    assert addresses(rooms) == list(ADDRESSES)
    assert {room.mailbox for room in rooms} == ids


async def test_a_group_may_be_named_by_its_id(house: House) -> None:
    group = house.tenant.group("placed-rooms").group_id
    assert addresses(await house.open(rooms=None, room_group=group).find_rooms()) == list(ADDRESSES)
    assert not house.asked("$filter")


async def test_a_group_that_is_not_there_is_told(house: House) -> None:
    with pytest.raises(NotPermitted, match="not found") as error:
        await house.open(rooms=None, room_group="o'neill & sons@contoso.example").find_rooms()
    assert "room_group" in error.value.remedy
    with pytest.raises(NotPermitted, match="404"):
        await house.open(rooms=None, room_group="00000000-0000-0000-0000-000000000000").find_rooms()


async def test_nested_and_large_groups_are_found_whole(house: House) -> None:
    tenant = house.tenant
    rooms = many(house, 1100)
    tenant.add_group("floor", members=rooms[:600])
    tenant.add_group("wing", members=["floor", *rooms[500:]])
    tenant.add_member("placed-rooms", "wing")
    found = await house.open(**GROUP).find_rooms()
    assert addresses(found) == sorted([*ADDRESSES, *rooms])
    assert len(house.asked("transitiveMembers")) == 2


async def test_places_tell_what_a_room_is(house: House) -> None:
    rooms = await house.open(**ALL).find_rooms()
    assert rooms[0] == FoundRoom(BOARDROOM, BOARDROOM, "Boardroom", "HQ", "3", 12)


async def test_a_capacity_may_be_text(house: House) -> None:
    house.tenant.sloppy_places = True
    assert [room.capacity for room in await house.open(**ALL).find_rooms()] == [12, 12]


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("number", [98, 99, 1148])
async def test_all_rooms_are_found_with_and_without_next_links(
    house: House, number: int, *, links: bool
) -> None:
    rooms = many(house, number)
    if not links:
        house.tenant.faults.no_next_link()
    assert addresses(await house.open(**ALL).find_rooms()) == sorted([*ADDRESSES, *rooms])


async def test_places_on_pages_shorter_than_asked_for_are_followed(house: House) -> None:
    rooms = many(house, 30)
    driver = house.open(**ALL)
    plain = driver._graph.get

    async def short(url: str, *rest: object) -> object:
        return await plain(url.replace("$top=100", "$top=7"), *rest)  # type: ignore[arg-type]

    driver._graph.get = short  # type: ignore[method-assign,assignment]
    assert addresses(await driver.find_rooms()) == sorted([*ADDRESSES, *rooms])


async def test_the_rooms_of_a_list_are_found(house: House) -> None:
    many(house, 3)
    house.tenant.add_room_list("hq", rooms=ADDRESSES)
    assert addresses(await house.open(rooms=None, room_list="hq@contoso.example").find_rooms()) == list(
        ADDRESSES
    )


@pytest.mark.parametrize(("settings", "role"), [(GROUP, "GroupMember.Read.All"), (ALL, "Place.Read.All")])
async def test_a_missing_permission_is_told(house: House, settings: dict[str, Any], role: str) -> None:
    house.tenant.revoke(house.app, role)
    with pytest.raises(NotPermitted, match="403") as error:
        await house.open(**settings).find_rooms()
    assert "consented" in error.value.remedy


@pytest.mark.parametrize(("settings", "where"), [(GROUP, Where.GROUPS), (ALL, Where.PLACES)])
@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.HTML, Kind.EMPTY, Kind.DROP, Kind.TRUNCATED])
async def test_a_directory_in_trouble_is_a_driver_s_error(
    house: House, settings: dict[str, Any], where: Where, kind: Kind
) -> None:
    status = 200 if kind in (Kind.HTML, Kind.EMPTY) else 503
    house.tenant.faults.add(Fault(kind=kind, where=where, status=status))
    with pytest.raises(DriverError) as error:
        await house.open(**settings).find_rooms()
    wanted = Unavailable if kind in (Kind.STATUS, Kind.DROP) else UnexpectedAnswer
    assert type(error.value) is wanted


@pytest.mark.parametrize("where", [Where.GROUPS, Where.PLACES])
async def test_a_throttled_directory_says_for_how_long(house: House, where: Where) -> None:
    house.tenant.faults.throttled(retry_after="12.5", where=where)
    with pytest.raises(Unavailable) as error:
        await house.open(**(GROUP if where is Where.GROUPS else ALL)).find_rooms()
    assert error.value.retry_after == 12.5


@pytest.mark.parametrize("settings", [GROUP, ALL])
async def test_pages_without_an_end_come_to_one(house: House, settings: dict[str, Any]) -> None:
    driver = house.open(**settings)
    plain = driver._graph.get

    async def endless(url: str, shape: type, *rest: Any) -> object:
        page: Any = await plain(url, shape, *rest)
        page.next_link = f"{house.simulator.url}/v1.0/places/microsoft.graph.room?$skip=0"
        if shape is not Places:
            page.next_link = f"{house.simulator.url}/v1.0/groups?$top=7"
        return page

    driver._graph.get = endless  # type: ignore[method-assign,assignment]
    with pytest.raises(UnexpectedAnswer, match="without an end"):
        await driver.find_rooms()


async def test_rooms_that_come_and_go_are_found_out(house: House) -> None:
    driver = house.open(**GROUP)
    await driver.find_rooms()
    new = house.tenant.add_room("annex")
    house.tenant.add_member("placed-rooms", new)
    house.tenant.remove_room(BOARDROOM)
    assert addresses(await driver.find_rooms()) == ["annex@contoso.example", ADDRESSES[1]]
