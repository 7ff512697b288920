"""A line between two parts that can be spoilt: refused, cut, slow, stalled, or dead without a word."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Self

from tests.support.free_ports import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: what is not sent is dropped, and the peer gets a RST
_PIECE = 65536


class Line:
    """Listens on a port of its own and passes on to another, for the time of an `async with`.

    Args:
        target: the port that it leads to.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()  # it is the same again after it was refused
        self.connections = 0  # so far
        self._target = target
        self._server: asyncio.Server | None = None
        self._calls: set[_Call] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._swallowing = False
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay = 0.0
        self._piece = _PIECE
        self._left: int | None = None  # bytes until it is cut

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what may happen to it; each lasts as long as its `async with` ---

    @asynccontextmanager
    async def refused(self) -> AsyncIterator[None]:
        """Nobody listens, and what was connected is cut."""
        assert self._server is not None
        self._server.close()
        self._server = None
        self.cut()
        try:
            yield
        finally:
            await self._listen()

    @asynccontextmanager
    async def half_open(self) -> AsyncIterator[None]:
        """What is sent is lost, without an error: connections of that time stay dead for ever."""
        for call in self._calls:
            call.dead = True
        self._swallowing = True
        try:
            yield
        finally:
            self._swallowing = False

    @asynccontextmanager
    async def stalled(self) -> AsyncIterator[None]:
        """Nothing gets through; afterwards all of it does, late."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    @asynccontextmanager
    async def slow(self, delay: float, piece: int = 256) -> AsyncIterator[None]:
        """Everything is so many seconds late, and comes in small pieces."""
        self._delay, self._piece = delay, piece
        try:
            yield
        finally:
            self._delay, self._piece = 0.0, _PIECE

    @asynccontextmanager
    async def cut_after(self, size: int) -> AsyncIterator[None]:
        """After so many bytes, in both directions together, everything is cut; and again."""
        self._size = self._left = size
        try:
            yield
        finally:
            self._left = None

    def cut(self) -> None:
        """Ends every connection of now with a RST."""
        for call in list(self._calls):
            call.reset()

    # --- inside ---

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._called, HOST, self.port)

    def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._pass_on(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = _Call(writer)
        self._calls.add(call)
        try:
            with suppress(OSError):
                if self._swallowing:
                    call.dead = True
                    while await reader.read(_PIECE):
                        pass
                    return
                there_reader, there = await asyncio.open_connection(HOST, self._target)
                call.there = there
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pump(reader, there, call, towards=True))
                    group.create_task(self._pump(there_reader, writer, call, towards=False))
        finally:
            self._calls.discard(call)
            call.reset()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, call: _Call, *, towards: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(self._piece):
                if call.dead:
                    continue
                await self._flowing.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                if call.dead:
                    continue
                if self._left is not None:
                    data = data[: self._left]
                    self._left -= len(data)
                writer.write(data)
                await writer.drain()
                if self._left == 0:
                    self._left = self._size
                    break
        if call.dead and not towards:
            await call.ended.wait()  # one side has gone, and the other one gets no error
        call.reset()


class _Call:
    """One connection, from who called to who was called."""

    def __init__(self, here: asyncio.StreamWriter) -> None:
        self.here = here
        self.there: asyncio.StreamWriter | None = None
        self.dead = False
        self.ended = asyncio.Event()

    def reset(self) -> None:
        self.ended.set()
        for writer in (self.here, self.there):
            if writer is not None and not writer.transport.is_closing():
                with suppress(OSError):
                    sock: socket.socket = writer.get_extra_info("socket")
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
