"""A Workspace with two rooms and two people, read by a service account with which the rooms are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed_google.simulator import Role, Simulator, Workspace
from tests.drivers.google.driver_setup import BOARDROOM, LIBRARY, DriverSetup
from tests.drivers.google.simulator.conftest import Clock

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
async def driver_setup(clock: Clock, tmp_path: Path) -> AsyncIterator[DriverSetup]:
    workspace = Workspace(domain="fabrikam.example", now=clock)
    workspace.add_room("Boardroom", address=BOARDROOM, building="HQ", floor="3", capacity=12)
    workspace.add_room("Library", address=LIBRARY, building="HQ", floor="1", capacity=4)
    workspace.add_person("ada", name="Ada Example")
    workspace.add_person("ben", name="Ben Sample")
    account = workspace.add_service_account("placed")
    workspace.share_rooms(account, Role.READER)
    async with Simulator(workspace) as simulator:
        setup = DriverSetup(simulator, account, clock, tmp_path)
        try:
            yield setup
        finally:
            for driver in setup.drivers:
                await driver.close()
