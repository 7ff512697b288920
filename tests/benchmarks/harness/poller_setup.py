"""A building of rooms that is polled: the real driver, poller and board before a Graph made beforehand."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placed.board.board import Board
from placed.board.edge_timer import EdgeTimer
from placed.domain.occupancy import Policy
from placed.domain.privacy import Show
from placed.driver import Surroundings
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed.settings.polling_settings import Polling
from placed_microsoft365 import Microsoft365
from placed_microsoft365.settings import Microsoft365Settings
from tests.benchmarks.servers import graph_responses

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    from placed.driver import ConnectionSettings, Driver
    from tests.benchmarks.child_process import Child

NOON = graph_responses.TODAY + timedelta(hours=12)
INTERVAL = timedelta(seconds=30)
CONCURRENCY = 8


class StillClock:
    """A clock that only the test moves."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """See `placed.domain.clock.Clock`."""
        return self._now

    def steady(self) -> float:
        """See `placed.domain.clock.Clock`."""
        return self._now.timestamp()

    async def sleep(self, seconds: float) -> None:
        """Nobody waits here."""
        raise NotImplementedError

    def pass_(self, time: timedelta) -> None:
        """Time passes."""
        self._now += time


@dataclass(slots=True)
class Building:
    """What is polled, and with what."""

    poller: Poller
    board: Board
    clock: StillClock
    edge_timer: EdgeTimer

    async def poll(self) -> None:
        """One round of all rooms, after an interval in which what was due was done."""
        self.clock.pass_(INTERVAL)
        self.edge_timer.check()
        await self.poller.step()
        if self.poller.problem is not None or self.poller.health.failing:
            raise RuntimeError(f"rooms could not be read: {self.poller.health}")


@asynccontextmanager
async def building(graph: Child, rooms: int) -> AsyncIterator[Building]:
    """A building of so many rooms at Microsoft 365 that was not polled yet."""
    with tempfile.TemporaryDirectory() as folder:
        async with polled(Microsoft365.open, settings_for(graph, rooms, Path(folder))) as found:
            yield found


@asynccontextmanager
async def polled(
    opened: Callable[[Any, Surroundings], Driver], settings: ConnectionSettings
) -> AsyncIterator[Building]:
    """A building whose rooms a driver reads that is opened so; it was not polled yet."""
    clock = StillClock(NOON)
    board = Board(Policy(), Show.NOTHING, clock.now, epoch=1)
    driver = opened(settings, Surroundings(clock.now, CONCURRENCY, details=False, version="bench"))
    poller = Poller(
        connection=settings,
        driver=driver,
        board=board,
        book=RoomIds({}, {}),
        polling=Polling(interval=INTERVAL),
        clock=clock,
        jitter=lambda: 0.0,
    )
    try:
        yield Building(poller, board, clock, EdgeTimer(board, clock))
    finally:
        await driver.close()
        await asyncio.sleep(0)


def settings_for(graph: Child, rooms: int, folder: Path) -> Microsoft365Settings:
    """A connection to the Graph made beforehand."""
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("s3cret")
    return Microsoft365Settings(
        name="contoso",
        tenant=graph_responses.DOMAIN,
        client_id="11111111-2222-3333-4444-555555555555",
        client_secret_file=secret,
        authority=graph.begun["url"],
        graph=graph.begun["url"],
        ca_file=graph.begun["ca_file"],
        rooms=tuple(map(graph_responses.address, range(rooms))),
    )
