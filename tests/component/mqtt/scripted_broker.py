"""A server in a broker's place that answers a CONNECT by a script."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

LET_IN = {5: b"\x20\x03\0\0\0", 4: b"\x20\x02\0\0"}  # CONNACK, by the level of the protocol
UNKNOWN_VERSION = b"\x20\x02\0\x01"  # as brokers of 3.1.1 answer, to a CONNECT of any version


class Listener:
    """Answers the first bytes of each connection.

    Args:
        answer: takes these bytes and how many came before; gives what is answered, or None to hang up.
    """

    def __init__(self, answer: Callable[[bytes, int], bytes | None]) -> None:
        self.port = free_port()
        self.heard: list[bytes] = []
        self.serving: set[asyncio.Task[None]] = set()
        self._answer = answer

    @property
    def url(self) -> str:
        """Its address, as of a broker."""
        return f"mqtt://{HOST}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. After an empty answer it stays open and sends nothing."""
        task = asyncio.current_task()
        assert task is not None
        self.serving.add(task)
        data = await reader.read(4096)
        self.heard.append(data)
        answer = self._answer(data, len(self.heard) - 1)
        if answer is not None:
            writer.write(answer)
            await reader.read()  # until the other side ends it
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def level(data: bytes) -> int | None:
    """The protocol's level of a CONNECT; None if it is none."""
    return data[data.index(b"MQTT") + 4] if data.startswith(b"\x10") and b"MQTT" in data else None


@asynccontextmanager
async def listening(answer: Callable[[bytes, int], bytes | None]) -> AsyncIterator[Listener]:
    """It listens."""
    listener = Listener(answer)
    server = await asyncio.start_server(listener.serve, HOST, listener.port)
    try:
        yield listener
    finally:
        server.close()
        await server.wait_closed()
        if listener.serving:  # every connection was served to its end
            await asyncio.wait(listener.serving, timeout=DEADLINE)
