"""What a campaign is made of: the truth, the schedule and the line, each tried by itself."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from placed_microsoft365.simulator import Tenant
from tests.fault_injection import campaign  # noqa: F401 - it fills the catalogue
from tests.fault_injection.fault_catalogue import CATALOGUE
from tests.fault_injection.fault_schedule import Planned, storms
from tests.fault_injection.ground_truth import occupying
from tests.fault_injection.network_link import Line
from tests.fault_injection.promise import Promise
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

BERLIN = ZoneInfo("Europe/Berlin")
WALL = 1_791_273_600.0  # when the steady clock shows 0
PROMISE = Promise(budget=12.0, fresh=4.0, recovery=10.0, grace=2.0)


# --- the truth ----------------------------------------------------------------------------------------------


def test_the_truth_about_rooms_is_computed_without_code_of_placed() -> None:
    tenant = Tenant(now=lambda: datetime(2026, 10, 25, 12, tzinfo=UTC))
    tenant.add_room("room")
    day = date(2026, 10, 25)
    noon = datetime(2026, 10, 25, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    tenant.book("room", noon, noon + hour)
    tenant.book("room", noon + hour, noon + 2 * hour)
    tenant.book("room", noon + 4 * hour, noon + 5 * hour, show_as="free")
    tenant.cancel(tenant.book("room", noon + 6 * hour, noon + 7 * hour))
    tenant.book("room", noon + 8 * hour, noon + 8 * hour)
    assert occupying(tenant.meetings("room"), BERLIN) == ((noon.timestamp(), (noon + 2 * hour).timestamp()),)
    tenant.book("room", day, day + timedelta(days=1), all_day=True)
    ((start, end),) = occupying(tenant.meetings("room"), BERLIN)
    assert end - start == 25 * 3600  # summer time ends on that day


# --- the schedule -------------------------------------------------------------------------------------------


def first(seed: int, count: int = 40) -> list[tuple[Planned, ...]]:
    kinds = {name: entry.kind for name, entry in CATALOGUE.items()}
    made = storms(kinds, seed)
    return [next(made) for _ in range(count)]


def test_a_seed_repeats_its_schedule_and_another_has_another() -> None:
    assert first(1) == first(1)
    assert first(1) != first(2)


def test_every_kind_has_its_turn_alone_and_together_and_what_excludes_each_other_is_apart() -> None:
    made = first(3, 60)
    assert {planned.name for storm in made for planned in storm} == set(CATALOGUE)
    assert {len(storm) for storm in made} == set(range(1, 9))
    for storm in made:
        for one in storm:
            for other in storm:
                kinds = CATALOGUE[one.name].kind, CATALOGUE[other.name].kind
                if one is not other and kinds[0].lanes & kinds[1].lanes:
                    assert one.at + one.seconds < other.at or other.at + other.seconds < one.at


# --- the line -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def echo() -> AsyncIterator[Line]:
    """A line to a server that sends everything back."""

    async def again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(again, HOST, 0)
    async with server, Line(server.sockets[0].getsockname()[1]) as line:
        yield line


@asynccontextmanager
async def call(line: Line) -> AsyncIterator[Callable[[bytes], Coroutine[None, None, bytes]]]:
    reader, writer = await asyncio.open_connection(HOST, line.port)

    async def send(words: bytes) -> bytes:
        writer.write(words)
        return await reader.readexactly(len(words))

    try:
        yield send
    finally:
        writer.close()


async def test_a_line_passes_on_what_is_sent() -> None:
    async with echo() as line, call(line) as send:
        assert await send(b"hello") == b"hello"
        async with line.slow(0.01, piece=2):
            assert await send(b"slowly") == b"slowly"


async def test_a_line_that_is_cut_gives_an_error_and_one_that_is_refused_accepts_nobody() -> None:
    async with echo() as line, call(line) as send:
        await send(b"hello")
        async with line.refused():
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await send(b"hello")
            with pytest.raises(ConnectionError):
                await asyncio.open_connection(HOST, line.port)
        async with call(line) as again:
            assert await again(b"back") == b"back"


async def test_a_line_is_cut_after_so_many_bytes() -> None:
    async with echo() as line, line.cut_after(6), call(line) as send:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await send(b"hello")


async def test_a_half_open_line_loses_data_without_an_error_and_a_stalled_one_is_late() -> None:
    async with echo() as line, call(line) as dead:
        await dead(b"hello")
        async with line.half_open():
            pass
        async with call(line) as alive:  # a new connection is as good as any
            assert await alive(b"hello") == b"hello"
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(dead(b"anybody?"), 0.2)
            async with line.stalled():
                late = asyncio.create_task(alive(b"late"))
                done, _ = await asyncio.wait([late], timeout=0.1)
                assert not done
            assert await late == b"late"
