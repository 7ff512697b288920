"""Whether the grant is in effect: as placed consent --wait asks, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.driver import OffersConsent, Refused, Unavailable, find_drivers
from placed_google.consent import GoogleConsent
from placed_google.simulator import Role, Where
from tests.drivers.google.driver_setup import ADA, BOARDROOM, LIBRARY

if TYPE_CHECKING:
    from typing import Any

    from tests.drivers.google.driver_setup import DriverSetup


def consent(driver_setup: DriverSetup, **changes: Any) -> GoogleConsent:
    return GoogleConsent(driver_setup.settings(**changes), driver_setup.surroundings())


def read_in_parts(driver_setup: DriverSetup) -> int:
    return sum(len(record.items) for record in driver_setup.simulator.requests)


def test_the_driver_offers_consent_without_a_page(driver_setup: DriverSetup) -> None:
    kind = find_drivers()["google"]
    assert isinstance(kind, OffersConsent)
    flow = kind.consent(driver_setup.settings(), driver_setup.surroundings())
    assert list(flow.permissions) == []
    assert (flow.propagation.every, flow.propagation.at_most) == (30, 86_400)


async def test_the_grant_is_in_effect_when_every_room_can_be_read(driver_setup: DriverSetup) -> None:
    workspace, account = driver_setup.workspace, driver_setup.account
    for room in (BOARDROOM, LIBRARY):
        workspace.unshare(room, account)
    flow = consent(driver_setup)
    probe = await flow.probe()
    assert not probe.effective
    assert probe.problem.text == "0 of 2 rooms can be read; not yet c_188boardroom, c_188library"
    assert f"share the room's calendar with {account.email}" in probe.problem.remedy
    assert not probe.problem.lasting

    workspace.share(BOARDROOM, account, Role.FREE_BUSY_READER)  # which suffices for occupancy
    probe = await flow.probe()
    assert (probe.effective, probe.problem.text) == (
        False,
        "1 of 2 rooms can be read; not yet c_188library",
    )

    workspace.share(LIBRARY, account)
    probe = await flow.probe()
    assert (probe.effective, probe.problem.text) == (True, "every room can be read")


async def test_rooms_that_were_readable_are_not_asked_again(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.unshare(LIBRARY, driver_setup.account)
    flow = consent(driver_setup)
    await flow.probe()
    before = read_in_parts(driver_setup)
    await flow.probe()
    assert read_in_parts(driver_setup) - before == 1


async def test_each_check_signs_in_again_since_delegation_shows_in_new_tokens(
    driver_setup: DriverSetup,
) -> None:
    flow = consent(driver_setup, subject=ADA)
    probe = await flow.probe()
    assert not probe.effective
    assert "unauthorized_client" in probe.problem.text
    assert driver_setup.account.client_id in probe.problem.remedy
    driver_setup.workspace.delegate(
        driver_setup.account, "https://www.googleapis.com/auth/calendar.events.readonly"
    )
    assert (await flow.probe()).effective


async def test_an_api_that_is_not_enabled_is_waited_for(driver_setup: DriverSetup) -> None:
    driver_setup.account.project.apis.clear()
    probe = await consent(driver_setup).probe()
    assert not probe.effective
    assert not probe.problem.lasting
    assert "enable the API in the service account's project" in probe.problem.remedy


async def test_the_list_of_rooms_is_waited_for(driver_setup: DriverSetup) -> None:
    flow = consent(driver_setup, rooms=None, customer=driver_setup.workspace.customer_id)
    probe = await flow.probe()
    assert not probe.effective
    assert "admin role" in probe.problem.remedy
    driver_setup.account.reads_directory = True
    assert (await flow.probe()).effective
    for room in driver_setup.workspace.rooms():
        driver_setup.workspace.remove_room(room)
    assert (await flow.probe()).problem.text == "no rooms are found"


async def test_a_service_that_is_down_is_no_missing_grant(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.status(503)
    with pytest.raises(Unavailable, match="the calendars cannot be read now: 503"):
        await consent(driver_setup).probe()


async def test_a_deleted_key_ends_the_wait(driver_setup: DriverSetup) -> None:
    settings = driver_setup.settings()
    driver_setup.account.keys.clear()
    with pytest.raises(Refused) as error:
        await GoogleConsent(settings, driver_setup.surroundings()).probe()
    assert error.value.problem.lasting


async def test_one_room_that_is_throttled_is_not_named_as_not_shared(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.unshare(LIBRARY, driver_setup.account)
    driver_setup.workspace.faults.throttled(room=BOARDROOM, where=Where.CALENDAR)
    probe = await consent(driver_setup).probe()
    assert probe.problem.text == "0 of 2 rooms can be read; not yet c_188library"
