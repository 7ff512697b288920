"""A Workspace with a building in it, from a scenario or as big as it is asked for."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from placed_google.simulator.workspace.event_model import moment_of
from placed_google.simulator.workspace.organisation import wall_clock
from placed_google.simulator.workspace.workspace import Workspace
from placed_simulator import building_life
from placed_simulator.building_life import Slot, quiet
from placed_simulator.relative_time import whole_minute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed_google.simulator.workspace.event_model import Response
    from placed_simulator.building_file import Scenario, ScenarioMeeting

DOMAIN = "fabrikam.example"
RESPONSES: dict[str, Response] = {
    "accepted": "accepted",
    "tentative": "tentative",
    "declined": "declined",
    "unanswered": "needsAction",
}


def build(scenario: Scenario, now: Callable[[], datetime] = wall_clock) -> Workspace:
    """A Workspace with the building in it; its meetings lie around the whole minute of this moment."""
    workspace = Workspace(scenario.domain or DOMAIN, now)
    start = whole_minute(now())
    addresses = {}
    for room in scenario.rooms:
        floor = None if room.floor is None else str(room.floor)
        added = workspace.add_room(room.name, building=room.building, floor=floor, capacity=room.capacity)
        addresses[room.mailbox] = added.address
    for person in scenario.people:
        workspace.add_person(person.mailbox, name=person.name)
    for meeting in scenario.meetings:
        _book(workspace, addresses[meeting.room], meeting, start)
    return workspace


def building_of(rooms: int, now: Callable[[], datetime] = wall_clock, domain: str = DOMAIN) -> Workspace:
    """A Workspace with that many rooms, ten on a floor, and eight meetings a day in each from 8:00 UTC on."""
    workspace = Workspace(domain, now)
    morning = now().replace(hour=8, minute=0, second=0, microsecond=0)
    for number in range(rooms):
        address = f"c_188{number:05}@resource.calendar.google.com"
        room = workspace.add_room(
            f"Room {number:05}",
            address=address,
            building="HQ",
            floor=str(number // 10),
            capacity=4 + number % 9,
        )
        for hour in range(8):
            begin = morning + timedelta(hours=hour, minutes=5 * (number % 6))
            end = begin + timedelta(minutes=30)
            workspace.book(room, begin, end, summary=f"Meeting {hour}", response="accepted")
    workspace.add_person("ada", name="Ada Example")
    return workspace


def _book(workspace: Workspace, room: str, meeting: ScenarioMeeting, start: datetime) -> None:
    begin, end = meeting.times(start)
    booked = workspace.book(
        room,
        begin,
        end,
        summary=meeting.subject,
        organizer=meeting.organizer,
        status="tentative" if meeting.show_as == "tentative" else "confirmed",
        transparency="transparent" if meeting.show_as == "free" else "opaque",
        visibility="private" if meeting.private else "default",
        response=RESPONSES[meeting.response],
    )
    if meeting.cancelled:
        workspace.cancel(booked)


async def life(workspace: Workspace, *, seed: int = 1, report: Callable[[str], None] = quiet) -> None:
    """Makes one change after another until it is cancelled; see `placed_simulator.building_life`."""
    await building_life.life(WorkspaceBuilding(workspace), seed=seed, report=report)


class WorkspaceBuilding:
    """What people do in the rooms of a Workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.now = workspace.now
        self.cancel = workspace.cancel
        self.delete = workspace.delete

    def rooms(self) -> Sequence[tuple[str, str]]:
        """Addresses and names."""
        return [(room.address, room.name) for room in self._workspace.rooms()]

    def slots(self, room: str) -> Sequence[Slot]:
        """What is on the room's calendar, by start."""
        zone = self._workspace.calendar(room).time_zone
        return [
            Slot(
                event.id,
                moment_of(event.start, zone),
                moment_of(event.end, zone),
                event.all_day,
                event.makes_busy(room),
            )
            for event in self._workspace.events(room)
        ]

    def book(self, room: str, start: datetime, end: datetime, *, subject: str, organizer: str) -> None:
        """Somebody books the room, which answers."""
        self._workspace.book(room, start, end, summary=subject, organizer=organizer)

    def move(self, meeting_id: str, start: datetime | date, end: datetime | date) -> None:
        """A meeting gets other times."""
        self._workspace.move(meeting_id, start, end)
