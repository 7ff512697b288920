"""How many requests are under way, against the limits of the simulated service."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Reason
from placed.driver import Failed

if TYPE_CHECKING:
    from tests.drivers.microsoft365.driver_setup import DriverSetup
    from tests.drivers.microsoft365.simulator.conftest import Clock


@pytest.mark.parametrize("limit", [50, 300])
async def test_a_round_over_the_service_s_limit_ends_and_the_window_settles(
    driver_setup: DriverSetup, clock: Clock, limit: int
) -> None:
    rooms = [driver_setup.tenant.add_room(f"room-{number}").address for number in range(1000)]
    driver_setup.tenant.limits.app_requests = limit
    driver_setup.tenant.limits.app_window = timedelta(seconds=10)
    driver = driver_setup.open()
    answers = await driver_setup.read(driver, *rooms)
    failed = [answer for answer in answers if isinstance(answer, Failed)]
    assert len(failed) == 1000 - limit
    assert {(f.reason, f.problem.retry_after) for f in failed} == {(Reason.THROTTLED, 10.0)}
    assert driver.limit.window < 3
    for _ in range(3):
        clock.advance(seconds=10)
        driver_setup.tenant.limits.app_requests = 100_000
        await driver_setup.read(driver, *rooms)
    assert driver.limit.window == 8
