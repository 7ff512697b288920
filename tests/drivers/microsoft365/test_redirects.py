"""A redirect of a proxy, a gateway or a captive portal is the network's failure, and no room's."""

from __future__ import annotations

import pytest

from placed.driver import Unavailable
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_setup import BOARDROOM, DriverSetup, failure, outcomes


@pytest.mark.parametrize("where", [Where.BATCH, Where.GRAPH])
async def test_a_redirect_in_place_of_calendars_passes_and_names_the_gateway(
    driver_setup: DriverSetup, where: Where
) -> None:
    driver = driver_setup.open()
    driver_setup.tenant.faults.status(302, where=where)
    answers = await driver_setup.read(driver)
    assert outcomes(answers) == ["unavailable", "unavailable"]
    for answer in answers:
        assert "gateway" in failure(answer)[1]
    driver_setup.tenant.faults.clear()
    assert outcomes(await driver_setup.read(driver)) == ["read", "read"]


async def test_a_redirect_of_one_item_of_a_batch_passes(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.status(302, room=BOARDROOM)
    assert outcomes(await driver_setup.read(driver_setup.open())) == ["unavailable", "read"]


@pytest.mark.parametrize("where", [Where.LOGIN, Where.DISCOVERY])
async def test_a_redirect_of_the_login_host_names_the_gateway(
    driver_setup: DriverSetup, where: Where
) -> None:
    driver_setup.tenant.faults.status(302, where=where)
    with pytest.raises(Unavailable, match="redirect") as raised:
        await driver_setup.open(rooms=None, room_list="*").find_rooms()
    assert "gateway" in raised.value.problem.remedy
