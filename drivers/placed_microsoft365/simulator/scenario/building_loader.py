"""A building out of a TOML file: rooms, people, and a day of meetings relative to the start."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.simulator.scenario.relative_time import parse_length, parse_moment, whole_minute
from placed_microsoft365.simulator.tenant.directory import wall_clock
from placed_microsoft365.simulator.tenant.mailboxes import (
    CalendarProcessing,
    Response,
    Sensitivity,
    ShowAs,
)
from placed_microsoft365.simulator.tenant.tenant import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path


class ScenarioRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A room; `keeps_subject` and `keeps_private` switch off what Exchange does by default."""

    mailbox: str
    name: str
    building: str | None = None
    floor: int | None = None
    capacity: int | None = None
    keeps_subject: bool = False
    keeps_private: bool = False


class ScenarioPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody with a mailbox outside of the fence."""

    mailbox: str
    name: str


class ScenarioMeeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A meeting; `start` and `length` as in `relative_time`, or a `day` for an all-day one, 0 being today."""

    room: str
    start: str = "now"
    length: str = "30m"
    day: int | None = None
    subject: str = "Meeting"
    organizer: str = "Ada Example"
    show_as: ShowAs = "busy"
    sensitivity: Sensitivity = "normal"
    response: Response = "accepted"
    cancelled: bool = False


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole building; `group` is the security group and `room_list` the room list of all its rooms."""

    domain: str = "contoso.example"
    group: str = "placed-rooms"
    room_list: str = "rooms"
    rooms: tuple[ScenarioRoom, ...] = ()
    people: tuple[ScenarioPerson, ...] = ()
    meetings: tuple[ScenarioMeeting, ...] = ()


def load_scenario(path: Path | None = None) -> Scenario:
    """Read a scenario; without a path the building that comes with the package.

    Raises:
        ValueError: the file is no TOML, or has keys or values that a scenario does not have.
        OSError: it cannot be read.
    """
    source = path if path is not None else files(__package__).joinpath("building.toml")
    return msgspec.convert(tomllib.loads(source.read_text(encoding="utf-8")), Scenario)


def build(scenario: Scenario, now: Callable[[], datetime] = wall_clock, *, groups: bool = True) -> Tenant:
    """A tenant with the building in it; its meetings lie around the whole minute of this moment.

    Without `groups` there are rooms and people, as everywhere, and nobody has thought of this program yet.
    """
    tenant = Tenant(scenario.domain, now)
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
    domain: str = "contoso.example",
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
    if meeting.day is not None:
        day = (start + timedelta(days=meeting.day)).date()
        begin, end = day, day + timedelta(days=1)
    else:
        begin = parse_moment(meeting.start, start)
        end = begin + parse_length(meeting.length)
    booked = tenant.book(
        meeting.room,
        begin,
        end,
        subject=meeting.subject,
        organizer=meeting.organizer,
        show_as=meeting.show_as,
        sensitivity=meeting.sensitivity,
        all_day=meeting.day is not None,
        response=meeting.response,
    )
    if meeting.cancelled:
        tenant.cancel(booked)
