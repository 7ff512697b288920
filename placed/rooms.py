"""From rooms as a service lists them to rooms as everybody knows them: ids, names, what the settings add."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placed.model import Room

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    from placed.driver import FoundRoom
    from placed.settings import RoomSettings


def slug(address: str) -> str:
    """A room's id by its address: the lower-cased local part; what is not a-z 0-9 - _ becomes a -."""
    return re.sub(r"[^a-z0-9_-]", "-", address.partition("@")[0].lower()) or "room"


class RoomBook:
    """Gives every room its id and keeps it: once given, an id never changes by itself.

    `given` maps "connection/address" to the id; it is what has to be remembered across restarts.
    """

    def __init__(self, overrides: Mapping[str, RoomSettings], given: Mapping[str, str] | None = None) -> None:
        self._overrides = {address.lower(): override for address, override in overrides.items()}
        settled = {o.id for o in self._overrides.values() if o.id}
        self.given = {key: room_id for key, room_id in (given or {}).items() if room_id not in settled}
        self._taken = settled | set(self.given.values())

    def rooms(self, connection: str, time_zone: ZoneInfo, found: Iterable[FoundRoom]) -> tuple[Room, ...]:
        """The rooms of a connection, in the order of their ids; an address listed twice counts once."""
        rooms: dict[str, Room] = {}
        for listing in sorted(found, key=lambda f: f.address.lower()):
            address = listing.address.lower()
            override = self._overrides.get(address)
            rooms[address] = Room(
                id=(override and override.id) or self._id(connection, address),
                connection=connection,
                address=address,
                mailbox=listing.mailbox,
                name=(override and override.name) or listing.name or address.partition("@")[0],
                time_zone=(override and override.time_zone) or time_zone,
                building=(override and override.building) or listing.building,
                floor=(override and override.floor) or listing.floor,
                capacity=(override and override.capacity) or listing.capacity,
            )
        return tuple(sorted(rooms.values(), key=lambda r: r.id))

    def _id(self, connection: str, address: str) -> str:
        key = f"{connection}/{address}"
        if key not in self.given:
            wanted = slug(address)
            if wanted in self._taken:
                wanted = f"{connection}-{wanted}"
            chosen, copy = wanted, 1
            while chosen in self._taken:
                copy += 1
                chosen = f"{wanted}-{copy}"
            self.given[key] = chosen
            self._taken.add(chosen)
        return self.given[key]
