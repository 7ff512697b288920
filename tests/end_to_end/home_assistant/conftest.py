from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.home_assistant.home_assistant_server import HomeAssistant
from tests.end_to_end.home_assistant.installation import NoHomeAssistantError, python
from tests.support.deployment import Deployment
from tests.support.mosquitto import Mosquitto

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "home_assistant: starts a real Home Assistant, installed on its first use"
    )


@pytest.fixture(scope="session")
def _installed() -> None:
    try:
        python()
    except NoHomeAssistantError as reason:
        pytest.skip(f"no Home Assistant: {reason}")


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A mosquitto that lets everybody in."""
    broker = Mosquitto(tmp_path / "broker")
    await broker.start()
    yield broker
    await broker.kill()


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A tenant with two rooms, and a broker; discovery is on."""
    async with Deployment.open(tmp_path) as deployment:
        deployment.configure(home_assistant={"discovery": True})
        yield deployment


@pytest.fixture
def install(_installed: None, tmp_path: Path) -> Callable[[Mosquitto], HomeAssistant]:
    """Sets up a Home Assistant that uses a broker, and does not run yet."""
    return lambda broker: HomeAssistant(tmp_path / "home-assistant", broker.port)
