"""A connection to `limited_graph`, and around it the real poller, board, calendars, pace and views."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from placed.board.board import Board
from placed.board.edge_timer import EdgeTimer
from placed.domain.occupancy import Policy
from placed.domain.privacy import Show
from placed.driver import ConnectionSettings, Fence, FenceState, FoundRoom
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed.driver.parallel_reading import stream
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed_microsoft365.calendars.batch_reader import CalendarReader
from placed_microsoft365.calendars.calendar_view import CalendarViews
from tests.benchmarks.simulated_time.event_loop import LoopClock
from tests.benchmarks.simulated_time.freshness import MIDNIGHT, ZONE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import Answer, Query
    from placed.settings.polling_settings import Polling
    from placed_microsoft365.graph.client import GraphClient

_POLICY = Policy()


class Connection:
    """The driver, but for what needs a network: it knows the rooms, and has no fence."""

    credential_expires_at = None

    def __init__(self, graph: GraphClient, rooms: int, concurrency: int, clock: LoopClock) -> None:
        self._rooms = rooms
        self.limit = ConcurrencyLimit(concurrency)
        views = CalendarViews(graph, self.limit, details=False)
        self._calendars = CalendarReader(graph, self.limit, views, clock.now)

    async def find_rooms(self) -> list[FoundRoom]:
        """All rooms; their mailboxes are numbers."""
        return [FoundRoom(f"{room}@contoso.example", f"{room}") for room in range(self._rooms)]

    def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        """As the driver does."""
        return stream(partial(self._calendars.read, queries))

    async def try_fence(self) -> Fence:
        """There is none."""
        return Fence(FenceState.UNPROVEN)

    async def close(self) -> None:
        """Nothing is open."""


class Polled:
    """A building that is polled, on a simulated loop.

    Args:
        graph: where its calendars are.
        rooms: how many.
        polling: the settings.
        begin: seconds after midnight that the loop's time begins with.
        policy: the site's rules.
    """

    def __init__(
        self,
        graph: GraphClient,
        rooms: int,
        polling: Polling,
        begin: float = 0.0,
        policy: Policy = _POLICY,
    ) -> None:
        self._clock = clock = LoopClock(MIDNIGHT + timedelta(seconds=begin))
        self.driver = Connection(graph, rooms, polling.concurrency, clock)
        self.board = Board(policy, Show.NOTHING, clock.now, epoch=1)
        self.poller = Poller(
            connection=ConnectionSettings(name="contoso", driver="bench", time_zone=ZONE),
            driver=self.driver,
            board=self.board,
            book=RoomIds({}),
            polling=polling,
            clock=clock,
        )

    async def live(self, seconds: float) -> None:
        """Is polled for so long, while the board follows the clock."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
                group.create_task(self.poller.run())
                group.create_task(EdgeTimer(self.board, self._clock).run())
