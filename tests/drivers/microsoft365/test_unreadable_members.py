"""Members of the room group that the application may not read are named in other ways."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from placed.driver import NotPermitted, UnexpectedAnswer
from placed_microsoft365.graph.response import Answer
from placed_microsoft365.simulator import Kind, Where
from placed_microsoft365.simulator.faults.fault import Fault
from tests.drivers.microsoft365.driver_setup import ADDRESSES, DriverSetup
from tests.drivers.microsoft365.test_rooms import GROUP, addresses, many


async def test_members_without_an_address_are_named_by_their_calendars(driver_setup: DriverSetup) -> None:
    """As Graph answers where GroupMember.Read.All is the only permission on the directory."""
    driver_setup.tenant.hides_users = True
    driver = driver_setup.open(**GROUP)
    rooms = await driver.find_rooms()
    ids = {driver_setup.tenant.mailbox(address).user_id for address in ADDRESSES}
    assert {room.mailbox for room in rooms} == {room.object_id for room in rooms} == ids
    assert {room.address: room.name for room in rooms} == {
        address: driver_setup.tenant.mailbox(address).name for address in ADDRESSES
    }
    asked = len(driver_setup.asked("$batch"))
    assert await driver.find_rooms() == rooms
    assert len(driver_setup.asked("$batch")) == asked  # what is known is not asked for again


async def test_more_members_without_an_address_than_a_batch_holds_are_named(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.hides_users = True
    for address in (found := many(driver_setup, 45)):
        driver_setup.tenant.add_member("placed-rooms", address)
    assert addresses(await driver_setup.open(**GROUP).find_rooms()) == sorted([*ADDRESSES, *found])


async def test_members_that_neither_directory_nor_calendar_name_are_found_by_their_ids(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.hides_users = True
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read")
    driver = driver_setup.open(**GROUP)
    ids = sorted(driver_setup.tenant.mailbox(address).user_id for address in ADDRESSES)
    assert addresses(await driver.find_rooms()) == ids
    driver_setup.tenant.grant(driver_setup.app, "Calendars.Read")
    driver_setup.tenant.expire_tokens(driver_setup.app)
    assert addresses(await driver.find_rooms()) == list(ADDRESSES)


@pytest.mark.parametrize("kind", [Kind.STATUS, Kind.HTML, Kind.EMPTY, Kind.DROP, Kind.TRUNCATED])
@pytest.mark.parametrize("where", [Where.BATCH, Where.CALENDAR])
async def test_calendars_that_do_not_answer_harm_no_list(
    driver_setup: DriverSetup, where: Where, kind: Kind
) -> None:
    driver_setup.tenant.hides_users = True
    status = 200 if kind in (Kind.HTML, Kind.EMPTY) else 503
    driver_setup.tenant.faults.add(Fault(kind=kind, where=where, status=status))
    assert len(await driver_setup.open(**GROUP).find_rooms()) == 2


async def test_with_a_permission_on_users_no_calendar_is_read(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.hides_users = True
    driver_setup.tenant.grant(driver_setup.app, "User.ReadBasic.All")
    assert addresses(await driver_setup.open(**GROUP).find_rooms()) == list(ADDRESSES)
    assert not driver_setup.asked("$batch")


OTHERS = [
    {"@odata.type": "#microsoft.graph.group", "id": "g1"},
    {"@odata.type": "#microsoft.graph.orgContact", "id": "c1", "mail": "contact@contoso.example"},
    {"@odata.type": "#microsoft.graph.device", "id": "d1"},
]


def answering(driver: Any, *pages: dict[str, Any], group: dict[str, Any] | None = None) -> None:
    """The members are those of the pages, and the group is as given."""
    plain, ask, waiting = driver._graph.get, driver._graph.ask, list(pages)

    async def get(url: str, shape: type, *rest: Any) -> Any:
        if "transitiveMembers" not in url:
            return await plain(url, shape, *rest)
        return msgspec.convert(waiting.pop(0), shape)

    async def asked(method: str, url: str, *rest: Any, **more: Any) -> Any:
        if group is not None and "visibility" in url:
            return Answer(200, None, msgspec.json.encode(group), "")
        return await ask(method, url, *rest, **more)

    driver._graph.get, driver._graph.ask = get, asked


async def test_what_is_null_in_part_is_taken_from_what_is_not(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(**GROUP)
    user = {"@odata.type": "#microsoft.graph.user"}
    answering(
        driver,
        {
            "value": [
                {**user, "id": "u1", "mail": "a@x.example", "displayName": None},
                {**user, "id": "u2", "mail": None, "userPrincipalName": "b@x.example", "displayName": "B"},
                {"id": "u3", "displayName": "C"},
                {"id": None, "mail": "nobody@x.example"},
                *OTHERS,
            ]
        },
    )
    assert [(r.address, r.mailbox, r.name) for r in await driver.find_rooms()] == [
        ("a@x.example", "u1", None),
        ("b@x.example", "u2", "B"),
        ("u3", "u3", "C"),
    ]


async def test_a_group_whose_members_are_no_rooms_is_an_error(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(**GROUP)
    answering(driver, {"value": OTHERS})
    with pytest.raises(NotPermitted, match="3 member"):
        await driver.find_rooms()


async def test_a_list_that_is_empty_though_members_are_counted_is_no_list(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(**GROUP)
    answering(driver, {"@odata.count": 2, "value": []})
    with pytest.raises(UnexpectedAnswer, match="counts 2"):
        await driver.find_rooms()


async def test_a_group_that_hides_its_members_is_an_error(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(**GROUP)
    answering(driver, {"value": []}, group={"id": "g", "visibility": "HiddenMembership"})
    with pytest.raises(NotPermitted, match="hides") as error:
        await driver.find_rooms()
    assert "Member.Read.Hidden" in error.value.problem.remedy


async def test_a_group_that_is_empty_is_no_error(driver_setup: DriverSetup) -> None:
    for address in ADDRESSES:
        driver_setup.tenant.remove_member("placed-rooms", address)
    assert list(await driver_setup.open(**GROUP).find_rooms()) == []
