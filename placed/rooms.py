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

    `given` maps "connection/address" to the id; it is what has to be remembered across restarts. The id of a
    room that is gone waits for its return until another room wants it.
    """

    def __init__(self, overrides: Mapping[str, RoomSettings], given: Mapping[str, str] | None = None) -> None:
        self._overrides = {address.lower(): override for address, override in overrides.items()}
        self._settled = {o.id for o in self._overrides.values() if o.id}
        self.given = {key: room_id for key, room_id in (given or {}).items() if room_id not in self._settled}

    def keep(self, connections: Iterable[str]) -> None:
        """Forgets what connections had that are not in the settings any more."""
        wanted = set(connections)
        self.given = {key: i for key, i in self.given.items() if key.partition("/")[0] in wanted}

    def rooms(self, connection: str, time_zone: ZoneInfo, found: Iterable[FoundRoom]) -> tuple[Room, ...]:
        """The rooms of a connection, in the order of their ids; an address listed twice counts once."""
        listings = {listing.address.lower(): listing for listing in found}
        self._give_ids(connection, listings)
        rooms = []
        for address, listing in listings.items():
            override = self._overrides.get(address)
            rooms.append(
                Room(
                    id=(override and override.id) or self.given[f"{connection}/{address}"],
                    connection=connection,
                    address=address,
                    mailbox=listing.mailbox,
                    name=(override and override.name) or listing.name or address.partition("@")[0],
                    time_zone=(override and override.time_zone) or time_zone,
                    building=(override and override.building) or listing.building,
                    floor=(override and override.floor) or listing.floor,
                    capacity=(override and override.capacity) or listing.capacity,
                )
            )
        return tuple(sorted(rooms, key=lambda room: room.id))

    def _give_ids(self, connection: str, addresses: Iterable[str]) -> None:
        here = {f"{connection}/{a}": a for a in sorted(addresses) if not self._has_settled_id(a)}
        gone = {
            room_id: key
            for key, room_id in self.given.items()
            if key.startswith(f"{connection}/") and key not in here
        }
        taken = (self._settled | set(self.given.values())) - gone.keys()
        for key, address in here.items():
            if key in self.given:
                continue
            wanted = slug(address)
            if wanted in taken:
                wanted = f"{connection}-{wanted}"
            chosen, copy = wanted, 1
            while chosen in taken:
                copy += 1
                chosen = f"{wanted}-{copy}"
            if chosen in gone:
                del self.given[gone[chosen]]
            self.given[key] = chosen
            taken.add(chosen)

    def _has_settled_id(self, address: str) -> bool:
        override = self._overrides.get(address)
        return override is not None and override.id is not None
