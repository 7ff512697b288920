"""A site that publishes: a board, its edge timer and its publisher with a real broker, in real time."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed.board.board import Board
from placed.board.edge_timer import EdgeTimer
from placed.domain.model import Meeting, Room, Schedule
from placed.domain.occupancy import Policy
from placed.domain.privacy import Show
from placed.mqtt.messages import BridgeInfo
from placed.mqtt.publisher import Publisher
from placed.settings.output_settings import Mqtt
from tests.benchmarks.servers import graph_responses
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

CONNECTION = "contoso"
BASE = "placed"
TOPICS = f"{BASE}/rooms/+/+"  # every message of a single room
PER_EDGE = 5  # messages: state, availability, occupied, status and an event


class ForwardClock:
    """The machine's clocks, which may be put forward, both at once."""

    def __init__(self, now: datetime) -> None:
        self._ahead = now - datetime.now(UTC)
        self._was_put_forward = asyncio.Event()

    def now(self) -> datetime:
        """See `placed.domain.clock.Clock`."""
        return datetime.now(UTC) + self._ahead

    def steady(self) -> float:
        """See `placed.domain.clock.Clock`."""
        return self.now().timestamp()

    async def sleep(self, seconds: float) -> None:
        """See `placed.domain.clock.Clock`. The time by which it is put forward counts as slept."""
        due = self.steady() + seconds
        await asyncio.sleep(0)
        while (left := due - self.steady()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._was_put_forward.wait()

    def put_forward(self, to: datetime) -> None:
        """It is that moment now, which is none that is over."""
        by = to - self.now()
        if by < timedelta():
            raise RuntimeError(f"{to} is over, by {-by}: this machine is too slow for the measure")
        self._ahead += by
        self._was_put_forward.set()  # wakes all that sleep
        self._was_put_forward.clear()

    def on_the_wall(self, moment: datetime) -> float:
        """When it is that moment, in the seconds of `time.time`."""
        return (moment - self._ahead).timestamp()


@dataclass(slots=True)
class Site:
    """A board with its publisher."""

    board: Board
    clock: ForwardClock
    publisher: Publisher

    def read(self, room_ids: Iterable[str], meetings: tuple[Meeting, ...]) -> None:
        """These rooms' calendars were read just now, and they all have these meetings."""
        now = self.clock.now()
        since, until = (
            graph_responses.TODAY + timedelta(days=graph_responses.DAYS[0]),
            graph_responses.TODAY + timedelta(days=2),
        )
        for room_id in room_ids:
            self.board.learn(room_id, Schedule(meetings, since, until, now))

    async def published(self) -> None:
        """Waits until the broker has acknowledged every message that is due."""
        while (due := self.board.next_due) and due <= self.clock.now():  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0)
        await self.publisher.published()


def room(number: int) -> Room:
    """One of its rooms."""
    name = f"room{number:05}"
    address = graph_responses.address(number)
    return Room(name, CONNECTION, address, address, f"Room {number}", ZoneInfo("UTC"))


@asynccontextmanager
async def publishing(board: Board, clock: ForwardClock, port: int) -> AsyncIterator[Site]:
    """Publishes the board, until the end of the block."""
    publisher = Publisher(
        Mqtt(url=f"mqtt://{HOST}:{port}", base_topic=BASE),
        board,
        now=clock.now,
        info=BridgeInfo("bench", board.policy.freshness_budget, (CONNECTION,)),
    )
    board.listeners.append(publisher)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(EdgeTimer(board, clock).run()), group.create_task(publisher.run())]
        yield Site(board, clock, publisher)
        for task in tasks:
            task.cancel()


def board_at(clock: ForwardClock) -> Board:
    """A board with the usual settings."""
    return Board(Policy(), Show.NOTHING, clock.now, epoch=1)


def wall() -> float:
    """The clock on the wall, as the panel has it."""
    return time.time()
