from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_proxy import Proxy
from tests.support.publisher_setup import PublisherSetup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Mosquitto]]]:
    """Starts a mosquitto as wanted, and ends it after the test."""
    started: list[Mosquitto] = []

    async def start(**options: Any) -> Mosquitto:
        broker = Mosquitto(tmp_path / f"mosquitto-{len(started)}", **options)
        started.append(broker)
        await broker.start()
        return broker

    yield start
    for broker in started:
        await broker.kill()


@pytest.fixture
async def mosquitto(start: Callable[..., Awaitable[Mosquitto]]) -> Mosquitto:
    """A mosquitto that lets everybody in."""
    return await start()


@pytest.fixture
async def proxy(mosquitto: Mosquitto) -> AsyncIterator[Proxy]:
    """Before a mosquitto that lets everybody in."""
    async with Proxy(mosquitto.port) as proxy:
        yield proxy


@pytest.fixture
def publisher_setup() -> PublisherSetup:
    """One connection, two rooms, one of them busy."""
    return PublisherSetup.furnished()


@pytest.fixture
async def complaints() -> list[dict[str, Any]]:
    """What asyncio complains about."""
    found: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    return found
