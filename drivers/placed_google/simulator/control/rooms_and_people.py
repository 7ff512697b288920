"""Rooms, people and groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from placed_google.simulator.workspace.organisation import Category, SimRoom

if TYPE_CHECKING:
    from placed_google.simulator.control.console_call import Call
    from placed_google.simulator.workspace.workspace import Workspace


class NewRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A room to add."""

    room: str
    address: str | None = None
    building: str | None = None
    floor: str | None = None
    section: str | None = None
    capacity: int | None = None
    category: Category = "CONFERENCE_ROOM"
    zone: str = "UTC"
    auto_accept: bool = True


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether a room answers by itself."""

    auto_accept: bool


class NewPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A user to add."""

    person: str
    name: str | None = None
    administrator: bool = False


class NewGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A group, and who is in it."""

    group: str
    members: tuple[str, ...] = ()


def rooms(call: Call) -> object:
    """What is asked of rooms."""
    workspace = call.tenant
    match call.key():
        case ("GET",):
            return [room_state(workspace, room) for room in workspace.rooms()]
        case ("POST",):
            new = call.read(NewRoom)
            fields = {name: value for name, value in msgspec.structs.asdict(new).items() if name != "room"}
            return workspace.add_room(new.room, **fields)
        case ("DELETE", room):
            workspace.remove_room(room)
            return None
        case ("POST", room, "approval"):
            workspace.calendar(room).auto_accept = call.read(Approval).auto_accept
            return None
        case _:
            raise call.unknown


def room_state(workspace: Workspace, room: SimRoom) -> dict[str, object]:
    """A room as it is listed."""
    calendar = workspace.calendar(room)
    return {
        "room": room,
        "zone": calendar.zone,
        "auto_accept": calendar.auto_accept,
        "events": workspace.events(room),
        "series": [series.master for series in calendar.series.values()],
    }


def people(call: Call) -> object:
    """What is asked of people."""
    workspace = call.tenant
    match call.key():
        case ("GET",):
            return list(workspace.people.values())
        case ("POST",):
            new = call.read(NewPerson)
            person = workspace.add_person(new.person, name=new.name)
            if new.administrator:
                workspace.administrators.add(person.address)
            return person
        case ("POST", name, "suspend"):
            address = workspace.address(name)
            if address not in workspace.people:
                raise LookupError(f"there is no person {name!r}")
            workspace.people[address] = replace(workspace.people[address], suspended=True)
            return None
        case _:
            raise call.unknown


def groups(call: Call) -> object:
    """What is asked of groups."""
    workspace = call.tenant
    match call.key():
        case ("GET",):
            return [
                {"address": group.address, "members": sorted(group.members)}
                for group in workspace.groups.values()
            ]
        case ("POST",):
            new = call.read(NewGroup)
            group = workspace.add_group(new.group, members=new.members)
            return {"address": group.address, "members": sorted(group.members)}
        case _:
            raise call.unknown
