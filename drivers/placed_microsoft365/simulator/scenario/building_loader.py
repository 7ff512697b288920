"""A tenant with a building in it, from a scenario or as big as it is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.tenant.mailboxes import CalendarProcessing
from placed_microsoft365.simulator.tenant.organization import wall_clock
from placed_microsoft365.simulator.tenant.tenant import Tenant
from placed_simulator.relative_time import whole_minute

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed_microsoft365.simulator.tenant.mailboxes import Response
    from placed_simulator.building_file import Scenario, ScenarioMeeting

DOMAIN = "contoso.example"
RESPONSES: dict[str, Response] = {
    "accepted": "accepted",
    "tentative": "tentativelyAccepted",
    "declined": "declined",
    "unanswered": "notResponded",
}


def build(scenario: Scenario, now: Callable[[], datetime] = wall_clock, *, groups: bool = True) -> Tenant:
    """A tenant with the building in it; its meetings lie around the whole minute of this moment.

    Without `groups` there are rooms and people, as everywhere, and nobody has thought of this program yet.
    """
    tenant = Tenant(scenario.domain or DOMAIN, now)
    start = whole_minute(now())
    for room in scenario.rooms:
        tenant.add_room(
            room.mailbox,
            name=room.name,
            building=room.building,
            floor=room.floor,
            capacity=room.capacity,
            processing=CalendarProcessing(
                delete_subject=not room.keeps_subject,
                add_organizer_to_subject=not room.keeps_subject,
                remove_private_property=not room.keeps_private,
            ),
        )
    for person in scenario.people:
        tenant.add_person(person.mailbox, name=person.name)
    if groups:
        tenant.add_group(scenario.group, members=tenant.rooms())
        tenant.add_room_list(scenario.room_list, rooms=tenant.rooms())
    for meeting in scenario.meetings:
        _book(tenant, meeting, start)
    return tenant


def building_of(
    rooms: int,
    now: Callable[[], datetime] = wall_clock,
    domain: str = DOMAIN,
    *,
    groups: bool = True,
) -> Tenant:
    """A tenant with that many rooms, ten on a floor, and eight meetings a day in each from 8:00 UTC on."""
    tenant = Tenant(domain, now)
    morning = now().replace(hour=8, minute=0, second=0, microsecond=0)
    for number in range(rooms):
        floor = number // 10
        room = tenant.add_room(
            f"room-{number:05}", name=f"Room {number:05}", building="HQ", floor=floor, capacity=4 + number % 9
        )
        for hour in range(8):
            begin = morning + timedelta(hours=hour, minutes=5 * (number % 6))
            tenant.book(room, begin, begin + timedelta(minutes=30), subject=f"Meeting {hour}")
    tenant.add_person("ada", name="Ada Example")
    if groups:
        tenant.add_group("placed-rooms", members=tenant.rooms())
        tenant.add_room_list("rooms", rooms=tenant.rooms())
    return tenant


def _book(tenant: Tenant, meeting: ScenarioMeeting, start: datetime) -> None:
    begin, end = meeting.times(start)
    booked = tenant.book(
        meeting.room,
        begin,
        end,
        subject=meeting.subject,
        organizer=meeting.organizer,
        show_as=meeting.show_as,
        sensitivity="private" if meeting.private else "normal",
        all_day=meeting.day is not None,
        response=RESPONSES[meeting.response],
    )
    if meeting.cancelled:
        tenant.cancel(booked)
