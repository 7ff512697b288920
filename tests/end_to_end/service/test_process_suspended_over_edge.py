"""A process that is stopped over an edge and goes on: nothing that it then answers is of before."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.deadlines import DEADLINE
from tests.support.placed_process import Program

if TYPE_CHECKING:
    from tests.support.deployment import Deployment

HEAD = "HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
PATHS = (
    "/api/v1/rooms/room-99",
    "/api/v1/rooms",
    "/api/v1/rooms?status=free",
    "/api/v1/rooms?free_for=5m",
    "/api/v1/days",
    "/metrics",
    "/readyz",
)
MANY = 150
SUSPENDED = 5  # seconds; a connection without a request is closed after ten
AHEAD = 15  # seconds in which a running daemon reads a new booking, on a busy machine too


async def whole(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(DEADLINE):
        answer = await reader.read()
    return answer.partition(b"\r\n\r\n")[2]


async def frames(reader: asyncio.StreamReader, number: int) -> list[dict[str, Any]]:
    """So many states of rooms, as they come."""
    found: list[dict[str, Any]] = []
    event = b""
    async with asyncio.timeout(DEADLINE):
        while len(found) < number:
            read = await reader.readline()
            assert read, "the stream ended"
            line = read.strip()
            if line.startswith(b"event: "):
                event = line
            elif line.startswith(b"data: ") and event == b"event: state":
                found.append(json.loads(line[6:]))
    return found


async def is_past(moment: datetime) -> None:
    """Waits until the clock shows it."""
    left = (moment - datetime.now(UTC)).total_seconds()
    await asyncio.sleep(max(0.0, left) + 0.05)


def is_true(room: dict[str, Any], after: datetime) -> bool:
    return room["status"] == "unknown" or datetime.fromisoformat(room["valid_until"]) > after


class Waiting:
    """Connections that are open already, with a request on each while nobody reads it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def connect(self, number: int) -> None:
        self._open += [await asyncio.open_connection("127.0.0.1", self._port) for _ in range(number)]

    def ask(self, number: int, path: str) -> asyncio.StreamReader:
        reader, writer = self._open[number]
        writer.write(f"GET {path} {HEAD}".encode())
        return reader

    def close(self) -> None:
        for _, writer in self._open:
            writer.close()


@pytest.mark.parametrize("edge", ["a meeting starts", "what is known expires"])
async def test_requests_that_waited_are_answered_as_of_now(deployment: Deployment, edge: str) -> None:
    starts = edge == "a meeting starts"
    ages = {} if starts else {"stale_after": "2s", "expire_after": "4s"}
    for number in range(MANY):  # more than are judged in one go
        deployment.tenant.add_room(f"room-{number}")
    polling = {"interval": "1s" if starts else "30s"}
    deployment.configure(occupancy={"lead": "0s", **ages}, polling=polling)
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with deployment.listener() as panel, Program.start(deployment.folder, *arguments) as program:
        url = (await program.logged("http.is_listening"))["url"]
        await panel.until(
            lambda a: a.topic == "placed/rooms/room-99/state" and a.document["status"] == "free"
        )
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=AHEAD)
        if starts:
            for room in deployment.tenant.rooms():
                deployment.tenant.book(room, start, start + timedelta(minutes=30))
            await panel.until(
                lambda a: a.topic == "placed/rooms/room-99/state" and a.document["next"] is not None
            )
            await is_past(start - timedelta(seconds=SUSPENDED))
        waiting = Waiting(int(url.rpartition(":")[2]))
        await waiting.connect(len(PATHS) + 3)
        followed = waiting.ask(-3, "/api/v1/events?room=room-99")
        (shown,) = await frames(followed, 1)
        program.signal(signal.SIGSTOP)
        try:
            asked = [waiting.ask(number, path) for number, path in enumerate(PATHS)]
            new = waiting.ask(-2, "/api/v1/events?room=room-99")
            resumed = waiting.ask(-1, f"/api/v1/events?room=room-99&last_event_id={shown['epoch']}-0")
            await is_past(start if starts else datetime.now(UTC) + timedelta(seconds=6))
            await panel.caught_up()  # with what was published before the daemon was suspended
            went_on, before = datetime.now(UTC), len(panel.arrivals)
        finally:
            program.signal(signal.SIGCONT)
        bodies = [await whole(reader) for reader in asked]
        reported = [json.loads(bodies[0]), *(await frames(new, 1)), *(await frames(resumed, 1))]
        if starts:
            reported += await frames(followed, 1)
            assert {room["status"] for room in reported} == {"busy"}
            assert b'placed_room_status{room="room-99",status="free"} 0.0' in bodies[5]
            output = await panel.until(lambda a: a.topic == "placed/rooms/room-99/state", after=before)
            assert output.document["status"] == "busy"
        for body in bodies[1:4]:
            reported += json.loads(body)["rooms"]
        states = [a for a in panel.arrivals[before:] if "/rooms/" in a.topic and a.topic.endswith("/state")]
        reported += [state.document for state in states]
        assert [room for room in reported if not is_true(room, went_on)] == []
        waiting.close()
