"""A small tenant with a clock of its own, and clients that trust it."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed_microsoft365.simulator import Simulator, Tenant
from tests.drivers.microsoft365.simulator.simulator_client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 10, 6, 7, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment that it shows."""
        return self.moment

    def advance(self, **length: float) -> None:
        """Go on by hours=…, minutes=…, seconds=… together."""
        self.moment += timedelta(**length)


class HeldSleep:
    """A sleep that lasts until it is let go, whatever the length; `asleep` counts those who wait."""

    def __init__(self) -> None:
        self.asleep = 0
        self.lengths: list[float] = []
        self._changed = asyncio.Condition()
        self._open = False

    async def sleep(self, length: float) -> None:
        """What the simulator waits with."""
        async with self._changed:
            self.lengths.append(length)
            self.asleep += 1
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._open)
            self.asleep -= 1

    async def until_asleep(self, number: int) -> None:
        """Wait until so many wait."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.asleep == number)

    async def let_go(self) -> None:
        """Nobody waits any longer."""
        async with self._changed:
            self._open = True
            self._changed.notify_all()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tenant(clock: Clock) -> Tenant:
    """Two rooms in a group, a person outside of it."""
    tenant = Tenant(domain="contoso.example", now=clock)
    tenant.login_clock = lambda: datetime.now(UTC)  # what signs in here goes by the machine's clock
    tenant.add_room("boardroom", name="Boardroom", building="HQ", floor=3, capacity=12)
    tenant.add_room("library", name="Library", building="HQ", floor=1, capacity=4)
    tenant.add_person("ada", name="Ada Example")
    tenant.add_group("placed-rooms", members=["boardroom", "library"])
    return tenant


@pytest.fixture
def held_sleep() -> HeldSleep:
    return HeldSleep()


@pytest.fixture
async def simulator(tenant: Tenant, held_sleep: HeldSleep) -> AsyncIterator[Simulator]:
    async with Simulator(tenant, sleep=held_sleep.sleep) as simulator:
        yield simulator


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Client]:
    """A client whose app may read calendars, groups and places."""
    app = simulator.tenant.register_app(
        secrets=["s3cret"], roles={"Calendars.Read", "GroupMember.Read.All", "Place.Read.All"}
    )
    context = ssl.create_default_context(cafile=str(simulator.ca_file))
    async with Client(simulator, app, context) as client:
        yield client
