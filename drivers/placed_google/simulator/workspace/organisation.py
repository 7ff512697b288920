"""Who and what a Workspace domain consists of: people, groups, buildings, rooms and their calendars."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from placed_google.simulator.workspace.calendar_model import Calendar, Kind
from placed_google.simulator.workspace.calendar_sharing import AclRule, Role

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Category = Literal["CONFERENCE_ROOM", "OTHER", "CATEGORY_UNKNOWN"]
ROOM_HOST = "resource.calendar.google.com"
ROOM_IDS = "c_188"


def wall_clock() -> datetime:
    """The machine's clock, aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A building as the directory lists it."""

    id: str
    name: str
    floors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SimRoom:
    """A room, or another resource, as the directory lists it; `address` is the id of its calendar."""

    address: str
    id: str
    name: str
    building: str | None = None
    floor: str | None = None
    section: str | None = None
    capacity: int | None = None
    category: Category = "CONFERENCE_ROOM"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the domain; `address` is the id of their calendar."""

    address: str
    name: str
    suspended: bool = False


@dataclass(slots=True, kw_only=True)
class Group:
    """A group; its members may be from outside of the domain."""

    address: str
    members: set[str] = field(default_factory=set)


class Organisation:
    """The directory of a domain, in memory.

    A person, a group or a room may be named by its address, its local part or, a room, by its name; or by
    the value that `add_…` gave back.
    """

    def __init__(self, domain: str, now: Callable[[], datetime]) -> None:
        self.domain = domain.lower()
        self.now = now
        self.customer_id = f"C0{hashlib.sha256(self.domain.encode()).hexdigest()[:7]}"
        self.people: dict[str, Person] = {}
        self.groups: dict[str, Group] = {}
        self.resources: dict[str, SimRoom] = {}
        self.buildings: dict[str, Building] = {}
        self.calendars: dict[str, Calendar] = {}
        self._numbers = 0

    def new_id(self, purpose: str, length: int = 26) -> str:
        """Letters and digits that no other object has; the same run gives the same ones."""
        self._numbers += 1
        text = f"{purpose}:{self.domain}:{self._numbers}"
        return hashlib.sha256(text.encode()).hexdigest()[:length]

    def address(self, name: str | SimRoom | Person | Group) -> str:
        """The address that the name stands for, in lower case."""
        if not isinstance(name, str):
            return name.address
        lowered = name.lower()
        if "@" in lowered:
            return lowered
        for room in self.resources.values():
            if lowered in (room.name.lower(), slug(room.name)):
                return room.address
        return f"{lowered}@{self.domain}"

    def calendar(self, name: str | SimRoom | Person) -> Calendar:
        """The calendar of a room or a person.

        Raises:
            LookupError: there is none.
        """
        try:
            return self.calendars[self.address(name)]
        except KeyError:
            raise LookupError(f"no calendar {name!r} in {self.domain}") from None

    def rooms(self) -> list[SimRoom]:
        """All rooms, in the order in which they were added."""
        return list(self.resources.values())

    def add_building(self, name: str, floors: Iterable[str] = ()) -> Building:
        """A building; one of that name that exists already gets the floors, too."""
        known = next((one for one in self.buildings.values() if one.name == name), None)
        identity = known.id if known is not None else self.new_id("building", 12)
        every = dict.fromkeys((*(known.floors if known is not None else ()), *floors))
        building = Building(id=identity, name=name, floors=tuple(every))
        self.buildings[identity] = building
        return building

    def add_room(  # noqa: PLR0913 - a resource has this many fields
        self,
        name: str,
        *,
        address: str | None = None,
        building: str | None = None,
        floor: str | None = None,
        section: str | None = None,
        capacity: int | None = None,
        category: Category = "CONFERENCE_ROOM",
        zone: str = "UTC",
        auto_accept: bool = True,
    ) -> SimRoom:
        """A room, whose calendar everybody of the organisation may see in detail, as by default.

        Its address is a random one, unless an address is given.
        """
        identity = self.new_id("resource", 12)
        if building is not None:
            self.add_building(building, () if floor is None else (floor,))
        room = SimRoom(
            address=(address or f"{ROOM_IDS}{self.new_id('room', 20)}@{ROOM_HOST}").lower(),
            id=identity,
            name=name,
            building=building,
            floor=floor,
            section=section,
            capacity=capacity,
            category=category,
        )
        if room.address in self.calendars:
            raise ValueError(f"{room.address} is there already")
        self.resources[room.address] = room
        calendar = Calendar(
            id=room.address, name=name, zone=zone, kind=Kind.RESOURCE, auto_accept=auto_accept
        )
        calendar.rules.append(AclRule("domain", self.domain, Role.READER))
        self.calendars[room.address] = calendar
        return room

    def remove_room(self, name: str | SimRoom) -> None:
        """The room is gone from the directory, and its calendar with it: 404."""
        address = self.address(name)
        if address not in self.resources:
            raise LookupError(f"no room {name!r} in {self.domain}")
        del self.resources[address], self.calendars[address]

    def add_person(self, name_or_address: str, *, name: str | None = None, zone: str = "UTC") -> Person:
        """A user, whose free/busy everybody of the organisation may see, as by default."""
        address = self.address(name_or_address)
        display = name if name is not None else address.partition("@")[0].title()
        person = Person(address=address, name=display)
        self.people[address] = person
        calendar = Calendar(id=address, name=address, zone=zone, kind=Kind.PRIMARY)
        calendar.rules.append(AclRule("domain", self.domain, Role.FREE_BUSY_READER))
        self.calendars[address] = calendar
        return person

    def add_group(self, name_or_address: str, *, members: Iterable[str] = ()) -> Group:
        """A group of people, rooms or outsiders."""
        group = Group(address=self.address(name_or_address), members={self.address(one) for one in members})
        self.groups[group.address] = group
        return group


def slug(name: str) -> str:
    """`Meeting Room 1` as it stands in an address: `meeting-room-1`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
