"""A broker for the box, on the loopback that it shares with the tests."""

from __future__ import annotations

import asyncio
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiomqtt

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def mosquitto(folder: Path, port: int) -> Iterator[None]:
    """Run mosquitto until the end of the block."""
    settings = folder / "mosquitto.conf"
    settings.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with subprocess.Popen(["mosquitto", "-c", settings], stderr=subprocess.DEVNULL) as running:
        try:
            yield
        finally:
            running.terminate()


def retained(port: int) -> dict[str, str]:
    """Everything that the broker holds at this moment, by topic."""
    return asyncio.run(_retained(port))


async def _retained(port: int) -> dict[str, str]:
    found: dict[str, str] = {}
    async with asyncio.timeout(DEADLINE), aiomqtt.Client("127.0.0.1", port, timeout=DEADLINE) as client:
        await client.subscribe("#", qos=1)
        # The broker answers in order: what it holds goes out before what is published after.
        await client.publish("that/was/all", qos=1)
        async for message in client.messages:
            if message.topic.value == "that/was/all":
                break
            if message.retain and isinstance(message.payload, bytes):
                found[message.topic.value] = message.payload.decode()
    return found
