"""A small tenant with a clock of its own, and clients that trust it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed_microsoft365.simulator import Simulator, Tenant
from tests.simulator.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Clock:
    """A clock that stands still until it is told to go."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 10, 6, 7, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The moment that it shows."""
        return self.moment

    def advance(self, **length: float) -> None:
        """Go on by hours=…, minutes=…, seconds=… together."""
        self.moment += timedelta(**length)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tenant(clock: Clock) -> Tenant:
    """Two rooms in a group, a person outside of it."""
    tenant = Tenant(domain="contoso.example", now=clock)
    tenant.add_room("boardroom", name="Boardroom", building="HQ", floor=3, capacity=12)
    tenant.add_room("library", name="Library", building="HQ", floor=1, capacity=4)
    tenant.add_person("ada", name="Ada Example")
    tenant.add_group("placed-rooms", members=["boardroom", "library"])
    return tenant


@pytest.fixture
async def simulator(tenant: Tenant) -> AsyncIterator[Simulator]:
    async with Simulator(tenant) as simulator:
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
