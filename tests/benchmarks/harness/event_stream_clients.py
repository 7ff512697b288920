"""Many clients that follow the events, all in this process, and when each of them has heard of a change."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from tests.benchmarks.servers.status_endpoint import EPOCH, EVENTS

if TYPE_CHECKING:
    from tests.benchmarks.child_process import Child

DEADLINE = 60.0


class Follower(asyncio.Protocol):
    """Follows the events, and looks at nothing but their ids."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._end = b""  # of what came last
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for what comes from now on, as a page does that has just read the listing."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._crowd.transports.append(transport)
        transport.write(
            b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: %b\r\n\r\n"
            % (EVENTS.encode(), self._crowd.at.encode())
        )

    def data_received(self, data: bytes) -> None:
        """Takes note of the newest id that has come whole."""
        if self._transport is self._crowd.transports[0]:
            self._crowd.frames += data
        text = self._end + data
        place = text.rfind(b"\nid: ", 0, text.rfind(b"\n") - 4)
        if b"retry: " in data:
            self._crowd.joined()
        if place >= 0:
            seq = int(text[place + 5 : text.index(b"\n", place + 1)].partition(b"-")[2])
            self._crowd.heard(self, seq)
        self._end = text[-64:]

    def connection_lost(self, exc: Exception | None) -> None:
        """It must not be, while it is measured."""
        self._crowd.lost(exc)


class Crowd:
    """All clients of one address.

    Args:
        clients: how many there are to be.
        seq: of the board as it is.
    """

    def __init__(self, clients: int, seq: int) -> None:
        self.at = f"{EPOCH}-{seq}"
        self.transports: list[asyncio.Transport] = []
        self.frames = bytearray()  # of the last change
        self._clients = clients
        self._waiting = asyncio.Semaphore(0)
        self._heard: dict[Follower, float] = {}
        self._wanted = 0
        self._lost: Exception | None = None
        self._leaving = False

    async def gather(self, url: str) -> None:
        """Everybody comes."""
        loop, (host, _, port) = asyncio.get_running_loop(), url.removeprefix("http://").rpartition(":")
        for _ in range(self._clients):
            await loop.create_connection(lambda: Follower(self), host, int(port))
        await self._all()

    async def hear(self, server: Child, seq: int, command: str, **more: Any) -> list[float]:
        """Has the server send a change up to `seq`; returns the seconds until each client had all of it."""
        self._heard.clear()
        self.frames.clear()
        self._wanted = seq
        server.send(command, **more)
        began = (await server.hear())["began"]
        await self._all()
        return [at - began for at in self._heard.values()]

    def joined(self) -> None:
        """One more follows."""
        self._waiting.release()

    def heard(self, client: Follower, seq: int) -> None:
        """A client has something new; is it what all are waiting for?"""
        if seq >= self._wanted and client not in self._heard:
            self._heard[client] = time.monotonic()
            self._waiting.release()

    def lost(self, error: Exception | None) -> None:
        """A client is gone, which before the end makes the measure worthless."""
        if not self._leaving:
            self._lost = ConnectionError(f"a client was let go: {error}")
            self._waiting.release()

    def leave(self) -> None:
        """Everybody goes."""
        self._leaving = True
        for transport in self.transports:
            transport.abort()

    async def _all(self) -> None:
        """Everybody has joined, or has heard."""
        async with asyncio.timeout(DEADLINE):
            for _ in range(self._clients):
                await self._waiting.acquire()
                if self._lost is not None:
                    raise self._lost
