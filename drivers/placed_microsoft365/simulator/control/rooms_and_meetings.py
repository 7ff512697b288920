"""Rooms, and the meetings in their calendars."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.simulator.tenant.mailboxes import Meeting, Response, Sensitivity, ShowAs, SimRoom
from placed_simulator.relative_time import parse_moment

if TYPE_CHECKING:
    from placed_microsoft365.simulator.control.control_request import Call
    from placed_microsoft365.simulator.tenant.tenant import Tenant


class NewRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A room to add; `groups` it becomes a member of."""

    room: str
    name: str | None = None
    building: str | None = None
    floor: int | None = None
    capacity: int | None = None
    groups: tuple[str, ...] = ()


class NewAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The address that a room has from now on."""

    address: str


class RoomState(msgspec.Struct, frozen=True):
    """A room as it is listed."""

    room: SimRoom
    meetings: list[Meeting]


class NewMeeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A meeting to book."""

    room: str
    start: str
    end: str
    subject: str = "Meeting"
    organizer: str = "Ada Example"
    show_as: ShowAs = "busy"
    sensitivity: Sensitivity = "normal"
    all_day: bool = False
    response: Response = "accepted"


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a meeting is moved to."""

    start: str
    end: str


def rooms(call: Call) -> object:
    """What is asked of rooms."""
    tenant = call.tenant
    match call.key():
        case ("GET",):
            return [RoomState(room, tenant.meetings(room)) for room in tenant.rooms()]
        case ("POST",):
            return _add_room(tenant, call.read(NewRoom))
        case ("DELETE", room):
            tenant.remove_room(room)
            return None
        case ("POST", room, "address"):
            return tenant.change_address(room, call.read(NewAddress).address)
        case _:
            raise call.unknown


def meetings(call: Call) -> object:
    """What is asked of meetings."""
    tenant = call.tenant
    match call.key():
        case ("POST",):
            return {"id": _book(tenant, call.read(NewMeeting))}
        case ("POST", meeting, "move"):
            times = call.read(Times)
            all_day = tenant.meeting(meeting).all_day
            start, end = (_moment(tenant, text, all_day=all_day) for text in (times.start, times.end))
            tenant.move(meeting, start, end)
        case ("POST", meeting, "cancel"):
            tenant.cancel(meeting)
        case ("POST", meeting, "decline"):
            tenant.decline(meeting)
        case ("POST", meeting, "organizer-update"):
            tenant.update_by_organizer(meeting)
        case ("POST", meeting, "accept"):
            tenant.respond(meeting, "accepted")
        case ("DELETE", meeting):
            tenant.delete(meeting)
        case _:
            raise call.unknown
    return None


def _add_room(tenant: Tenant, new: NewRoom) -> SimRoom:
    groups = [tenant.group(group) for group in new.groups]
    room = tenant.add_room(
        new.room, name=new.name, building=new.building, floor=new.floor, capacity=new.capacity
    )
    for group in groups:
        tenant.add_member(group, room)
    return room


def _book(tenant: Tenant, new: NewMeeting) -> str:
    return tenant.book(
        new.room,
        _moment(tenant, new.start, all_day=new.all_day),
        _moment(tenant, new.end, all_day=new.all_day),
        subject=new.subject,
        organizer=new.organizer,
        show_as=new.show_as,
        sensitivity=new.sensitivity,
        all_day=new.all_day,
        response=new.response,
    )


def _moment(tenant: Tenant, text: str, *, all_day: bool) -> datetime | date:
    return date.fromisoformat(text) if all_day else parse_moment(text, tenant.now())
