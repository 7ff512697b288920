"""A poller of one connection, whose driver is a script and whose clock is a fake."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed.board.board import Board
from placed.domain.privacy import Show
from placed.domain.problem import Problem
from placed.driver import (
    Answer,
    ConnectionSettings,
    DriverError,
    Failed,
    Fence,
    FenceState,
    FoundRoom,
    Query,
    Read,
    StillHolds,
    Unchanged,
)
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed.settings.polling_settings import Polling
from placed.store.in_memory_connection_store import ConnectionMemory
from tests.support.domain_builders import POLICY, FakeClock, Recorder, at, meeting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.domain.consent_record import ConsentMemory
    from placed.domain.model import Meeting, Reason, Status


class ScriptedDriver:
    """Answers every question well, but for rooms and moments that the test spoils."""

    def __init__(self, clock: FakeClock, rooms: Sequence[str]) -> None:
        self.clock = clock
        self.rooms = list(rooms)
        self.failing: dict[str, tuple[Reason, float | None]] = {}
        self.broken: DriverError | None = None
        self.undiscoverable: DriverError | None = None
        self.fence: Fence | DriverError = Fence(FenceState.VERIFIED)
        self.fences_tried = 0
        self.discoveries = 0
        self.domain = "contoso.example"
        self.rounds: list[tuple[float, list[str]]] = []
        self.unchanged: type[Unchanged | StillHolds] | None = None
        self.meetings: tuple[Meeting, ...] = (meeting("12:00", "13:00"),)
        self.credential_expires_at = None

    async def find_rooms(self) -> list[FoundRoom]:
        self.discoveries += 1
        if self.undiscoverable:
            raise self.undiscoverable
        return [FoundRoom(f"{name}@{self.domain}", f"{name}@{self.domain}") for name in self.rooms]

    async def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        self.rounds.append((self.clock.steady(), [q.room.id for q in queries]))
        if self.broken:
            raise self.broken
        for query in queries:
            if query.room.id in self.failing:
                reason, retry_after = self.failing[query.room.id]
                yield Failed(query, reason, Problem("", f"because {reason}", retry_after=retry_after))
            elif self.unchanged:
                yield self.unchanged(query, self.clock.now())
            else:
                yield Read(query, self.clock.now(), self.meetings)

    async def try_fence(self) -> Fence:
        self.fences_tried += 1
        if isinstance(self.fence, DriverError):
            raise self.fence
        return self.fence

    async def close(self) -> None:
        """Nothing to close."""


class PollerSetup:
    """A poller with everything around it."""

    def __init__(
        self,
        *rooms: str,
        consent: ConsentMemory | None = None,
        polling: Polling | None = None,
        zone: ZoneInfo | None = None,
        kind: type[ScriptedDriver] = ScriptedDriver,
    ) -> None:
        self.clock = FakeClock(at("9:00"))
        self.driver = kind(self.clock, rooms)
        self.board = Board(POLICY, Show.NOTHING, self.clock.now, epoch=1)
        self.recorder = Recorder()
        self.board.listeners.append(self.recorder)
        self.poller = Poller(
            connection=ConnectionSettings(name="contoso", driver="script", time_zone=zone or ZoneInfo("UTC")),
            driver=self.driver,
            board=self.board,
            book=RoomIds({}),
            polling=polling or Polling(interval=timedelta(seconds=30)),
            clock=self.clock,
            notes=ConnectionMemory(consent),
            jitter=lambda: 0.0,
        )

    async def steps(self, seconds: float) -> None:
        """Lets the poller do what it does, for so long."""
        end = self.clock.steady() + seconds
        while self.clock.steady() < end:
            pause = await self.poller.step()
            self.clock.pass_(pause)
            self.board.judge_due()

    def asked(self) -> list[tuple[int, str]]:
        """When what was asked for: seconds since the start, and rooms."""
        return [(round(when - 1000), " ".join(rooms)) for when, rooms in self.driver.rounds]

    def status(self, room: str) -> tuple[Status, Reason | None]:
        statement = self.board.statement(room)
        assert statement
        return statement.occupancy.status, statement.occupancy.reason
