"""A client that reads little, and only when the test asks it to."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Self

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.status_endpoint import Endpoint

_WHOLE = 65536  # bytes that are read at once


class SlowReader:
    """`async with SlowReader(endpoint, "/api/v1/rooms") as slow`: it has asked, and read nothing.

    Args:
        endpoint: whom it asks.
        path: for what.
        protocol: with HTTP/1.0 the body comes as it is, not in chunks.
    """

    def __init__(self, endpoint: Endpoint, path: str, *, protocol: str = "HTTP/1.1") -> None:
        self.received = b""
        self._at = endpoint.at
        self._request = f"GET {path} {protocol}\r\nHost: localhost\r\n\r\n".encode()
        self._socket = socket.socket()
        self._socket.settimeout(0)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self._loop.sock_connect(self._socket, self._at)
        await self._loop.sock_sendall(self._socket, self._request)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def read(self, until: bytes) -> None:
        """Reads until something has come."""
        async with asyncio.timeout(DEADLINE):
            while until not in self.received[-200_000:]:
                await self._more()

    async def read_on(self, since: bytes, until: bytes) -> None:
        """The same, of what comes after something else, which has to come first."""
        await self.read(since)
        begin = self.received.index(since)
        async with asyncio.timeout(DEADLINE):
            while until not in self.received[begin:]:
                await self._more()

    async def drip(self, enough: Callable[[], object], pause: float) -> int:
        """Reads a byte now and then until it is enough, and then what is left; how much there was."""
        read = 0
        with suppress(ConnectionResetError), closing(self._socket):
            async with asyncio.timeout(DEADLINE):
                while chunk := await self._loop.sock_recv(self._socket, 1 if not enough() else _WHOLE):
                    read += len(chunk)
                    await asyncio.sleep(0 if enough() else pause)
        return read

    async def _more(self) -> None:
        chunk = await self._loop.sock_recv(self._socket, _WHOLE)
        if not chunk:
            raise EOFError
        self.received += chunk
