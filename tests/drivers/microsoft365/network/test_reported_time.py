"""Every answer of the simulated tenant shows its time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.drivers.microsoft365.driver_setup import DriverSetup, outcomes

if TYPE_CHECKING:
    from placed.driver import ServiceTime

NOON = datetime(2026, 10, 6, 12, tzinfo=UTC)
HOST = "https://login.example"


async def test_every_answer_of_login_and_graph_reports_the_time(driver_setup: DriverSetup) -> None:
    reported: list[ServiceTime] = []
    driver = driver_setup.open(report_time=reported.append)
    assert outcomes(await driver_setup.read(driver)) == ["read", "read"]
    assert len(reported) == len(driver_setup.simulator.requests) == 3  # discovery, token, batch
    assert {one.moment for one in reported} == {driver_setup.tenant.now()}
