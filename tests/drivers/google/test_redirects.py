"""A redirect of a proxy, a gateway or a captive portal is the network's failure, and no room's."""

from __future__ import annotations

import pytest

from placed.driver import Unavailable
from placed_google.simulator import Where
from tests.drivers.google.driver_setup import ADA, BOARDROOM, DriverSetup, words


async def test_a_redirect_in_place_of_calendars_passes_and_names_the_gateway(
    driver_setup: DriverSetup,
) -> None:
    driver = driver_setup.open()
    driver_setup.workspace.faults.status(302, where=Where.API)
    answers = await driver_setup.read(driver)
    assert words(answers) == ["unavailable", "unavailable"]
    for answer in answers:
        problem = answer.problem  # type: ignore[union-attr]
        assert "redirect" in problem.text
        assert "gateway" in problem.remedy
        assert not problem.lasting
    driver_setup.workspace.faults.clear()
    assert words(await driver_setup.read(driver)) == ["read", "read"]


async def test_a_redirect_of_one_part_of_a_batch_passes(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.status(302, room=BOARDROOM)
    assert words(await driver_setup.read(driver_setup.open())) == ["unavailable", "read"]


@pytest.mark.parametrize("where", [Where.TOKEN, Where.API, Where.DIRECTORY])
async def test_a_redirect_of_any_host_proves_nothing_of_the_fence(
    driver_setup: DriverSetup, where: Where
) -> None:
    driver_setup.account.reads_directory = True
    fence = {"canaries": (ADA,), "canaries_exist": True}
    driver = driver_setup.open(rooms=None, customer=driver_setup.workspace.customer_id, fence=fence)
    driver_setup.workspace.faults.status(302, where=where)
    with pytest.raises(Unavailable, match="redirect") as raised:
        await driver.try_fence()
    assert "gateway" in raised.value.problem.remedy
