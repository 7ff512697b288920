"""When another token is asked for, as the simulated tenant sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.driver import NotPermitted
from placed_microsoft365.simulator import Where
from tests.drivers.microsoft365.driver_setup import BOARDROOM, DriverSetup, outcomes

if TYPE_CHECKING:
    from tests.drivers.microsoft365.simulator.conftest import Clock


async def test_a_token_that_graph_refuses_is_replaced_within_the_reading(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.tenant.expire_tokens(driver_setup.app)
    assert outcomes(await driver_setup.read(driver)) == ["unchanged", "unchanged"]
    assert driver_setup.sign_ins == 2


async def test_graph_that_refuses_every_token_is_not_given_one_after_the_other(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.faults.token_refused(times=None)
    driver = driver_setup.open()
    for _ in range(5):
        with pytest.raises(NotPermitted, match="401"):
            await driver_setup.read(driver)
    assert driver_setup.sign_ins == 2


async def test_a_401_within_a_batch_renews_the_token_once(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.status(401, code="InvalidAuthenticationToken", room=BOARDROOM, times=1)
    driver = driver_setup.open()
    assert outcomes(await driver_setup.read(driver)) == ["read", "read"]
    assert (driver_setup.sign_ins, driver_setup.batches) == (2, 2)
    assert [len(r.items) for r in driver_setup.simulator.requests if r.path.endswith("$batch")] == [2, 1]


async def test_a_401_within_a_batch_that_stays_is_that_room_s_own(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.status(401, code="UnknownError", room=BOARDROOM)
    driver = driver_setup.open()
    assert outcomes(await driver_setup.read(driver)) == ["forbidden", "read"]
    assert outcomes(await driver_setup.read(driver)) == ["forbidden", "unchanged"]
    assert driver_setup.sign_ins == 2


async def test_batches_side_by_side_share_a_new_token(driver_setup: DriverSetup) -> None:
    """Each of them has a room that is refused with the old token."""
    rooms = [driver_setup.tenant.add_room(f"room-{number}").address for number in range(100)]
    driver = driver_setup.open()
    await driver_setup.read(driver, *rooms)
    for room in rooms[::20]:
        driver_setup.tenant.faults.status(401, room=room, times=1)
    assert set(outcomes(await driver_setup.read(driver, *rooms))) == {"unchanged"}
    assert driver_setup.sign_ins == 2


async def test_a_login_host_that_is_down_does_not_stop_the_reading(
    driver_setup: DriverSetup, clock: Clock
) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    clock.advance(minutes=57)
    driver_setup.tenant.faults.drop(where=Where.LOGIN)
    assert outcomes(await driver_setup.read(driver)) == ["unchanged", "unchanged"]
