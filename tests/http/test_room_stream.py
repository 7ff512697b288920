"""What `placed rooms` follows: it knows when it may believe what it has, and when no more."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from placed.cli import room_stream
from placed.cli.room_stream import Access, RoomStream
from tests.browser.relay import Relay
from tests.http.endpoint import LONG, Endpoint

if TYPE_CHECKING:
    import pytest

    from tests.http.boards import Site


async def test_a_daemon_that_is_silent_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though its connections stay open, as behind a proxy, or where it stands still."""
    monkeypatch.setattr(room_stream, "_SILENCE", 0.5)
    endpoint = Endpoint(site)
    endpoint.server._events._keep_alive = 0.05
    news = asyncio.Event()
    async with (
        endpoint,
        Relay(endpoint.server.url) as relay,
        room_stream.session(Access(None, trust=True)) as client,
        asyncio.timeout(LONG),
    ):
        stream = RoomStream(client, relay.url, news.set)
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
