"""Whether a grant is in effect: one look."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.problem import Problem
from placed.driver import GrantProbe, Refused, SettingsError, Surroundings, Unavailable
from placed_microsoft365.consent import Microsoft365Consent
from tests.drivers.microsoft365.driver_with_simulator import ADDRESSES, CERTIFICATE, House
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP = "placed-rooms@contoso.example"
RBAC = {"kind": "rbac"}


async def look(house: House, **changes: Any) -> GrantProbe:
    surroundings = Surroundings(house.clock, 8, details=False, version="1.2.3")
    return await Microsoft365Consent(house.settings(**changes), surroundings).probe()


def bare(house: House, roles: Iterable[str] = ()) -> None:
    """The application has these grants, and no other."""
    house.app.roles.clear()
    house.tenant.grant(house.app, *roles)


async def test_what_can_be_read_is_in_effect(house: House) -> None:
    assert await look(house) == GrantProbe(
        effective=True, problem=Problem("", "2 of 2 rooms that were tried can be read")
    )
    assert (house.sign_ins, house.batches) == (1, 1)


async def test_no_calendar_is_read_while_the_token_lacks_the_permission(house: House) -> None:
    bare(house)
    house.tenant.grant(house.app, "Calendars.Read", delay=timedelta(minutes=5))
    found = await look(house)
    assert (found.effective, found.problem.lasting) == (False, False)
    assert found.problem.text == "the token does not list Calendars.Read yet"
    assert not house.batches
    house.clock.advance(minutes=5)
    assert (await look(house)).effective


async def test_every_check_requests_a_new_token(
    house: House,
) -> None:
    bare(house)
    await look(house)
    house.tenant.grant(house.app, "Calendars.Read")
    assert (await look(house)).effective
    assert house.sign_ins == 2


async def test_an_access_policy_that_has_not_seen_the_rooms_yet_is_waited_for(house: House) -> None:
    house.tenant.add_group("waiting")
    house.tenant.restrict(house.app, "waiting")
    found = await look(house)
    assert (found.effective, found.problem.lasting) == (False, False)
    assert found.problem.text == "the calendars are refused: 403 ErrorAccessDenied"
    house.tenant.add_member("waiting", "boardroom", delay=timedelta(hours=1))
    assert not (await look(house)).effective
    house.clock.advance(hours=1)
    assert (await look(house)).problem.text == "1 of 2 rooms that were tried can be read"


async def test_under_rbac_the_token_lists_nothing_and_the_calendars_decide(house: House) -> None:
    bare(house)
    found = await look(house, fence=RBAC)
    assert (found.effective, found.problem.lasting) == (False, False)
    assert found.problem.text.startswith("the calendars are refused: 40")
    house.tenant.assign_rbac(house.app, "placed-rooms", delay=timedelta(hours=2))
    assert not (await look(house, fence=RBAC)).effective
    house.clock.advance(hours=2)
    assert (await look(house, fence=RBAC)).effective


async def test_rooms_of_the_directory_have_to_be_found_as_well(house: House) -> None:
    bare(house, ["Calendars.Read"])
    found = await look(house, rooms=None, room_group=GROUP)
    assert found.problem.text == "the token does not list GroupMember.Read.All yet"
    house.tenant.grant(house.app, "GroupMember.Read.All")
    assert (await look(house, rooms=None, room_group=GROUP)).effective


async def test_a_group_without_members_is_waited_for(house: House) -> None:
    house.tenant.add_group("empty")
    found = await look(house, rooms=None, room_group="empty@contoso.example")
    assert (found.effective, found.problem.lasting, found.problem.text) == (
        False,
        False,
        "no rooms are found",
    )
    assert "room_group" in found.problem.remedy


async def test_a_group_that_is_not_there_yet_is_waited_for(house: House) -> None:
    found = await look(house, rooms=None, room_group="nobody@contoso.example")
    assert (found.effective, found.problem.lasting, found.problem.text) == (
        False,
        False,
        "the room group is not found",
    )


async def test_rooms_that_do_not_exist_are_not_waited_for(house: House) -> None:
    found = await look(house, rooms=("nowhere@contoso.example", "nothing@contoso.example"))
    assert (found.effective, found.problem.lasting) == (False, True)
    assert found.problem.text == "none of the rooms that were tried exists: 404 ErrorInvalidUser"
    assert "nowhere" not in found.problem.text + found.problem.remedy


async def test_one_batch_is_enough_for_a_large_building(house: House) -> None:
    for number in range(60):
        room = house.tenant.add_room(f"room-{number}")
        house.tenant.add_member("placed-rooms", room)
    found = await look(house, rooms=None, room_group=GROUP)
    assert found.problem.text == "20 of 20 rooms that were tried can be read"
    assert house.batches == 1


async def test_an_unreachable_service_is_reported(house: House) -> None:
    house.tenant.faults.status(503, retry_after="90")
    with pytest.raises(Unavailable) as problem:
        await look(house)
    assert problem.value.problem.retry_after == 90
    async with house.simulator.outage():
        with pytest.raises(Unavailable):
            await look(house)


async def test_a_refused_sign_in_is_reported(house: House) -> None:
    house.tenant.expire_secrets(house.app)
    with pytest.raises(Refused, match="AADSTS7000222"):
        await look(house)


async def test_conditional_access_is_another_persons_matter_and_waited_for(house: House) -> None:
    house.tenant.faults.login_error(53003)
    found = await look(house)
    assert (found.effective, found.problem.lasting, found.problem.text) == (
        False,
        False,
        "sign-in refused: AADSTS53003",
    )
    assert "Conditional Access" in found.problem.remedy


async def test_a_certificate_does_as_well_as_a_secret(house: House) -> None:
    pem = house.folder / "key.pem"
    write_secret(pem, CERTIFICATE)
    assert (await look(house, client_secret_file=None, certificate=pem)).effective
    pem.write_bytes(b"")
    with pytest.raises(SettingsError):
        await look(house, client_secret_file=None, certificate=pem)


async def test_no_address_of_a_person_is_reported(house: House) -> None:
    bare(house, ["Calendars.Read"])
    house.tenant.restrict(house.app, house.tenant.add_group("nobody"))
    found = await look(house)
    assert not any(address in found.problem.text + found.problem.remedy for address in ADDRESSES)
