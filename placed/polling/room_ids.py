"""From rooms as a service lists them to rooms as everybody knows them: ids, names, what the settings add."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from zoneinfo import ZoneInfo

    from placed.driver import ConnectionSettings, FoundRoom
    from placed.settings.schema import RoomSettings


def slug(address: str) -> str:
    """A room's id by its address: the lower-cased local part; what is not a-z 0-9 - _ becomes a -."""
    return re.sub(r"[^a-z0-9_-]", "-", address.partition("@")[0].lower()) or "room"


def tables_without_room(tables: Iterable[str], connections: Iterable[ConnectionSettings]) -> list[str]:
    """The keys of `[rooms."…"]` tables that can fit no room, as far as the settings show it.

    They show it only where every connection names its rooms; else the services have to list them first.
    """
    named = [connection.named_rooms for connection in connections]
    if None in named:
        return []
    addresses = {address for some in named if some is not None for address in some}
    return sorted(table for table in tables if table.lower() not in addresses)


class RoomIds:
    """Gives every room its id and keeps it: once given, an id never changes by itself.

    A room keeps its id by its object id, where the service has one, though its address changes; else by its
    address. The id of a room that is gone waits for its return until another room wants it.

    A room whose address is not known yet has its object id for an id. That is for good only once its calendar
    was read: it was never published with a state before, and with its calendar its address may become known.

    Attributes:
        given: "connection/address" -> id.
        objects: "connection/object id" -> id.
    """

    def __init__(
        self,
        overrides: Mapping[str, RoomSettings],
        given: Mapping[str, str] | None = None,
        objects: Mapping[str, str] | None = None,
    ) -> None:
        self._overrides = {address.lower(): override for address, override in overrides.items()}
        self._settled = {o.id for o in self._overrides.values() if o.id}
        self.given = {key: room_id for key, room_id in (given or {}).items() if room_id not in self._settled}
        self.objects = {
            key: room_id for key, room_id in (objects or {}).items() if room_id not in self._settled
        }
        self._latest: dict[str, FoundRoom] = {}  # "connection/object id" -> the last that had an address
        self._unfitted = {address.lower(): address for address in overrides}  # tables that fit no room yet
        self._awaited: set[str] = set()  # connections whose rooms were not listed yet
        self._for_now: set[str] = set()  # of `given`: ids that are not for good

    def keep(self, connections: Iterable[str]) -> None:
        """Forgets what connections had that are not in the settings any more."""
        wanted = self._awaited = set(connections)
        self.given = {key: i for key, i in self.given.items() if key.partition("/")[0] in wanted}
        self.objects = {key: i for key, i in self.objects.items() if key.partition("/")[0] in wanted}

    @property
    def remembered(self) -> tuple[dict[str, str], dict[str, str]]:
        """`given` and `objects` as a restart has to know them: without ids that are not for good."""
        for_now = {self.given[key] for key in self._for_now if key in self.given}
        given, objects = (
            {key: room_id for key, room_id in ids.items() if room_id not in for_now}
            for ids in (self.given, self.objects)
        )
        return given, objects

    def rooms(
        self,
        connection: str,
        time_zone: ZoneInfo,
        found: Iterable[FoundRoom],
        was_read: Callable[[str], bool] = lambda _mailbox: True,
    ) -> tuple[Room, ...]:
        """The rooms of a connection, in the order of their ids; an address listed twice counts once.

        Args:
            connection: its name.
            time_zone: of its rooms, unless the settings say otherwise.
            found: the rooms as the service lists them.
            was_read: whether the calendar of a mailbox was read.
        """
        self._take_back(connection)
        listings = self._by_address(connection, found)
        before = self.given.keys() | set()
        self._give_ids(connection, listings)
        self._for_now |= {
            key
            for address, listing in listings.items()
            if (key := f"{connection}/{address}") in self.given.keys() - before
            and listing.address == listing.object_id
            and not was_read(listing.mailbox)
        }
        rooms = []
        for address, listing in listings.items():
            override = self._override(listing)
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
                    object_id=listing.object_id,
                )
            )
        return tuple(sorted(rooms, key=lambda room: room.id))

    def listed(self, connection: str) -> list[str]:
        """The service has listed a connection's rooms.

        Returns:
            The tables `[rooms."…"]` that fit no room of any connection, as the settings spell them: each
            once, and only after every connection's rooms were listed.
        """
        self._awaited.discard(connection)
        if self._awaited:
            return []
        unfitted, self._unfitted = sorted(self._unfitted.values()), {}
        return unfitted

    def _take_back(self, connection: str) -> None:
        """Ids that are not for good are given again, perhaps by an address."""
        keys = {key for key in self._for_now if key.startswith(f"{connection}/")}
        ids = {self.given.pop(key) for key in keys if key in self.given}
        self.objects = {key: room_id for key, room_id in self.objects.items() if room_id not in ids}
        self._for_now -= keys

    # --- what the service lists ---

    def _by_address(self, connection: str, found: Iterable[FoundRoom]) -> dict[str, FoundRoom]:
        """By address, in lower case; where the service does not report one, it is the last that was known."""
        listings: dict[str, FoundRoom] = {}
        nameless: dict[str, FoundRoom] = {}
        seen = set()
        for listing in found:
            if listing.object_id is not None:
                if listing.object_id in seen:
                    continue
                seen.add(listing.object_id)
                if listing.address == listing.object_id:
                    nameless[listing.object_id] = listing
                    continue
                if self._is_another(listings.get(listing.address.lower()), listing):
                    nameless[listing.object_id] = replace(listing, address=listing.object_id)
                    continue
                self._latest[f"{connection}/{listing.object_id}"] = listing
            listings[listing.address.lower()] = listing
        addresses = self._addresses(connection) if nameless else {}
        for object_id, listing in nameless.items():
            known = self._known(f"{connection}/{object_id}", listing, addresses)
            if known.address.lower() in listings:  # another room has the address now
                known = listing
            listings[known.address.lower()] = known
        return listings

    @staticmethod
    def _is_another(first: FoundRoom | None, second: FoundRoom) -> bool:
        """Whether an address is reported of two objects: one report is outdated, and both are rooms."""
        return first is not None and first.object_id not in (None, second.object_id)

    def _addresses(self, connection: str) -> dict[str, str]:
        """The addresses by which rooms of a connection were known, by id."""
        return {i: key.partition("/")[2] for key, i in self.given.items() if key.startswith(f"{connection}/")}

    def _known(self, key: str, listing: FoundRoom, addresses: Mapping[str, str]) -> FoundRoom:
        """A room that is listed by its object id alone, with what was known of it before."""
        latest = self._latest.get(key)
        if latest is not None:
            return replace(latest, mailbox=listing.mailbox, name=listing.name or latest.name)
        return replace(listing, address=addresses.get(self.objects.get(key, ""), listing.address))

    def _override(self, listing: FoundRoom) -> RoomSettings | None:
        """What the settings say of it, by its address or by its object id."""
        for key in (listing.address.lower(), (listing.object_id or "").lower()):
            if key in self._overrides:
                self._unfitted.pop(key, None)
                return self._overrides[key]
        return None

    # --- ids ---

    def _give_ids(self, connection: str, listings: Mapping[str, FoundRoom]) -> None:
        here = {
            f"{connection}/{address}": listing
            for address, listing in sorted(listings.items())
            if not self._has_settled_id(listing)
        }
        self._follow_objects(connection, here)
        gone = {
            room_id: key
            for key, room_id in self.given.items()
            if key.startswith(f"{connection}/") and key not in here
        }
        taken = (self._settled | set(self.given.values())) - gone.keys()
        for key in here:
            if key in self.given:
                continue
            chosen = _free(slug(key.partition("/")[2]), connection, taken)
            if chosen in gone:
                del self.given[gone[chosen]]
            self.given[key] = chosen
            taken.add(chosen)
        self._note_objects(connection, here)

    def _follow_objects(self, connection: str, here: Mapping[str, FoundRoom]) -> None:
        """Rooms whose object id is known keep their id, whatever their address is now."""
        moved = {
            key: room_id
            for key, listing in here.items()
            if (room_id := self.objects.get(f"{connection}/{listing.object_id}")) is not None
            and self.given.get(key) != room_id
        }
        if moved:
            ids = set(moved.values())
            self.given = {key: room_id for key, room_id in self.given.items() if room_id not in ids} | moved

    def _note_objects(self, connection: str, here: Mapping[str, FoundRoom]) -> None:
        """An id is one object's: that of the mailbox that has the address now, and so the id."""
        now = {
            f"{connection}/{listing.object_id}": self.given[key]
            for key, listing in here.items()
            if listing.object_id is not None
        }
        ids = set(now.values())
        self.objects = {key: room_id for key, room_id in self.objects.items() if room_id not in ids} | now

    def _has_settled_id(self, listing: FoundRoom) -> bool:
        override = self._override(listing)
        return override is not None and override.id is not None


def _free(wanted: str, connection: str, taken: set[str]) -> str:
    """The id, or, if it is taken, the next best."""
    if wanted in taken:
        wanted = f"{connection}-{wanted}"
    chosen, copy = wanted, 1
    while chosen in taken:
        copy += 1
        chosen = f"{wanted}-{copy}"
    return chosen
