"""Servers in a broker's place that answer with given bytes, and what tests of both clients share."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable

BOTH = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
CONNACK = bytes([0x20, 3, 0, 0, 0])
DISCONNECT = bytes([0xE0, 1, 0x8B])  # the server is shutting down
PUBACK = bytes([0x40, 2, 0, 1])
TOPIC = "trials/state"


@asynccontextmanager
async def answering(answer: bytes, *, hang_up: bool = True) -> AsyncIterator[int]:
    """The port of a server that answers a CONNECT so, and hangs up, or reads on."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        if not hang_up:
            await reader.read()

    async with served(serve) as port:
        yield port


@asynccontextmanager
async def served(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """The port of a server; at the end every connection was served to its end."""
    serving: set[asyncio.Task[None] | None] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with suppress(OSError):
            await serve(reader, writer)
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_server(one, HOST, 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]
        if tasks := [task for task in serving if task is not None]:
            await asyncio.wait(tasks, timeout=DEADLINE)
