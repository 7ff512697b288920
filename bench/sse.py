"""How soon everybody who follows /api/v1/events hears of a change.

    .venv/bin/python bench/sse.py                             500 clients, 5,500 rooms
    .venv/bin/python bench/sse.py --clients 100 --rooms 500

The status endpoint over a board runs in a process of its own, all clients in another, on this machine. It
measures from the moment before a reading is given to the board until a client has the last of what changed by
it: of one room, and of a tenth of all rooms at once, as at the full hour. Lateness of the clients themselves
counts, too. With --most it fails where the slowest took longer. It says, for example:

    clients  rooms  changed at once  p50 ms  p99 ms  max ms
        500   5500                1      40      84      88
        500   5500              550     272     587     592
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from placed.board import Board
from placed.http import StatusServer
from placed.model import Meeting, Room, Schedule
from placed.occupancy import Policy
from placed.settings import Http, Show

if TYPE_CHECKING:
    from collections.abc import Iterator

EPOCH = 7
DEADLINE = 60.0
DAY = timedelta(days=1)


# --- the server's process -----------------------------------------------------------------------------------


class NoBroker:
    """Nothing is published."""

    configured = False
    connected = False
    messages_published = 0
    reconnects = 0


class Building:
    """A board whose rooms turn busy and free on demand, and the endpoint over it."""

    def __init__(self, rooms: int) -> None:
        self.board = Board(Policy(), Show.NOTHING, _now, EPOCH)
        ids = [f"room-{number:05}" for number in range(rooms)]
        berlin = ZoneInfo("Europe/Berlin")
        self.board.enroll("contoso", [Room(i, "contoso", i, i, i.title(), berlin, "HQ", "3", 8) for i in ids])
        for room_id in ids:
            self._read(room_id, busy=False)
        self.server = StatusServer(
            Http(listen="127.0.0.1:0"), self.board, now=_now, bridge=NoBroker(), version="0"
        )
        self.board.listeners.append(self.server)
        self._turn = ((room_id, busy) for busy in _alternately() for room_id in ids)

    def change(self, number: int) -> dict[str, Any]:
        """So many rooms change; when that began, and the seq of the last."""
        began = time.monotonic()
        for _ in range(number):
            room_id, busy = next(self._turn)
            self._read(room_id, busy=busy)
        return {"began": began, "seq": self.board.seq}

    def _read(self, room_id: str, *, busy: bool) -> None:
        now = _now()
        meetings = (Meeting("m", now, now + timedelta(hours=1)),) if busy else ()
        self.board.learn(room_id, Schedule(meetings, now - DAY, now + DAY, now))


async def serve(rooms: int) -> None:
    """Answers each number on a line of stdin with what came of changing so many rooms."""
    building = Building(rooms)
    await building.server.start()
    _say({"url": building.server.url, "seq": building.board.seq})
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), os.fdopen(0, "rb", buffering=0)
    )
    async for line in lines:
        _say(building.change(int(line)))
    await building.server.stop()


def _alternately() -> Iterator[bool]:
    return (number % 2 == 0 for number in count())


def _now() -> datetime:
    return datetime.now(UTC)


def _say(document: dict[str, Any]) -> None:
    print(json.dumps(document), flush=True)


# --- the clients' process -----------------------------------------------------------------------------------


class Client(asyncio.Protocol):
    """Follows the events, and looks at nothing but their ids."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._rest = b""
        self.seq = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for what comes from now on, as a page does that has just read the listing."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a stream's
        request = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: {self._crowd.at}\r\n\r\n"
        transport.write(request.encode())

    def data_received(self, data: bytes) -> None:
        """Takes note of the newest id that has come whole."""
        text = self._rest + data
        place = text.rfind(b"\nid: ", 0, text.rfind(b"\n") - 4)
        if b"retry: " in data:
            self._crowd.joined()
        if place >= 0:
            self.seq = int(text[place + 5 : text.index(b"\n", place + 1)].partition(b"-")[2])
            self._crowd.heard(self)
        self._rest = text[-64:]

    def connection_lost(self, exc: Exception | None) -> None:
        """It must not be, while it is measured."""
        self._crowd.lost(exc)


class Crowd:
    """All clients, and who of them has heard of a change."""

    def __init__(self, clients: int, seq: int) -> None:
        self.at = f"{EPOCH}-{seq}"
        self._clients = clients
        self._waiting = asyncio.Semaphore(0)
        self._wanted = seq
        self._told: dict[Client, float] = {}

    def joined(self) -> None:
        """One more follows."""
        self._waiting.release()

    def heard(self, client: Client) -> None:
        """A client has something new; is it what all are waiting for?"""
        if client.seq >= self._wanted and client not in self._told:
            self._told[client] = time.monotonic()
            self._waiting.release()

    def lost(self, error: Exception | None) -> None:
        """A client is gone, which before the end makes the measure worthless."""
        if self._clients:
            raise SystemExit(f"a client was let go: {error}")

    async def all(self) -> None:
        """Everybody has joined, or has heard."""
        async with asyncio.timeout(DEADLINE):
            for _ in range(self._clients):
                await self._waiting.acquire()

    async def hear(self, server: Server, rooms: int) -> list[float]:
        """Has so many rooms change; the seconds until each client had heard of all of it."""
        self._told.clear()
        self._wanted = sys.maxsize  # what comes before the server has told us counts when it has
        change = await server.ask(rooms)
        self._wanted = change["seq"]
        for client in self.members:
            self.heard(client)
        await self.all()
        return [at - change["began"] for at in self._told.values()]

    async def gather(self, url: str) -> None:
        """Everybody comes."""
        loop, (host, _, port) = asyncio.get_running_loop(), url.removeprefix("http://").rpartition(":")
        made = [
            await loop.create_connection(lambda: Client(self), host, int(port)) for _ in range(self._clients)
        ]
        self.members = [client for _, client in made]
        await self.all()
        self._transports = [transport for transport, _ in made]

    def leave(self) -> None:
        """Everybody goes."""
        self._clients = 0
        for transport in self._transports:
            transport.abort()


class Server:
    """The other process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def listen(self) -> dict[str, Any]:
        """What it says next."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        async with asyncio.timeout(DEADLINE):
            document: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return document

    async def ask(self, rooms: int) -> dict[str, Any]:
        """Has so many rooms change."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(f"{rooms}\n".encode())
        return await self.listen()


async def measure(clients: int, rooms: int, times: int) -> dict[int, list[float]]:
    """Seconds, by how many rooms changed at once."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--serve",
        f"--rooms={rooms}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        server = Server(process)
        begun = await server.listen()
        crowd = Crowd(clients, begun["seq"])
        await crowd.gather(begun["url"])
        found: dict[int, list[float]] = {}
        for number in (1, max(1, rooms // 10)):
            found[number] = [s for _ in range(times) for s in await crowd.hear(server, number)]
        crowd.leave()
        return found
    finally:
        process.kill()
        await process.wait()


def main() -> None:
    """Reads the command line, measures, prints."""
    parser = argparse.ArgumentParser(description="How soon all who follow /api/v1/events hear of a change.")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--rooms", type=int, default=5500)
    parser.add_argument("--times", type=int, default=10, help="how often each change is made")
    parser.add_argument("--most", type=float, help="seconds; fails where the slowest took longer")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if given.serve:
        asyncio.run(serve(given.rooms))
        return
    found = asyncio.run(measure(given.clients, given.rooms, given.times))
    print("clients  rooms  changed at once  p50 ms  p99 ms  max ms")
    for number, seconds in found.items():
        p50, p99 = statistics.median(seconds), statistics.quantiles(seconds, n=100)[98]
        told = (p50, p99, max(seconds))
        print(
            f"{given.clients:7}  {given.rooms:5}  {number:15}", *(f"{s * 1000:6.0f}" for s in told), sep="  "
        )
    slowest = max(max(seconds) for seconds in found.values())
    if given.most is not None and slowest > given.most:
        sys.exit(f"the slowest took {slowest:.2f} s, more than {given.most:g} s")


if __name__ == "__main__":
    main()
