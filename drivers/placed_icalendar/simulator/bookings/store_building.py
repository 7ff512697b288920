"""The demonstration's building as stored bookings, and what people do in it."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from placed_simulator import building_life
from placed_simulator.building_life import Slot, quiet
from placed_simulator.relative_time import whole_minute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed_icalendar.simulator.bookings.booking_store import BookingStore, Moment, Response
    from placed_simulator.building_file import Scenario

RESPONSES: dict[str, Response] = {
    "accepted": "ACCEPTED",
    "tentative": "TENTATIVE",
    "declined": "DECLINED",
    "unanswered": "NEEDS-ACTION",
}


def furnish(store: BookingStore, scenario: Scenario) -> None:
    """Adds the building's rooms and people; meetings lie around the whole minute of this moment."""
    start = whole_minute(store.now())
    for room in scenario.rooms:
        store.add_room(room.mailbox, room.name)
    for person in scenario.people:
        store.add_person(person.mailbox)
    for meeting in scenario.meetings:
        begin, end = meeting.times(start)
        booked = store.book(
            meeting.room,
            begin,
            end,
            summary=meeting.subject,
            organizer=meeting.organizer,
            show_as=meeting.show_as,
            private=meeting.private,
            response=RESPONSES[meeting.response],
        )
        if meeting.cancelled:
            store.cancel(booked.uid)


def furnish_big(store: BookingStore, rooms: int) -> None:
    """Adds that many rooms, with eight meetings a day in each from 8:00 UTC on, and a person."""
    morning = store.now().replace(hour=8, minute=0, second=0, microsecond=0)
    for number in range(rooms):
        name = f"room-{number:05}"
        store.add_room(name, f"Room {number:05}")
        for hour in range(8):
            begin = morning + timedelta(hours=hour, minutes=5 * (number % 6))
            store.book(name, begin, begin + timedelta(minutes=30), summary=f"Meeting {hour}")
    store.add_person("ada")


async def life(store: BookingStore, *, seed: int = 1, report: Callable[[str], None] = quiet) -> None:
    """Makes one change after another until it is cancelled; see `placed_simulator.building_life`."""
    await building_life.life(StoreBuilding(store), seed=seed, report=report)


class StoreBuilding:
    """What people do in the rooms."""

    def __init__(self, store: BookingStore) -> None:
        self._store = store
        self.now = store.now
        self.cancel = store.cancel
        self.delete = store.delete
        self.move = store.move

    def rooms(self) -> Sequence[tuple[str, str]]:
        """Addresses and names."""
        return [(room.name, room.title) for room in self._store.rooms()]

    def slots(self, room: str) -> Sequence[Slot]:
        """What is on the room's calendar, by start."""
        found = [
            Slot(one.uid, _moment(one.start), _moment(one.end), one.all_day, one.occupies)
            for one in self._store.calendar(room).bookings.values()
        ]
        return sorted(found, key=lambda slot: (slot.start, slot.id))

    def book(self, room: str, start: datetime, end: datetime, *, subject: str, organizer: str) -> None:
        """Somebody books the room, which accepts."""
        self._store.book(room, start, end, summary=subject, organizer=organizer, response="ACCEPTED")


def _moment(moment: Moment) -> datetime:
    """A date is its midnight in UTC."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time.min, UTC)
