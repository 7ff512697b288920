"""The demonstration's building at a publisher of feeds, and the settings that lead a daemon to it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from placed_icalendar.simulator.bookings.booking_store import wall_clock
from placed_icalendar.simulator.feed_host.publisher import Publisher
from placed_simulator import building_life
from placed_simulator.building_life import Slot, quiet
from placed_simulator.command_line import write_private
from placed_simulator.relative_time import whole_minute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from placed_icalendar.simulator.bookings.booking_store import Response
    from placed_icalendar.simulator.feed_host.feed_server import FeedHost
    from placed_simulator.building_file import Scenario

NAME = "feeds"
_RESPONSES: dict[str, Response] = {
    "accepted": "ACCEPTED",
    "tentative": "TENTATIVE",
    "declined": "DECLINED",
    "unanswered": "NEEDS-ACTION",
}


def build(scenario: Scenario, now: Callable[[], datetime] = wall_clock) -> Publisher:
    """A publisher with the building's rooms; their meetings lie around the whole minute of this moment."""
    publisher, start = Publisher(now), whole_minute(now())
    for room in scenario.rooms:
        publisher.add_room(room.mailbox, name=room.name)
    for meeting in scenario.meetings:
        begin, end = meeting.times(start)
        uid = publisher.book(
            meeting.room,
            begin,
            end,
            summary=meeting.subject,
            organizer=meeting.organizer,
            show_as=meeting.show_as,
            private=meeting.private,
            response=_RESPONSES[meeting.response],
        )
        if meeting.cancelled:
            publisher.cancel(uid)
    return publisher


def building_of(rooms: int, now: Callable[[], datetime] = wall_clock) -> Publisher:
    """A publisher with that many rooms, and eight meetings a day in each from 8:00 UTC on."""
    publisher = Publisher(now)
    morning = now().replace(hour=8, minute=0, second=0, microsecond=0)
    for number in range(rooms):
        room = f"room-{number:05}"
        publisher.add_room(room)
        for hour in range(8):
            begin = morning + timedelta(hours=hour, minutes=5 * (number % 6))
            publisher.book(room, begin, begin + timedelta(minutes=30), summary=f"Meeting {hour}")
    return publisher


def settings_toml(host: FeedHost, folder: Path, scenario: Scenario | None = None, name: str = NAME) -> str:
    """The `[[connections]]` table with which a daemon reads all rooms; each link is written into a file.

    With a scenario, tables of the rooms follow, since feeds have no building, floor and capacity.
    """
    lines = [
        "[[connections]]",
        f'name = "{name}"',
        'driver = "icalendar"',
        f"ca_file = {json.dumps(str(host.ca_file))}",
        "[connections.feeds]",
    ]
    for room in host.publisher.rooms():
        path = folder / f"{room.address}.link"
        write_private(path, host.link_of(room.address).encode())
        lines.append(f"{json.dumps(room.address)} = {{ url_file = {json.dumps(str(path))} }}")
    canary = f"{host.url}/calendar/somebody/private-{'0a1b2c3d4e' * 4}/basic.ics"
    lines += ["[connections.fence]", f"canaries = [{json.dumps(canary)}]"]
    for place in () if scenario is None else scenario.rooms:
        lines.append(f"[rooms.{json.dumps(place.mailbox)}]")
        values = {"name": place.name, "building": place.building, "capacity": place.capacity}
        values["floor"] = None if place.floor is None else str(place.floor)
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
    return "\n".join([*lines, ""])


async def life(publisher: Publisher, *, seed: int = 1, report: Callable[[str], None] = quiet) -> None:
    """Makes one change after another until it is cancelled; see `placed_simulator.building_life`."""
    await building_life.life(PublishedBuilding(publisher), seed=seed, report=report)


class PublishedBuilding:
    """What people do in the rooms of a publisher."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.now = publisher.now
        self.cancel = publisher.cancel
        self.delete = publisher.delete

    def rooms(self) -> Sequence[tuple[str, str]]:
        """Addresses and names."""
        return [(room.name, room.title) for room in self._publisher.bookings.rooms()]

    def slots(self, room: str) -> Sequence[Slot]:
        """What is on the room's calendar, by start."""
        midnight = self.now().replace(hour=0, minute=0, second=0, microsecond=0)
        bookings = self._publisher.bookings.calendar(room).bookings.values()
        return [
            Slot(
                booking.uid,
                _moment(booking.start, midnight),
                _moment(booking.end, midnight),
                booking.all_day,
                booking.occupies,
            )
            for booking in sorted(bookings, key=lambda one: _moment(one.start, midnight))
        ]

    def book(self, room: str, start: datetime, end: datetime, *, subject: str, organizer: str) -> None:
        """Somebody books the room."""
        self._publisher.book(room, start, end, summary=subject, organizer=organizer, response="ACCEPTED")

    def move(self, meeting_id: str, start: datetime | date, end: datetime | date) -> None:
        """A meeting gets other times."""
        self._publisher.move(meeting_id, start, end)


def _moment(time: datetime | date, midnight: datetime) -> datetime:
    """A moment; of a date its midnight in UTC."""
    if isinstance(time, datetime):
        return time
    return midnight.replace(year=time.year, month=time.month, day=time.day)
