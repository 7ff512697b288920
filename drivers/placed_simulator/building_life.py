"""Random changes in a building: people book, move, shorten and cancel meetings as time passes."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from placed_simulator.relative_time import whole_minute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

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


@dataclass(frozen=True, slots=True)
class Slot:
    """A meeting, as far as it matters here."""

    id: str
    start: datetime
    end: datetime
    all_day: bool
    occupies: bool


class LivingBuilding(Protocol):
    """What people do in the building of a simulated service; a room is named by its address."""

    def now(self) -> datetime:
        """The service's clock."""
        ...

    def rooms(self) -> Sequence[tuple[str, str]]:
        """Addresses and names, in the order in which they were added."""
        ...

    def slots(self, room: str) -> Sequence[Slot]:
        """What is on the room's calendar, by start."""
        ...

    def book(self, room: str, start: datetime, end: datetime, *, subject: str, organizer: str) -> None:
        """Somebody books the room."""
        ...

    def move(self, meeting_id: str, start: datetime, end: datetime) -> None:
        """A meeting gets other times."""
        ...

    def cancel(self, meeting_id: str) -> None:
        """A meeting is cancelled."""
        ...

    def delete(self, meeting_id: str) -> None:
        """A meeting is removed for good."""
        ...


def quiet(_line: str) -> None:
    """Reports nothing."""


async def life(  # noqa: PLR0913 - what is outside of the rules is given
    building: LivingBuilding,
    *,
    seed: int = 1,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    shortest: float = 6.0,
    longest: float = 9.0,
    report: Callable[[str], None] = quiet,
) -> None:
    """Makes one change after another until it is cancelled.

    Each pause lasts from `shortest` to `longest` seconds, so that somebody who looks on sees a change every
    quarter of a minute. The same seed makes the same choices. `report` gets a line for each thing that
    happened.
    """
    changes = BuildingChanges(building, seed)
    while True:
        await sleep(changes.chance.uniform(shortest, longest))
        report(changes.step())


class BuildingChanges:
    """Makes one change at a time; of two in a row, at least one changes a room at once."""

    def __init__(self, building: LivingBuilding, seed: int) -> None:
        self.building = building
        self.chance = random.Random(seed)  # noqa: S311 - a play, not a secret
        self._planned = False

    def step(self) -> str:
        """Makes a change now; returns a line about it."""
        now = self.building.now()
        self._forget(now)
        rooms = self.building.rooms()
        if not rooms:
            return "nothing: there is no room"
        running = {room: self._running(room[0], now) for room in rooms}
        free = [room for room in rooms if not running[room]]
        leaving = [room for room in rooms if running[room] and not any(one.all_day for one in running[room])]
        self._planned = not self._planned and self.chance.random() < PLANNING
        if self._planned:
            plan = self.chance.choice((self._book_soon, self._book_soon, self._change_plan))
            return plan(*self.chance.choice(free or rooms), now)
        if leaving and len(free) <= (1 - CROWDED) * len(rooms):
            return self._leave_early(*self.chance.choice(leaving), now)
        return self._walk_in(*self.chance.choice(free or rooms), now)

    def _walk_in(self, room: str, name: str, now: datetime) -> str:
        start = whole_minute(now)
        following = [one.start for one in self._occupying(room) if one.start > now]
        length = timedelta(minutes=self.chance.choice(LENGTHS))
        return self._book(room, name, start, min([start + length, *following]))

    def _book_soon(self, room: str, name: str, now: datetime) -> str:
        start = whole_minute(now) + self.chance.choice(SOON) * MINUTE
        return self._book(room, name, start, start + timedelta(minutes=self.chance.choice(LENGTHS)))

    def _book(self, room: str, name: str, start: datetime, end: datetime) -> str:
        organizer, subject = self.chance.choice(PEOPLE), self.chance.choice(SUBJECTS)
        self.building.book(room, start, end, subject=subject, organizer=organizer)
        return f"{organizer} booked {name} from {start:%H:%M} to {end:%H:%M} UTC"

    def _leave_early(self, room: str, name: str, now: datetime) -> str:
        """Everybody leaves: what runs ends when this minute began, or goes if it has only just begun."""
        for one in self._running(room, now):
            if one.start < whole_minute(now):
                self.building.move(one.id, one.start, whole_minute(now))
            else:
                self.building.delete(one.id)
        return f"{name} was left early"

    def _change_plan(self, room: str, name: str, now: datetime) -> str:
        """The room's next meeting is cancelled or begins later; if there is none, somebody books one."""
        coming = [one for one in self._occupying(room) if one.start > now and not one.all_day]
        if not coming:
            return self._book_soon(room, name, now)
        meeting = min(coming, key=lambda one: (one.start, one.id))
        if self.chance.random() < 0.5:  # noqa: PLR2004 - one or the other
            self.building.cancel(meeting.id)
            return f"the meeting at {meeting.start:%H:%M} UTC in {name} was cancelled"
        later = self.chance.choice(SOON) * MINUTE
        self.building.move(meeting.id, meeting.start + later, meeting.end + later)
        return f"the meeting at {meeting.start:%H:%M} UTC in {name} begins {later} later"

    def _occupying(self, room: str) -> list[Slot]:
        """Meetings that make the room busy."""
        return [one for one in self.building.slots(room) if one.occupies]

    def _running(self, room: str, now: datetime) -> list[Slot]:
        return [one for one in self._occupying(room) if one.start <= now < one.end]

    def _forget(self, now: datetime) -> None:
        """Removes meetings that ended long ago."""
        for room, _ in self.building.rooms():
            for one in self.building.slots(room):
                if one.end < now - FORGET_AFTER and not one.all_day:
                    self.building.delete(one.id)
