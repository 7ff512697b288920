"""The shipped Node-RED flow in a real Node-RED, at a mosquitto as Debian configures it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.brokers.broker_software import MissingError, Mosquitto
from tests.end_to_end.brokers.node_red_server import NodeRed
from tests.support.publisher_setup import PublisherSetup, running

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.brokers

ROOMS = 2000


async def test_the_flow_shows_every_one_of_2000_rooms(tmp_path: Path) -> None:
    """With QoS 1 mosquitto queued 1,000 messages for it, and dropped the rest."""
    publisher_setup = PublisherSetup()
    names = [f"room-{number}" for number in range(ROOMS)]
    publisher_setup.enroll(*names)
    for name in names:
        publisher_setup.read(name)
    publisher_setup.report()
    broker = Mosquitto(tmp_path / "mosquitto")
    node_red = NodeRed(tmp_path / "node-red", broker.port)
    try:
        await broker.start()
        publisher = publisher_setup.publisher(None, url=broker.url)
        async with running(publisher):
            await publisher.published()
            await node_red.start()
            async with asyncio.timeout(60):
                while await node_red.free() < ROOMS:  # noqa: ASYNC110 - another process, which only answers requests
                    await asyncio.sleep(0.5)
    except MissingError as reason:
        pytest.skip(str(reason))
    finally:
        await node_red.stop()
        await broker.stop()
