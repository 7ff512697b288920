"""A `NoShowService` over a board whose calendar, panels and sensors a test moves second by second."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from placed.actions.no_show_facts import NoShowFacts
from placed.actions.no_show_numbers import NoShowNumbers
from placed.actions.no_show_service import NoShowRules, NoShowService
from placed.board.board import Board
from placed.domain.action import Action, Outcome, Refusal, Reply
from placed.domain.check_in_rules import CheckedIn, CheckInRules
from placed.domain.privacy import Show
from placed.driver.action_settings import NoShowSettings
from tests.support.domain_builders import DAY, POLICY, FakeClock, Recorder, at, meeting, room, schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.actions.no_show_record import NoShowRecord
    from placed.domain.calendar_event_detection import Event
    from placed.domain.model import Meeting

AFTER = timedelta(minutes=10)
BOOKED = DAY - timedelta(days=3)


def booked(start: str = "10:00", end: str = "11:00", **more: Any) -> Meeting:
    """A meeting that was booked days ago."""
    return meeting(start, end, **{"created_at": BOOKED, **more})


@dataclass
class MemoryStore:
    """Keeps records as a journal does."""

    records: dict[str, NoShowRecord] = field(default_factory=dict)

    def load(self, connection: str) -> NoShowRecord | None:
        return self.records.get(connection)

    def save(self, connection: str, record: NoShowRecord) -> None:
        self.records[connection] = record


@dataclass
class FakeReleaser:
    """Releases rooms at once, unless something has changed while it looked."""

    released: list[tuple[str, Meeting]] = field(default_factory=list)
    asked: int = 0
    while_looking: Callable[[], None] = lambda: None
    reason: Refusal | None = None

    async def release(self, room_id: str, one: Meeting, still: Callable[[], bool]) -> Reply:
        self.asked += 1
        self.while_looking()
        reason = self.reason if self.reason is not None or still() else Refusal.CHANGED
        if reason is None:
            self.released.append((room_id, one))
        outcome = Outcome.DONE if reason is None else Outcome.REFUSED
        return Reply("key", Action.END, room_id, outcome, reason, 7, 1)


class NoShowSetup:
    """One room or several, with a panel each; it begins at 9:30."""

    def __init__(self, *rooms: str, mode: str = "release", **settings: Any) -> None:
        self.clock = FakeClock(at("9:30"))
        self.rooms = rooms or ("boardroom",)
        self.board = Board(POLICY, Show.NOTHING, self.clock.now, epoch=7)
        self.board.enroll("contoso", [room(one) for one in self.rooms])
        self.board.set_check_in_rules({"contoso": CheckInRules(after=AFTER)})
        self.recorder = Recorder()
        self.board.listeners.append(self.recorder)
        self.settings = NoShowSettings.model_validate({"mode": mode, **settings})
        self.store, self.releaser = MemoryStore(), FakeReleaser()
        self.panels, self.reads = True, True
        self.sensor_links: int | None = 0
        self.asked_to_read: list[str] = []
        self.seconds = 0
        self.service = self.start()

    def start(self) -> NoShowService:
        """A start of the service, with what is stored."""
        self.facts = NoShowFacts(self.board, self.clock, lambda: self.sensor_links)
        numbers = NoShowNumbers(self.clock, self.store)
        self.service = NoShowService(
            self.board,
            self.clock,
            self.facts,
            numbers,
            releaser=self.releaser,
            read_soon=lambda _connection, room_id: self.asked_to_read.append(room_id),
        )
        self.board.listeners[1:] = [self.service]
        self.change()
        return self.service

    def change(self, **settings: Any) -> None:
        """A reload."""
        self.settings = self.settings.model_copy(update=settings)
        self.service.change({"contoso": NoShowRules(AFTER, self.settings)})

    def book(self, *meetings: Meeting, room_id: str | None = None) -> None:
        """What is on the calendar from now on."""
        for one in self.rooms if room_id is None else (room_id,):
            now = self.clock.now()
            self.board.learn(one, schedule(*meetings, read_at=f"{now:%H:%M:%S}"))

    async def pass_until(self, text: str) -> None:
        """Time passes: calendars are read, panels show that they are there, and everything is judged."""
        while self.clock.now() < at(text):
            self.clock.pass_(1)
            self.seconds += 1
            for one in self.rooms:
                known = self.board.schedule(one)
                if self.reads and self.seconds % 30 == 0 and known is not None:
                    self.board.confirm(one, known.since, known.until, self.clock.now())
                if self.panels and self.seconds % 20 == 1:
                    self.facts.panel_is_there(one, "tablet")
            self.board.judge_due()
            while self.service.judge_due(100):
                pass
            await asyncio.sleep(0)  # a release has its turn

    def check_in(self, one: Meeting, room_id: str = "boardroom") -> None:
        """Somebody checks in."""
        self.board.check_in(room_id, CheckedIn(one.key, one.start, self.clock.now()))

    @property
    def no_shows(self) -> list[Event]:
        """The events."""
        return [event for event in self.recorder.events if event.happening.value == "no_show"]

    @property
    def week(self) -> dict[str, Any]:
        """The numbers of this week."""
        (document,) = self.service.documents()
        this_week: dict[str, Any] = document["this_week"]
        return this_week
