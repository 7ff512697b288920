"""The status endpoint over a board, and beside it a bare aiohttp.

    python -m tests.benchmarks.servers.status_endpoint

Both answer in this process, at addresses of their own, so that its processor time shows the cost of each.
The bare one answers with the very bytes that it was made to fetch from the other.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web

from placed.board.board import Board
from placed.board.judging_before_showing import CatchUp
from placed.domain.model import Meeting, Room, Schedule
from placed.domain.occupancy import Policy
from placed.domain.privacy import Show
from placed.http.server import StatusServer
from placed.runtime.current_publisher import NoBroker
from placed.settings.output_settings import Http
from tests.benchmarks.child_process import obey, report
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.servers import graph_responses

if TYPE_CHECKING:
    from collections.abc import Iterator

EPOCH = 7
EVENTS = "/api/v1/events"
LISTING = "/api/v1/rooms"
_AIOHTTPS = {"Date", "Content-Length", "Connection"}
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


class Building:
    """A board whose rooms turn busy and free on demand, and the endpoint over it."""

    def __init__(self, rooms: int) -> None:
        self.board = Board(Policy(), Show.NOTHING, _now, EPOCH)
        berlin = ZoneInfo("Europe/Berlin")
        ids = [f"room{number:05}" for number in range(rooms)]
        self.board.enroll(
            "contoso",
            [
                Room(
                    i,
                    "contoso",
                    graph_responses.address(n),
                    graph_responses.address(n),
                    f"Room {n}",
                    berlin,
                    "HQ",
                    "3",
                    8,
                )
                for n, i in enumerate(ids)
            ],
        )
        for room_id in ids:
            self._read(room_id, busy=False)
        self.server = StatusServer(
            Http(listen="127.0.0.1:0"),
            self.board,
            now=_now,
            publisher=NoBroker(),
            version="0",
            catch_up=CatchUp(self.board, _now),
        )
        self.board.listeners.append(self.server)
        self._turn = ((room_id, busy) for busy in _alternately() for room_id in ids)

    def change(self, number: int) -> None:
        """So many rooms change, one after the other."""
        for _ in range(number):
            room_id, busy = next(self._turn)
            self._read(room_id, busy=busy)

    def _read(self, room_id: str, *, busy: bool) -> None:
        now = _now()
        later = tuple(Meeting(f"m{n}", now + n * _HOUR, now + n * _HOUR + _HOUR / 2) for n in range(1, 8))
        meetings = (Meeting("m", now, now + _HOUR / 2), *later) if busy else later
        self.board.learn(room_id, Schedule(meetings, now - _DAY, now + _DAY, now))


class Bare:
    """An aiohttp that does nothing but answer."""

    def __init__(self) -> None:
        self.url = ""
        self.tag = ""
        self.frames = b""  # to send
        self._listing = self._packed = b""
        self._fields: dict[str, str] = {}
        self._packed_fields: dict[str, str] = {}
        self._streams: list[web.StreamResponse] = []
        self._over = asyncio.Event()

    async def start(self) -> None:
        """Answers from now on."""
        app = web.Application()
        app.router.add_get("/listing", self._answer)
        app.router.add_get("/packed", self._answer_packed)
        app.router.add_get("/unchanged", self._answer_unchanged)
        app.router.add_get(EVENTS, self._stream)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def fetch(self, url: str) -> None:
        """Takes over what is answered there."""
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            async with session.get(url, headers={"Accept-Encoding": "identity"}) as response:
                self._listing, self.tag = await response.read(), response.headers["ETag"]
                self._fields = _own_fields(response)
            async with session.get(url, headers={"Accept-Encoding": "gzip"}) as response:
                self._packed, self._packed_fields = await response.read(), _own_fields(response)

    async def send(self) -> None:
        """Writes the same to every client that follows."""
        for stream in self._streams:
            await stream.write(self.frames)

    async def _answer(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._listing, headers=self._fields)

    async def _answer_packed(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._packed, headers=self._packed_fields)

    async def _answer_unchanged(self, _request: web.Request) -> web.Response:
        return web.Response(status=304, headers=self._fields)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        await stream.write(b"retry: 2000\n\n")
        self._streams.append(stream)
        await self._over.wait()
        return stream


def _own_fields(response: aiohttp.ClientResponse) -> dict[str, str]:
    """The header fields of an answer, apart from those that aiohttp adds by itself."""
    return {name: value for name, value in response.headers.items() if name not in _AIOHTTPS}


async def serve(rooms: int) -> None:
    """Answers until its standard input ends."""
    building, bare = Building(rooms), Bare()
    await building.server.start()
    await bare.start()
    await bare.fetch(building.server.url + LISTING)
    report({"url": building.server.url, "bare": bare.url, "tag": bare.tag, "seq": building.board.seq})

    async def answer(command: dict[str, Any]) -> Any:
        began = time.monotonic()
        match command["command"]:
            case "spent":
                return time.process_time()
            case "change":
                building.change(command["rooms"])
                return {"began": began, "seq": building.board.seq}
            case "frames":
                bare.frames = await asyncio.to_thread(Path(command["file"]).read_bytes)
            case "send":
                await bare.send()
                return {"began": began}
        return None

    await obey(answer)


def _alternately() -> Iterator[bool]:
    return (number % 2 == 0 for number in count())


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="The status endpoint, and a bare aiohttp beside it.")
    parser.add_argument("--rooms", type=int, default=5500)
    given = parser.parse_args()
    settle_on(1)
    allow_many_files()
    asyncio.run(serve(given.rooms))


def allow_many_files() -> None:
    """As many connections as the system has for us."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
