"""What `placed rooms` follows: it knows when it may believe what it has, and when no more."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from placed.cli import daemon_clock, room_stream
from placed.cli.daemon_clock import DaemonClock
from placed.cli.room_stream import Access, NoAnswer, RoomStream
from placed.domain.clock import SystemClock
from tests.support.deadlines import DEADLINE
from tests.support.http_relay import Relay
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from tests.support.board_setup import BoardSetup


@pytest.mark.slow  # real time: silence is noticed after a second
async def test_a_daemon_that_is_silent_is_away(
    board_setup: BoardSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though its connections stay open, as behind a proxy, or where it stands still."""
    monkeypatch.setattr(room_stream, "_SILENCE", 0.5)
    endpoint = Endpoint(board_setup)
    endpoint.server._events._keep_alive = 0.05
    news = asyncio.Event()
    async with (
        endpoint,
        Relay(endpoint.server.url) as relay,
        room_stream.session(Access(None, trust=True)) as client,
        asyncio.timeout(DEADLINE),
    ):
        stream = RoomStream(client, relay.url, news.set, DaemonClock(SystemClock()))
        following = asyncio.create_task(stream.run())

        async def until(*, lost: bool) -> None:
            while (stream.lost is not None) is not lost:
                news.clear()
                await news.wait()

        await until(lost=False)
        assert stream.rooms.keys() == {"atrium", "boardroom", "library"}  # all of it came before
        relay.hold()
        await until(lost=True)
        relay.let_go()
        await until(lost=False)
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following


@dataclass
class HandClock:
    """A machine's clocks, as the test sets them."""

    wall: datetime
    seconds: float = 100.0

    def now(self) -> datetime:
        return self.wall

    def steady(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)


@pytest.mark.parametrize("wrong", [timedelta(hours=-2), timedelta(0), timedelta(days=3)])
async def test_rooms_are_judged_by_the_daemons_time(board_setup: BoardSetup, wrong: timedelta) -> None:
    """As pages do: this machine's clock may be wrong, as may the daemon's own, which corrects it."""
    hand = HandClock(board_setup.now() + wrong)
    clock = DaemonClock(hand)
    assert clock.now() == hand.wall  # there is nothing better
    async with Endpoint(board_setup) as endpoint, room_stream.session(Access(None, trust=True)) as client:
        await room_stream.listing(client, endpoint.server.url, clock)
    assert abs(clock.now() - board_setup.now()) < timedelta(seconds=1)
    hand.seconds += 60
    assert abs(clock.now() - board_setup.now() - timedelta(minutes=1)) < timedelta(seconds=1)


def test_the_time_is_the_latest_that_it_can_be() -> None:
    hand = HandClock(NOON)
    clock = DaemonClock(hand)
    clock.set_from_answer("no time", 0.0)
    assert clock.now() == NOON
    hand.seconds = 103.0
    clock.set_from_answer(
        "2026-01-08T11:00:00.000Z", 100.0
    )  # it took three seconds, on the way there or back
    assert clock.now() == datetime(2026, 1, 8, 11, 0, 3, tzinfo=UTC)
    assert clock.delay_of(datetime(2026, 1, 8, 11, 0, 1, tzinfo=UTC)) == timedelta(seconds=2)
    assert clock.delay_of(datetime(2026, 1, 8, 11, 0, 9, tzinfo=UTC)) == timedelta(0)
    assert clock.now() == datetime(2026, 1, 8, 11, 0, 9, tzinfo=UTC)
    assert daemon_clock.read_time("2026-13-41T99:00:00Z") is None


async def streaming(
    *pieces: bytes, media_type: str = "text/event-stream", reported: str = "", pause: float = 0.0
) -> web.AppRunner:
    """Something that answers to whatever is asked with this, and then keeps silent."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": media_type, "Placed-Time": reported})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(pause)
        await asyncio.sleep(DEADLINE)
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner


STATE = (
    b'event: state\nid: 7-1\ndata: {"room":"atrium","name":"Atrium","status":"free","stale":false,'
    b'"valid_until":"2026-01-08T12:15:00Z"}\n\n'
)
LATE = b": keep-alive 2026-01-08T11:59:30.000Z\n\n"


@pytest.mark.parametrize(
    ("media_type", "pieces", "why"),
    [
        ("text/html", [b"<style>\n\n:root {}\n\n</style>"], "the answer is not from a placed daemon"),
        ("text/event-stream", [STATE, LATE], "the daemon's event stream is delayed"),
    ],
)
async def test_foreign_and_outdated_events_are_ignored(
    media_type: str, pieces: list[bytes], why: str
) -> None:
    runner = await streaming(*pieces, media_type=media_type, reported="2026-01-08T12:00:00.000Z")
    async with room_stream.session(Access(None, trust=True)) as client, asyncio.timeout(DEADLINE):
        stream = RoomStream(client, address(runner), lambda: None, DaemonClock(HandClock(NOON)))
        with pytest.raises(NoAnswer, match=why):
            await stream.run()
    assert stream.lost == "not connected yet"
    await runner.cleanup()


@pytest.mark.slow  # real time: silence is noticed after a second
@pytest.mark.parametrize("comment", [b": keep-alive\n\n", b": keep-alive 2026-01-08T12:00:00.000Z\n\n"])
async def test_a_daemon_of_before_is_given_the_time_that_it_takes(
    monkeypatch: pytest.MonkeyPatch, comment: bytes
) -> None:
    """It sends a comment only every 15 seconds, without the time."""
    monkeypatch.setattr(room_stream, "_SILENCE", 0.2)
    runner = await streaming(STATE, comment, reported="2026-01-08T12:00:00.000Z")
    live, quiet = asyncio.Event(), asyncio.Event()

    def news() -> None:
        if stream.lost is None:
            live.set()
        elif live.is_set():
            quiet.set()

    async with room_stream.session(Access(None, trust=True)) as client, asyncio.timeout(DEADLINE):
        stream = RoomStream(client, address(runner), news, DaemonClock(HandClock(NOON)))
        following = asyncio.create_task(stream.run())
        await live.wait()
        if b"T" in comment:
            await quiet.wait()
        else:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await quiet.wait()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
    await runner.cleanup()


async def test_an_earlier_daemon_version_with_constant_events_is_accepted_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It sends a comment only where it has nothing else to send."""
    monkeypatch.setattr(room_stream, "_PATIENCE", 0.5)
    runner = await streaming(*[STATE] * 1000, reported="2026-01-08T12:00:00.000Z", pause=0.02)
    live = asyncio.Event()

    def news() -> None:
        if stream.lost is None:
            live.set()

    async with room_stream.session(Access(None, trust=True)) as client, asyncio.timeout(DEADLINE):
        stream = RoomStream(client, address(runner), news, DaemonClock(HandClock(NOON)))
        following = asyncio.create_task(stream.run())
        await live.wait()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
    await runner.cleanup()


def address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0]
    return f"http://{host}:{port}"
