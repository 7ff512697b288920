"""A client that asks for the same thing over and over and looks at nothing but how long an answer is."""

from __future__ import annotations

import asyncio
import re
from typing import Self
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"


class Reader(asyncio.Protocol):
    """One connection.

    Args:
        request: what it asks, to the last byte.
    """

    def __init__(self, request: bytes) -> None:
        self.status = 0  # of the last answer
        self.length = 0  # of the last answer's body
        self._request = request
        self._head = b""
        self._missing = 0
        self._answered: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def connect(cls, url: str, fields: bytes = b"") -> Self:
        """Connects, with these header fields for its request, each with its end of line."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
        request = b"GET %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (parts.path.encode(), host.encode(), fields)
        _, reader = await asyncio.get_running_loop().create_connection(lambda: cls(request), host, port)
        return reader

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    async def ask(self, times: int) -> None:
        """One request after the other."""
        assert self._transport is not None
        for _ in range(times):
            self._answered = asyncio.get_running_loop().create_future()
            self._transport.write(self._request)
            await self._answered

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        if not self._missing:
            self._head += data
            end = self._head.find(_END)
            if end < 0:
                return
            found = _LENGTH.search(self._head, 0, end + 2)
            self.status = int(self._head[9:12])
            self.length = int(found[1]) if found else 0
            self._missing = self.length - (len(self._head) - end - len(_END))
            self._head = b""
        else:
            self._missing -= len(data)
        if not self._missing and self._answered is not None:
            self._answered.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """It must not be while something is asked."""
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(exc or ConnectionError("the server has hung up"))

    def close(self) -> None:
        """Asks nothing more."""
        if self._transport is not None:
            self._transport.abort()
