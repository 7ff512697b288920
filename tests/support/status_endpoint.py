"""A status endpoint over a board, and clients of one: of its answers and of its events."""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import aiohttp

from placed.board.judging_before_showing import CatchUp
from placed.http.server import StatusServer
from placed.settings.output_settings import Http
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Mapping
    from types import TracebackType

    from placed.domain.action import Action, Outcome, Refusal
    from placed.domain.command_sink import CommandSink
    from placed.domain.no_show_report import NoShowReport
    from placed.domain.panel_signs import PanelSigns
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

    def __init__(  # noqa: PLR0913 - what it may be made of
        self,
        board_setup: BoardSetup,
        *,
        limits: Limits | None = None,
        trust: ssl.SSLContext | None = None,
        actions: CommandSink | None = None,
        signs: PanelSigns | None = None,
        no_shows: NoShowReport | None = None,
        steady: Callable[[], float] = time.monotonic,
        commands: Mapping[tuple[Action, Outcome, Refusal | None], int] = MappingProxyType({}),
        **settings: Any,
    ) -> None:
        self.board_setup = board_setup
        self._trust = trust
        self.server = StatusServer(
            Http(**{"listen": "127.0.0.1:0", **settings}),
            board_setup.board,
            now=board_setup.now,
            publisher=board_setup.bridge,
            sensors=board_setup.sensors,
            version="1.2.3",
            catch_up=CatchUp(board_setup.board, board_setup.now),
            limits=limits,
            actions=actions,
            signs=signs,
            no_shows=no_shows,
            commands=lambda: commands,
            steady=steady,
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


class Web:
    """`async with Web(url) as web: await web.json("/api/v1/rooms")`."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(self.url, headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        timeout = aiohttp.ClientTimeout(DEADLINE)
        async with self._session.get(path, timeout=timeout) as response:
            return response.status, await response.text()

    async def json(self, path: str) -> Any:
        timeout = aiohttp.ClientTimeout(DEADLINE)
        async with self._session.get(path, timeout=timeout) as response:
            return await response.json(content_type=None)

    async def room(self, room_id: str) -> Any:
        return await self.json(f"/api/v1/rooms/{room_id}")

    async def metric(self, name: str, **labels: str) -> float | None:
        """The value of a metric with just these labels; None if there is none."""
        wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
        _, text = await self.get("/metrics")
        found = re.search(rf"^{re.escape(f'{name}{{{wanted}}}')} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else None

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[Stream]:
        """The events, from the snapshot on."""
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get("/api/v1/events", timeout=timeout) as response:
            assert response.status == 200
            yield Stream(Listening(response))


class Stream:
    """The server-sent events."""

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    async def until(self, wanted: Callable[[ServerSentEvent], object]) -> ServerSentEvent:
        """The next event that is wanted."""
        async with asyncio.timeout(DEADLINE):
            while not wanted(reported := await self._listening.next()):
                pass
            return reported

    async def lines(self) -> AsyncIterator[str]:
        """Every line, until the stream ends."""
        while True:
            try:
                block = await self._listening.block()
            except EOFError:
                return
            for line in block:
                yield line

    async def state(self, room_id: str, **wanted: object) -> Any:
        """The next state of the room with these values."""
        reported = await self.until(lambda t: t.event == "state" and _is(t.data, room=room_id, **wanted))
        return reported.data

    async def health(self, connection: str, state: str) -> Any:
        """The next event with that state of a connection."""
        reported = await self.until(
            lambda t: t.event == "health" and _is(t.data, name=connection, state=state)
        )
        return reported.data


def _is(document: Any, **wanted: object) -> bool:
    return all(document[key] == value for key, value in wanted.items())
