"""Stands between a browser and the daemon: counts and keeps what is sent, and can cut the line."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Relay:
    """`async with Relay(url) as relay: await page.goto(relay.url)`.

    Args:
        target: the daemon's address.
        plain: lets the browser ask for no packed answers, so that what is sent can be read.
    """

    def __init__(self, target: str, *, plain: bool = False) -> None:
        self.host, _, port = target.removeprefix("http://").partition(":")
        self.port = int(port)
        self.url = ""
        self.sent = bytearray()  # to the browser
        self.asked = bytearray()  # by the browser
        self.answer = b""  # to whatever is asked, in place of the daemon
        self._plain = plain
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: socket.socket | None = None

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()

    async def restore(self) -> None:
        """The line is there (again), at the same address."""
        port = int(self.url.rpartition(":")[2]) if self.url else 0
        self._listening = listening = socket.create_server(("127.0.0.1", port))
        listening.settimeout(0.0)
        # No asyncio.Server: it leaves a socket open that it accepts just before it is closed.
        asyncio.get_running_loop().add_reader(listening, self._accept, listening)
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    def hold(self) -> None:
        """Nothing gets through any more, and nothing shows it: connections stay open, new ones are taken."""
        self._open.clear()

    def let_go(self) -> None:
        """What was held gets through."""
        self._open.set()

    async def cut(self) -> None:
        """Nobody gets through."""
        if self._listening is not None:
            asyncio.get_running_loop().remove_reader(self._listening)
            self._listening.close()
            self._listening = None
        for task in self._tasks:  # also of one that is still on its way to the daemon
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # it has gone again
            accepted, _ = listening.accept()
            accepted.settimeout(0.0)
            task = asyncio.create_task(self._serve(accepted))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            # Here, not in the task: one that is cancelled before its first step never runs.
            task.add_done_callback(lambda _: accepted.close())

    async def _serve(self, accepted: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=accepted)
        try:
            await self._relay(reader, writer)
        finally:
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._open.wait()
            if self.answer:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(self.answer)
                await writer.drain()
                return
            there_reader, there_writer = await asyncio.open_connection(self.host, self.port)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass(reader, there_writer, self.asked, plain=self._plain))
                    group.create_task(self._pass(there_reader, writer, self.sent))
            finally:
                there_writer.transport.abort()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the daemon is not there, or the browser has gone

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        kept: bytearray,
        *,
        plain: bool = False,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._open.wait()
                kept += data
                writer.write(data.replace(b"gzip", b"none") if plain else data)
                await writer.drain()
        await self._open.wait()  # held: the end of the other side is not passed on either
        writer.transport.abort()
