"""One client of the event stream: how far it has got, and whether it can be told more without a wait."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from aiohttp.http import StreamWriter

from placed.http.limits import STREAM_BUFFER

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web


class Follower:
    """A client that follows. It is its own bell: there is news for it when it is set.

    Args:
        request: that it came with.
        wanted: the rooms that it asks for; None for all of them, and for the connections.
        news: is called when there is some.
    """

    def __init__(
        self, request: web.Request, wanted: frozenset[str] | None, news: Callable[[Follower], None]
    ) -> None:
        self.wanted = wanted
        self.rooms_at = 0  # the seq that it has got to
        self.health_at = 0  # the same of connections
        self.waits = False  # it has everything, and its task sleeps
        self.awake = asyncio.Event()  # its task has something to do
        self.timed_at = 0.0  # when it was sent the time, by the loop's clock
        self._protocol = request.protocol
        self._news = news
        self._writer: StreamWriter | None = None

    async def begin(self, request: web.Request, response: web.StreamResponse) -> None:
        """The answer's head is sent."""
        writer = await response.prepare(request)
        assert isinstance(writer, StreamWriter)  # noqa: S101 - it was not prepared before
        self._writer = writer
        connection = request.get_extra_info("socket")
        if connection is not None:  # the client is still there
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, STREAM_BUFFER)

    def set(self) -> None:
        """There is news for it."""
        self._news(self)

    def clear(self) -> None:
        """It is about to read the news."""
        self.awake.clear()

    @property
    def at_leisure(self) -> bool:
        """Whether it waits for news, and has read all that it was told."""
        return self.waits and not self._protocol.writing_paused

    async def write(self, frames: bytes) -> None:
        """Tells it something, as fast as it reads."""
        await self._write(frames, wait=True)

    async def push(self, frames: bytes) -> None:
        """Tells it something without a wait: not much, and only to who has read what came before."""
        await self._write(frames, wait=False)

    async def _write(self, frames: bytes, *, wait: bool) -> None:
        assert self._writer is not None  # noqa: S101 - it has begun
        await self._writer.write(frames, drain=wait)
