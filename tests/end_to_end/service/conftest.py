from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.service.healthy_site import GRACE, PASSWORD, HealthySite
from tests.support.deployment import Deployment
from tests.support.mosquitto import Mosquitto
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A tenant with two rooms and a broker that lets everybody in."""
    async with Deployment.open(tmp_path) as deployment:
        yield deployment


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[HealthySite]:
    """Two rooms, a group around them, a person outside, a broker that wants a login."""
    async with Deployment.open(tmp_path) as deployment:
        await deployment.broker.kill()  # the one that lets everybody in
        deployment.broker = Mosquitto(tmp_path / "closed", users={"placed": PASSWORD})
        await deployment.broker.start()
        password = tmp_path / "password"
        write_secret(password, PASSWORD)
        deployment.tenant.add_person(GRACE, name="Grace Quillfeather")
        yield HealthySite(deployment)
