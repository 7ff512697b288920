"""Whether a grant is in effect: one look."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.problem import Problem
from placed.driver import GrantProbe, Refused, SettingsError, Surroundings, Unavailable
from placed_microsoft365.consent import Microsoft365Consent
from tests.drivers.microsoft365.driver_setup import ADDRESSES, CERTIFICATE, DriverSetup
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

GROUP = "placed-rooms@contoso.example"
RBAC = {"kind": "rbac"}


async def look(driver_setup: DriverSetup, **changes: Any) -> GrantProbe:
    surroundings = Surroundings(driver_setup.clock, 8, details=False, version="1.2.3")
    return await Microsoft365Consent(driver_setup.settings(**changes), surroundings).probe()


def bare(driver_setup: DriverSetup, roles: Iterable[str] = ()) -> None:
    """The application has these grants, and no other."""
    driver_setup.app.roles.clear()
    driver_setup.tenant.grant(driver_setup.app, *roles)


async def test_what_can_be_read_is_in_effect(driver_setup: DriverSetup) -> None:
    assert await look(driver_setup) == GrantProbe(
        effective=True, problem=Problem("", "2 of 2 rooms that were tried can be read")
    )
    assert (driver_setup.sign_ins, driver_setup.batches) == (1, 1)


async def test_no_calendar_is_read_while_the_token_lacks_the_permission(driver_setup: DriverSetup) -> None:
    bare(driver_setup)
    driver_setup.tenant.grant(driver_setup.app, "Calendars.Read", delay=timedelta(minutes=5))
    found = await look(driver_setup)
    assert (found.effective, found.problem.lasting) == (False, False)
    assert found.problem.text == "the token does not list Calendars.Read yet"
    assert not driver_setup.batches
    driver_setup.clock.advance(minutes=5)
    assert (await look(driver_setup)).effective


async def test_every_check_requests_a_new_token(
    driver_setup: DriverSetup,
) -> None:
    bare(driver_setup)
    await look(driver_setup)
    driver_setup.tenant.grant(driver_setup.app, "Calendars.Read")
    assert (await look(driver_setup)).effective
    assert driver_setup.sign_ins == 2


async def test_an_access_policy_that_has_not_seen_the_rooms_yet_is_waited_for(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.add_group("waiting")
    driver_setup.tenant.restrict(driver_setup.app, "waiting")
    found = await look(driver_setup)
    assert (found.effective, found.problem.lasting) == (False, False)
    assert found.problem.text == "the calendars are refused: 403 ErrorAccessDenied"
    driver_setup.tenant.add_member("waiting", "boardroom", delay=timedelta(hours=1))
    assert not (await look(driver_setup)).effective
    driver_setup.clock.advance(hours=1)
    assert (await look(driver_setup)).problem.text == "1 of 2 rooms that were tried can be read"


async def test_under_rbac_the_token_lists_nothing_and_the_calendars_decide(driver_setup: DriverSetup) -> None:
    bare(driver_setup)
    found = await look(driver_setup, fence=RBAC)
    assert (found.effective, found.problem.lasting) == (False, False)
    assert found.problem.text.startswith("the calendars are refused: 40")
    driver_setup.tenant.assign_rbac(driver_setup.app, "placed-rooms", delay=timedelta(hours=2))
    assert not (await look(driver_setup, fence=RBAC)).effective
    driver_setup.clock.advance(hours=2)
    assert (await look(driver_setup, fence=RBAC)).effective


async def test_rooms_of_the_directory_have_to_be_found_as_well(driver_setup: DriverSetup) -> None:
    bare(driver_setup, ["Calendars.Read"])
    found = await look(driver_setup, rooms=None, room_group=GROUP)
    assert found.problem.text == "the token does not list GroupMember.Read.All yet"
    driver_setup.tenant.grant(driver_setup.app, "GroupMember.Read.All")
    assert (await look(driver_setup, rooms=None, room_group=GROUP)).effective


async def test_a_group_without_members_is_waited_for(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.add_group("empty")
    found = await look(driver_setup, rooms=None, room_group="empty@contoso.example")
    assert (found.effective, found.problem.lasting, found.problem.text) == (
        False,
        False,
        "no rooms are found",
    )
    assert "room_group" in found.problem.remedy


async def test_a_group_that_is_not_there_yet_is_waited_for(driver_setup: DriverSetup) -> None:
    found = await look(driver_setup, rooms=None, room_group="nobody@contoso.example")
    assert (found.effective, found.problem.lasting, found.problem.text) == (
        False,
        False,
        "the room group is not found",
    )


async def test_rooms_that_do_not_exist_are_not_waited_for(driver_setup: DriverSetup) -> None:
    found = await look(driver_setup, rooms=("nowhere@contoso.example", "nothing@contoso.example"))
    assert (found.effective, found.problem.lasting) == (False, True)
    assert found.problem.text == "none of the rooms that were tried exists: 404 ErrorInvalidUser"
    assert "nowhere" not in found.problem.text + found.problem.remedy


async def test_one_batch_is_enough_for_a_large_building(driver_setup: DriverSetup) -> None:
    for number in range(60):
        room = driver_setup.tenant.add_room(f"room-{number}")
        driver_setup.tenant.add_member("placed-rooms", room)
    found = await look(driver_setup, rooms=None, room_group=GROUP)
    assert found.problem.text == "20 of 20 rooms that were tried can be read"
    assert driver_setup.batches == 1


async def test_an_unreachable_service_is_reported(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.status(503, retry_after="90")
    with pytest.raises(Unavailable) as problem:
        await look(driver_setup)
    assert problem.value.problem.retry_after == 90
    async with driver_setup.simulator.outage():
        with pytest.raises(Unavailable):
            await look(driver_setup)


async def test_a_refused_sign_in_is_reported(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.expire_secrets(driver_setup.app)
    with pytest.raises(Refused, match="AADSTS7000222"):
        await look(driver_setup)


async def test_conditional_access_is_another_persons_matter_and_waited_for(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.login_error(53003)
    found = await look(driver_setup)
    assert (found.effective, found.problem.lasting, found.problem.text) == (
        False,
        False,
        "sign-in refused: AADSTS53003",
    )
    assert "Conditional Access" in found.problem.remedy


async def test_a_certificate_does_as_well_as_a_secret(driver_setup: DriverSetup) -> None:
    pem = driver_setup.folder / "key.pem"
    write_secret(pem, CERTIFICATE)
    assert (await look(driver_setup, client_secret_file=None, certificate=pem)).effective
    pem.write_bytes(b"")
    with pytest.raises(SettingsError):
        await look(driver_setup, client_secret_file=None, certificate=pem)


async def test_no_address_of_a_person_is_reported(driver_setup: DriverSetup) -> None:
    bare(driver_setup, ["Calendars.Read"])
    driver_setup.tenant.restrict(driver_setup.app, driver_setup.tenant.add_group("nobody"))
    found = await look(driver_setup)
    assert not any(address in found.problem.text + found.problem.remedy for address in ADDRESSES)
