"""A tenant with two rooms and a person, read by an app with a certificate and a secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed_microsoft365.simulator import Simulator, Tenant
from tests.drivers.microsoft365.driver_setup import ADDRESSES, CERTIFICATE, ROLES, DriverSetup
from tests.drivers.microsoft365.simulator.conftest import Clock, HeldSleep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator is on this machine, so a proxy of the environment is not used."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def held_sleep() -> HeldSleep:
    return HeldSleep()


@pytest.fixture
async def driver_setup(clock: Clock, held_sleep: HeldSleep, tmp_path: Path) -> AsyncIterator[DriverSetup]:
    tenant = Tenant(domain="contoso.example", now=clock)
    for address in ADDRESSES:
        tenant.add_room(address, building="HQ", floor=3, capacity=12)
    tenant.add_person("ada", name="Ada Example")
    tenant.add_group("placed-rooms", members=ADDRESSES)
    app = tenant.register_app(secrets=["s3cret"], certificates=[CERTIFICATE], roles=ROLES)
    async with Simulator(tenant, sleep=held_sleep.sleep) as simulator:
        driver_setup = DriverSetup(simulator, app, clock, tmp_path)
        try:
            yield driver_setup
        finally:
            for driver in driver_setup.drivers:
                await driver.close()
