"""Clients of both versions whose tasks are cancelled, or whose callback fails."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.mqtt_error import MqttError
from tests.component.mqtt.raw_broker import BOTH, CONNACK, DISCONNECT, TOPIC, answering
from tests.support.client_conformance import opened, options
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from placed.mqtt.client.connect_options import ProtocolVersion
    from tests.support.mosquitto import Mosquitto


@BOTH
@pytest.mark.parametrize("what", ["receive", "acknowledged"])
async def test_an_exception_in_a_callback_ends_the_connection_and_is_reported(
    mosquitto: Mosquitto, complaints: list[dict[str, Any]], protocol: ProtocolVersion, what: str
) -> None:
    def fail(_: object) -> None:
        raise ValueError("a mistake of ours")

    async with opened(options(mosquitto.port, protocol)) as client:
        if what == "receive":
            client.receive = fail
            await client.subscribe([TOPIC])
        client.send(TOPIC, b"x", fail if what == "acknowledged" else lambda _: None, retain=False)
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(MqttError, match="a mistake of ours"):
                await client.ended()
    assert [str(context["exception"]) for context in complaints] == ["a mistake of ours"]


@BOTH
@pytest.mark.parametrize("turns", range(4))
async def test_a_close_that_is_cancelled_still_disconnects(
    mosquitto: Mosquitto, protocol: ProtocolVersion, turns: int
) -> None:
    async with opened(options(mosquitto.port, protocol)) as client:
        client.send(TOPIC, b"x", lambda _: None, retain=False)
        closing = asyncio.create_task(client.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing], timeout=DEADLINE)
        assert closing.done()
        await mosquitto.wait_for_line("closed its connection" if not turns else "disconnected")


@pytest.mark.parametrize("turns", range(6))
async def test_a_close_that_is_cancelled_while_the_connection_is_lost(
    complaints: list[dict[str, Any]], turns: int
) -> None:
    async with answering(CONNACK + DISCONNECT) as port:
        client = new_client(options(port, "5"))
        with suppress(MqttError):
            await client.open()
        closing = asyncio.create_task(client.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        del client, closing
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


@BOTH
@pytest.mark.parametrize("turns", range(5))
async def test_a_cancellation_at_the_moment_of_an_answer_is_not_lost(
    mosquitto: Mosquitto, protocol: ProtocolVersion, turns: int
) -> None:
    """Before Python 3.12 `asyncio.wait_for`, with which aiomqtt waits for a SUBACK, forgets it."""
    async with opened(options(mosquitto.port, protocol)) as client:
        answered = asyncio.Event()
        client.receive = lambda _: answered.set()
        await client.publish(TOPIC, b"x", retain=True)

        async def subscribe_and_wait() -> None:
            await client.subscribe([TOPIC])
            await asyncio.Event().wait()

        task = asyncio.create_task(subscribe_and_wait())
        async with asyncio.timeout(DEADLINE):
            await answered.wait()  # mosquitto sends the SUBACK before it
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=DEADLINE)
        assert task.cancelled()


@BOTH
async def test_an_attempt_that_is_cancelled_leaves_nothing_behind(
    mosquitto: Mosquitto, complaints: list[dict[str, Any]], protocol: ProtocolVersion
) -> None:
    for turns in (0, 1, 3, 10, 50):
        client = new_client(options(mosquitto.port, protocol))
        opening = asyncio.create_task(client.open())
        for _ in range(turns):
            await asyncio.sleep(0)
        opening.cancel()
        await asyncio.wait([opening], timeout=DEADLINE)
        assert opening.done()
        if not opening.cancelled():  # it was over before
            await client.close()
    async with asyncio.timeout(DEADLINE):
        while others := asyncio.all_tasks() - {asyncio.current_task(), mosquitto._reading}:
            await asyncio.wait(others, timeout=0.01)
    gc.collect()
    assert complaints == []
