"""A running status endpoint and a client of it, over loopback."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import aiohttp

from placed.http.server import StatusServer
from placed.settings.output_tables import Http
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping
    from types import TracebackType

    from placed.http.limits import Limits
    from tests.support.board_setup import BoardSetup


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ids(self) -> list[str]:
        """Of a listing's rooms."""
        return [room["room"] for room in self.json["rooms"]]


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """A server-sent event."""

    event: str
    id: str | None
    data: Any


class Listening:
    """A client of the event stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.lines: list[str] = []

    async def block(self) -> list[str]:
        """The next lines up to an empty one."""
        lines: list[str] = []
        async with asyncio.timeout(DEADLINE):
            async for raw in self.response.content:
                line = raw.decode().removesuffix("\n")
                if not line:
                    return lines
                lines.append(line)
        raise EOFError

    async def next(self) -> ServerSentEvent:
        """The next event; comments and `retry` are passed over."""
        while True:
            fields = dict(line.split(": ", 1) for line in await self.block() if not line.startswith(":"))
            if "event" in fields:
                return ServerSentEvent(fields["event"], fields.get("id"), json.loads(fields["data"]))

    async def take(self, number: int) -> list[ServerSentEvent]:
        return [await self.next() for _ in range(number)]


class Endpoint:
    """`async with Endpoint(site) as endpoint: await endpoint.get("/healthz")`."""

    def __init__(
        self,
        board_setup: BoardSetup,
        *,
        limits: Limits | None = None,
        trust: ssl.SSLContext | None = None,
        **settings: Any,
    ) -> None:
        self.board_setup = board_setup
        self._trust = trust
        self.server = StatusServer(
            Http(**{"listen": "127.0.0.1:0", **settings}),
            board_setup.board,
            now=board_setup.now,
            publisher=board_setup.bridge,
            version="1.2.3",
            limits=limits,
        )

    async def __aenter__(self) -> Self:
        self.board_setup.board.listeners.append(self.server)
        await self.server.start()
        self.session = aiohttp.ClientSession(
            self.server.url,
            auto_decompress=False,
            connector=aiohttp.TCPConnector(ssl=self._trust or True),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()
        await self.server.stop()

    @property
    def at(self) -> tuple[str, int]:
        """Host and port."""
        parts = urlsplit(self.server.url)
        assert parts.hostname
        assert parts.port
        return parts.hostname, parts.port

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        given = {"Accept-Encoding": "identity", **(headers or {})}
        timeout = aiohttp.ClientTimeout(DEADLINE)
        async with self.session.request(method, path, headers=given, timeout=timeout, **more) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        return await self.ask("GET", path, headers)

    @asynccontextmanager
    async def listen(
        self, query: str = "", headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Listening]:
        """Follows the events."""
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.session.get(f"/api/v1/events{query}", headers=headers, timeout=timeout) as response:
            assert response.status == 200, await response.text()
            yield Listening(response)
