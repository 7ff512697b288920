"""A client of the status endpoint."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from tests.support.deadlines import DEADLINE
from tests.support.status_endpoint import Listening, ServerSentEvent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType


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
        """The next time that a connection is told to be in the state."""
        reported = await self.until(
            lambda t: t.event == "health" and _is(t.data, name=connection, state=state)
        )
        return reported.data


def _is(document: Any, **wanted: object) -> bool:
    return all(document[key] == value for key, value in wanted.items())
