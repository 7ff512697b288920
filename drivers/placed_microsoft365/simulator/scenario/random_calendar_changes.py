"""Random changes in a building: people book, move, shorten and cancel meetings as time passes."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.scenario.relative_time import whole_minute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from placed_microsoft365.simulator.tenant.mailboxes import Meeting, SimRoom
    from placed_microsoft365.simulator.tenant.tenant import Tenant

MINUTE = timedelta(minutes=1)
SUBJECTS = ("Catch-up", "Review", "Interview", "Planning", "Demo", "Call", "Coaching", "Kick-off")
PEOPLE = ("Ada Example", "Ben Sample", "Carla Specimen", "Dora Muster", "Emil Beispiel", "Max Placeholder")
LENGTHS = (5, 10, 15, 20, 30)
SOON = (1, 2, 3, 5)
FORGET_AFTER = timedelta(hours=2)
CROWDED = 0.5
"""Above this share of occupied rooms, the next change frees a room."""
PLANNING = 0.5
"""Probability of a change to a later meeting, after a change with immediate effect."""


def _quiet(_line: str) -> None:
    """Reports nothing."""


async def life(  # noqa: PLR0913 - what is outside of the rules is given
    tenant: Tenant,
    *,
    seed: int = 1,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    shortest: float = 6.0,
    longest: float = 9.0,
    report: Callable[[str], None] = _quiet,
) -> None:
    """Makes one change after another until it is cancelled.

    Each pause lasts from `shortest` to `longest` seconds, so that somebody who looks on sees a change every
    quarter of a minute. The same seed makes the same choices. `report` gets a line for each thing that
    happened.
    """
    building = Building(tenant, seed)
    while True:
        await sleep(building.chance.uniform(shortest, longest))
        report(building.step())


class Building:
    """Makes one change at a time; of two in a row, at least one changes a room at once."""

    def __init__(self, tenant: Tenant, seed: int) -> None:
        self.tenant = tenant
        self.chance = random.Random(seed)  # noqa: S311 - a play, not a secret
        self._planned = False

    def step(self) -> str:
        """Makes a change now; returns a line about it."""
        now = self.tenant.now()
        self._forget(now)
        rooms = self.tenant.rooms()
        if not rooms:
            return "nothing: there is no room"
        running = {room: self._running(room, now) for room in rooms}
        free = [room for room in rooms if not running[room]]
        leaving = [room for room in rooms if running[room] and not _all_day(running[room])]
        self._planned = not self._planned and self.chance.random() < PLANNING
        if self._planned:
            plan = self.chance.choice((self._book_soon, self._book_soon, self._change_plan))
            return plan(self.chance.choice(free or rooms), now)
        if leaving and len(free) <= (1 - CROWDED) * len(rooms):
            return self._leave_early(self.chance.choice(leaving), now)
        return self._walk_in(self.chance.choice(free or rooms), now)

    def _walk_in(self, room: SimRoom, now: datetime) -> str:
        start = whole_minute(now)
        following = [meeting.start for meeting in self._occupying(room) if meeting.start > now]
        length = timedelta(minutes=self.chance.choice(LENGTHS))
        return self._book(room, start, min([start + length, *following]))

    def _book_soon(self, room: SimRoom, now: datetime) -> str:
        start = whole_minute(now) + self.chance.choice(SOON) * MINUTE
        return self._book(room, start, start + timedelta(minutes=self.chance.choice(LENGTHS)))

    def _book(self, room: SimRoom, start: datetime, end: datetime) -> str:
        organizer, subject = self.chance.choice(PEOPLE), self.chance.choice(SUBJECTS)
        self.tenant.book(room, start, end, subject=subject, organizer=organizer)
        return f"{organizer} booked {room.name} from {start:%H:%M} to {end:%H:%M} UTC"

    def _leave_early(self, room: SimRoom, now: datetime) -> str:
        """Everybody leaves: what runs ends when this minute began, or goes if it has only just begun."""
        for meeting in self._running(room, now):
            if meeting.start < whole_minute(now):
                self.tenant.move(meeting.id, meeting.start, whole_minute(now))
            else:
                self.tenant.delete(meeting.id)
        return f"{room.name} was left early"

    def _change_plan(self, room: SimRoom, now: datetime) -> str:
        """The room's next meeting is cancelled or begins later; if there is none, somebody books one."""
        coming = [m for m in self._occupying(room) if m.start > now and not m.all_day]
        if not coming:
            return self._book_soon(room, now)
        meeting = min(coming, key=lambda one: (one.start, one.id))
        if self.chance.random() < 0.5:  # noqa: PLR2004 - one or the other
            self.tenant.cancel(meeting.id)
            return f"the meeting at {meeting.start:%H:%M} UTC in {room.name} was cancelled"
        later = self.chance.choice(SOON) * MINUTE
        self.tenant.move(meeting.id, meeting.start + later, meeting.end + later)
        return f"the meeting at {meeting.start:%H:%M} UTC in {room.name} begins {later} later"

    def _occupying(self, room: SimRoom) -> list[Meeting]:
        """Meetings that make the room busy."""
        return [
            meeting
            for meeting in self.tenant.meetings(room)
            if not (meeting.cancelled or meeting.show_as == "free") and meeting.response != "declined"
        ]

    def _running(self, room: SimRoom, now: datetime) -> list[Meeting]:
        return [meeting for meeting in self._occupying(room) if meeting.start <= now < meeting.end]

    def _forget(self, now: datetime) -> None:
        """Removes meetings that ended long ago."""
        for room in self.tenant.rooms():
            for meeting in self.tenant.meetings(room):
                if meeting.end < now - FORGET_AFTER and not meeting.all_day:
                    self.tenant.delete(meeting.id)


def _all_day(meetings: list[Meeting]) -> bool:
    """Whether one of them lasts all day, so that nobody can leave."""
    return any(meeting.all_day for meeting in meetings)
