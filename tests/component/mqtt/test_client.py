"""A connection that ends at any moment leaves nothing that asyncio complains about."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from placed.mqtt.client import BrokerClient, cancellable
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_CONNACK = bytes([0x20, 3, 0, 0, 0])
_DISCONNECT = bytes([0xE0, 1, 0x8B])  # the server is shutting down


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[int]:
    """The port of a server that answers a CONNECT so, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, HOST, 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("answer", [_CONNACK + _DISCONNECT, _CONNACK, _DISCONNECT, b""])
async def test_a_broker_that_lets_in_and_hangs_up_at_once(answer: bytes) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with answering(answer) as port:
        for _ in range(20):
            connection = BrokerClient(hostname=HOST, port=port, protocol=aiomqtt.ProtocolVersion.V5)
            with suppress(aiomqtt.MqttError):
                await connection.open()
                await connection.subscribe("#")
            await connection.close()
            del connection
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


@pytest.mark.parametrize("turns", range(6))
async def test_a_close_that_is_cancelled_while_the_connection_is_lost(turns: int) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    async with answering(_CONNACK + _DISCONNECT) as port:
        connection = BrokerClient(hostname=HOST, port=port, protocol=aiomqtt.ProtocolVersion.V5)
        with suppress(aiomqtt.MqttError):
            await connection.open()
        closing = asyncio.create_task(connection.close())
        for _ in range(turns):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        del connection, closing
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []


@pytest.mark.parametrize("turns", range(5))
async def test_a_cancellation_at_the_moment_of_an_answer_is_not_lost(turns: int) -> None:
    """Before Python 3.12 `asyncio.wait_for`, with which aiomqtt waits for a SUBACK, forgets it."""
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def subscribe_and_wait() -> None:
        await cancellable(asyncio.wait_for(answer, DEADLINE))
        await asyncio.Event().wait()

    task = asyncio.create_task(subscribe_and_wait())
    for _ in range(5):  # until it waits for the answer
        await asyncio.sleep(0)
    answer.set_result(None)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=DEADLINE)
    assert task.cancelled()
