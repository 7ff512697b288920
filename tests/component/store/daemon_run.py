"""Consecutive runs of the daemon, as far as the store is concerned."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed.board.board import Board
from placed.board.room_entry import KnownRoom
from placed.domain.model import Schedule
from placed.domain.privacy import Show
from placed.driver import ConnectionSettings, FoundRoom
from placed.store import Journal, PeriodicWriter
from tests.support.domain_builders import DAY, POLICY, FakeClock, at, meeting, room

if TYPE_CHECKING:
    from placed.store.in_memory_connection_store import StoredRoom

SETTINGS = ConnectionSettings(name="contoso", driver="script", time_zone=ZoneInfo("UTC"))
ROOMS = ("boardroom", "library")
FOUND = tuple(FoundRoom(f"{name}@contoso.example", name, name=name.title()) for name in ROOMS)


@dataclass
class DaemonRun:
    """One run of the daemon, as far as the store is concerned."""

    journal: Journal
    clock: FakeClock = field(default_factory=lambda: FakeClock(at("9:00")))
    show: Show = Show.NOTHING
    settings: ConnectionSettings = SETTINGS

    def __post_init__(self) -> None:
        self.board = Board(POLICY, self.show, self.clock.now, epoch=1)
        self.store_writer = PeriodicWriter(self.board, self.journal, self.clock)
        self.notes = self.journal.notes(self.settings, show=self.show)

    def enroll(self) -> None:
        """The service has listed its rooms."""
        self.notes.listed(FOUND)
        self.board.enroll("contoso", [room(name) for name in ROOMS])

    def recalled(self) -> dict[str, StoredRoom]:
        """What a start finds, by the rooms' addresses."""
        recollection = self.notes.recall(self.clock.now(), self.clock.steady())
        return {known.listing.mailbox: known for known in recollection.rooms}

    def begin(self) -> None:
        """The board begins with what is recalled."""
        for name, known in self.recalled().items():
            if known.schedule and known.changed_at:
                self.board.remember(
                    KnownRoom(
                        room(name),
                        known.schedule,
                        known.failure,
                        known.changed_at,
                        presence=known.presence,
                    )
                )
        self.board.enroll("contoso", [room(name) for name in ROOMS])

    def pass_(self, **time: float) -> None:
        """Time passes, on both clocks."""
        self.clock.pass_(timedelta(**time).total_seconds())

    def read(self, name: str, *meetings: tuple[str, str]) -> None:
        """A calendar was read."""
        made = tuple(meeting(start, end, title="Budget", organizer="Ada") for start, end in meetings)
        since, until = DAY - timedelta(days=1), DAY + timedelta(days=2)
        self.board.learn(name, Schedule(made, since, until, self.clock.now()))

    def confirm(self, name: str) -> None:
        """A calendar was read, and is what it was."""
        self.board.confirm(name, DAY - timedelta(days=1), DAY + timedelta(days=2), self.clock.now())

    def later(self, **time: float) -> DaemonRun:
        """The next run, after the given time."""
        self.pass_(**time)
        return DaemonRun(self.journal, self.clock, self.show, self.settings)
