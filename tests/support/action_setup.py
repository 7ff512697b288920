"""An `ActionService` over a board and a calendar in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from placed.actions.connection_actions import ConnectionActions, check_in_rules
from placed.actions.service import ActionService
from placed.board.board import Board
from placed.domain.action import Action, Command
from placed.domain.privacy import Show
from placed.store import Journal
from placed.store.command_store import CommandStore
from tests.support.domain_builders import POLICY, FakeClock, at, room, schedule
from tests.support.fake_calendar import FakeCalendar, WritingSettings, settings

if TYPE_CHECKING:
    from typing import Any

    from placed.domain.action import Reply
    from placed.domain.model import Meeting


@dataclass
class ActionSetup:
    """One room, the boardroom, at noon. What is on the calendar is read whenever the service asks for it."""

    settings: WritingSettings = field(default_factory=settings)
    clock: FakeClock = field(default_factory=lambda: FakeClock(at("12:00")))
    calendar: FakeCalendar = field(default_factory=FakeCalendar)
    readings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.board = Board(POLICY, Show.NOTHING, self.clock.now, epoch=7)
        self.board.enroll("contoso", [room()])
        self.connections = {"contoso": ConnectionActions(self.settings, self.calendar)}
        self.keys = (f"key-{number}" for number in count(1))
        self.journal = Journal(None)
        self.board.set_check_in_rules(check_in_rules([self.settings]))
        self.start()

    def start(self) -> None:
        """A start of the service."""
        self.service = ActionService(
            board=self.board,
            clock=self.clock,
            store=CommandStore(self.journal),
            connections=lambda: self.connections,
            read_soon=self.read_soon,
        )
        self.service.restore()

    def read_soon(self, connection: str, room_id: str) -> None:
        """The poller reads the room."""
        self.readings.append(f"{connection}/{room_id}")
        self.read()

    def read(self) -> None:
        """The room is read now."""
        now = self.clock.now()
        self.board.learn(
            "boardroom", schedule(*self.calendar.meetings("boardroom"), read_at=f"{now:%H:%M:%S}")
        )

    def book(self, *meetings: Meeting, **more: Any) -> None:
        """People book, and the room is read."""
        for meeting in meetings:
            self.calendar.add("boardroom", meeting, **more)
        self.read()

    def command(self, action: Action, **more: Any) -> Command:
        """A command that was issued now."""
        values = {"key": next(self.keys), "room": "boardroom", "issued_at": self.clock.now(), **more}
        return Command(action=action, **values)

    async def ask(self, action: Action, **more: Any) -> Reply:
        """Sends a command and waits for its outcome."""
        return await self.service.submit(self.command(action, **more)).final()

    def end_of(self, start: str) -> str:
        """When the booking that starts at `start` ends, on the calendar."""
        (found,) = [m for m in self.calendar.meetings("boardroom") if m.start == at(start)]
        return f"{found.end:%H:%M}"
