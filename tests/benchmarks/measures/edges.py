"""How late a room's edge is published while the calendars of a whole site are being read, without a pause."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from placed.domain.model import Meeting
from placed.driver import Surroundings
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed.settings.polling_settings import Polling
from placed_microsoft365 import Microsoft365
from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.poller_setup import CONCURRENCY, NOON, settings_for
from tests.benchmarks.harness.publisher_setup import PER_EDGE, TOPICS, ForwardClock, board_at, publishing
from tests.benchmarks.harness.received_messages import heard
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers.graph import BATCH
from tests.benchmarks.servers.mosquitto import mosquitto

if TYPE_CHECKING:
    from datetime import datetime

    from tests.benchmarks.harness.publisher_setup import Site
    from tests.benchmarks.workload_size import Effort

AT_MOST = 50.0  # ms
_NO_PAUSE = timedelta(milliseconds=1)  # between two rounds
_LIST = timedelta(hours=1)  # until the rooms are listed again
_BEGIN = NOON + timedelta(minutes=10)  # no calendar changes for half an hour
_AHEAD = timedelta(seconds=4)  # from when the meetings are made to the first of them
_EVERY = timedelta(milliseconds=29)  # one that keeps no step with a round


async def _lags(graph: Child, panel: Child, port: int, rooms: int, edges: int) -> tuple[list[float], float]:
    """Milliseconds from each edge to when its state came, and how many rounds were made a second."""
    clock = ForwardClock(_BEGIN)
    board = board_at(clock)
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(graph, rooms, Path(folder))
        driver = Microsoft365.open(
            settings, Surroundings(clock.now, CONCURRENCY, details=False, version="bench")
        )
        poller = Poller(
            connection=settings,
            driver=driver,
            board=board,
            book=RoomIds({}, {}),
            polling=Polling(interval=_NO_PAUSE, rediscover=_LIST),
            clock=clock,
        )
        async with publishing(board, clock, port) as site:
            await poller.step()
            await site.published()
            starts = await _plan(site, [room.id for room in board.rooms[:edges]])
            asked, begun = graph.ask("asked")["batch"], clock.steady()
            polling = asyncio.create_task(poller.run())
            lags = await _edges(site, panel, starts)
            rounds = (graph.ask("asked")["batch"] - asked) * BATCH / rooms
            passed = clock.steady() - begun
            polling.cancel()
            await asyncio.wait([polling])
        await driver.close()
    return lags, rounds / passed


async def _plan(site: Site, rooms: list[str]) -> dict[str, datetime]:
    """Gives each of these rooms a meeting that begins at a moment of its own."""
    first = site.clock.now() + _AHEAD
    starts = {room: first + number * _EVERY for number, room in enumerate(rooms)}
    for room, start in starts.items():
        site.read([room], (Meeting("m", start, start + timedelta(hours=1)),))
        await asyncio.sleep(0)
    await site.published()
    if site.clock.now() > first:
        raise RuntimeError("this machine is too slow for the measure")
    gc.collect()
    return starts


async def _edges(site: Site, panel: Child, starts: dict[str, datetime]) -> list[float]:
    panel.ask("begin")
    panel.send("until", messages=PER_EDGE * len(starts))
    came = await panel.hear()
    lags = [
        (moment - site.clock.on_the_wall(starts[message.topic.split("/")[2]])) * 1000
        for moment, message in zip(came, heard(panel), strict=True)
        if message.topic.endswith("/state")
    ]
    if len(lags) != len(starts):
        raise RuntimeError(f"{len(lags)} rooms were published")
    return lags


def measure(effort: Effort) -> Result:
    """Has rooms change one by one under a poll that never ends."""
    if effort.short:
        return Result([_row("edges.p99", 1000, 60)])
    return Result([_row("edges.p99", 5500, 1000), _row("edges.p99.50000", 50_000, 1000)])


def _row(key: str, rooms: int, edges: int) -> Row:
    with (
        mosquitto() as port,
        Child("tests.benchmarks.servers.mqtt_subscriber", f"--port={port}", f"--topic={TOPICS}") as panel,
        Child("tests.benchmarks.servers.graph", f"--rooms={rooms}") as graph,
    ):
        settle_on(0)
        lags, rounds = asyncio.run(_lags(graph, panel, port, rooms, edges))
    hundredths = quantiles(lags, n=100, method="inclusive")
    return Row(
        key,
        f"{edges:,} edges of single rooms while {rooms:,} are polled: to a subscriber, p99",
        "ms",
        hundredths[98],
        at_most=AT_MOST,
        note=f"p50 {hundredths[49]:.1f} ms, most {max(lags):.1f} ms; {rounds:.1f} polls a second",
    )
