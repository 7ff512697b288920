"""Assigns ids, names and the settings' additions to the rooms that a service lists."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec.structs import replace

from placed.domain.model import Room
from placed.polling.ids_in_settings import IdsInSettings, connections_that_name
from placed.polling.room_slugs import slug, slug_of_name
from placed.polling.room_tables import RoomTables

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from placed.driver import ConnectionSettings, FoundRoom
    from placed.settings.room_settings import RoomSettings


def lowered(text: str) -> str:
    """Returns the text in lower case: the same object if it is so already, since every room keeps it."""
    lower = text.lower()
    return text if text == lower else lower


class RoomIds:
    """Gives every room its id and keeps it: an id never changes by itself.

    A room keeps its id by its object id, if the service has one, even if its address changes; else by its
    address. The id of a removed room is reserved for its return until another room needs it.

    A room whose address is not known yet has its object id as id. That becomes permanent only once its
    calendar was read: it was never published with a state before, and the calendar may reveal its address.

    Attributes:
        given: "connection/address" -> id.
        objects: "connection/object id" -> id.
    """

    def __init__(
        self,
        tables: Mapping[str, RoomSettings],
        given: Mapping[str, str] | None = None,
        objects: Mapping[str, str] | None = None,
    ) -> None:
        self._tables = RoomTables(tables)
        self.given = self._without_ids_of_tables(given or {})
        self.objects = self._without_ids_of_tables(objects or {})
        self._latest: dict[str, FoundRoom] = {}  # "connection/object id" -> its last address
        self._for_now: set[str] = set()  # of `given`: ids that are not permanent
        self._of_tables = IdsInSettings()
        self._named: dict[str, frozenset[str]] = {}  # addresses of the rooms that connections name

    def change(self, tables: Mapping[str, RoomSettings]) -> None:
        """Other settings of single rooms count from the next list of rooms on. Ids that were given stay."""
        self._tables = RoomTables(tables, self._tables.awaited)
        self.given = self._without_ids_of_tables(self.given)
        self.objects = self._without_ids_of_tables(self.objects)

    def _without_ids_of_tables(self, ids: Mapping[str, str]) -> dict[str, str]:
        return {key: room_id for key, room_id in ids.items() if room_id not in self._tables.ids}

    def share_out(self, connections: Sequence[ConnectionSettings]) -> None:
        """Takes in which rooms the connections of the settings name.

        So a room that was moved from one connection to another keeps its id; and where several name a room,
        it is decided whose has the id of a table.
        """
        self._named = {c.name: rooms for c in connections if (rooms := c.named_rooms) is not None}
        named = connections_that_name(self._tables, connections)
        self._of_tables.set_connections(named, {connection.name for connection in connections})

    def without_id_of_table(self, connection: str) -> list[str]:
        """Returns new tables that fit a room of this connection whose id another connection's room has."""
        return self._of_tables.to_report(connection)

    def keep(self, connections: Iterable[str]) -> None:
        """Forgets connections that are no longer in the settings."""
        wanted = set(connections)
        self._tables.awaited = set(wanted)
        self.given = {key: i for key, i in self.given.items() if key.partition("/")[0] in wanted}
        self.objects = {key: i for key, i in self.objects.items() if key.partition("/")[0] in wanted}

    @property
    def remembered(self) -> tuple[dict[str, str], dict[str, str]]:
        """`given` and `objects` for the store: without ids that are not permanent."""
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
        """Returns the rooms of a connection, in the order of their ids; a repeated address counts once.

        Args:
            connection: its name.
            time_zone: the time zone of its rooms, unless the settings name another.
            found: the rooms as the service lists them.
            was_read: whether the calendar of a mailbox was read.
        """
        self._take_back(connection)
        listings = self._by_address(connection, found)
        tables = self._tables.fitting(listings)
        before = set(self.given)
        settled = self._ids_of_tables(connection, tables)
        self._give_ids(connection, listings, settled, tables)
        new = self.given.keys() - before
        self._for_now |= {
            key
            for address, listing in listings.items()
            if (key := f"{connection}/{address}") in new
            and listing.address == listing.object_id
            and not was_read(listing.mailbox)
        }
        rooms = []
        for address, listing in listings.items():
            table = self._tables[tables[address]] if address in tables else None
            rooms.append(
                Room(
                    id=settled.get(address) or self.given[f"{connection}/{address}"],
                    connection=connection,
                    address=address,
                    mailbox=listing.mailbox,
                    name=(table and table.name) or listing.name or address.partition("@")[0],
                    time_zone=(table and table.time_zone) or _zone_of(listing) or time_zone,
                    zone_is_set=bool(table and table.time_zone),
                    building=(table and table.building) or listing.building,
                    floor=(table and table.floor) or listing.floor,
                    capacity=(table and table.capacity) or listing.capacity,
                    show_presence=table.presence if table else None,
                    object_id=listing.object_id,
                )
            )
        return tuple(sorted(rooms, key=lambda room: room.id))

    def listed(self, connection: str) -> list[str]:
        """Notes that a connection's rooms are listed; returns tables that match no room, as `RoomTables`."""
        return self._tables.listed(connection)

    def _take_back(self, connection: str) -> None:
        """Releases ids that are not permanent; they are assigned again, perhaps by an address."""
        keys = {key for key in self._for_now if key.startswith(f"{connection}/")}
        ids = {self.given.pop(key) for key in keys if key in self.given}
        self.objects = {key: room_id for key, room_id in self.objects.items() if room_id not in ids}
        self._for_now -= keys

    # --- the service's list ---

    def _by_address(self, connection: str, found: Iterable[FoundRoom]) -> dict[str, FoundRoom]:
        """Returns the rooms by address, in lower case; if the service reports none, by the last known one."""
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
            listings[lowered(listing.address)] = listing
        addresses = self._addresses(connection) if nameless else {}
        for object_id, listing in nameless.items():
            known = self._known(f"{connection}/{object_id}", listing, addresses)
            if known.address.lower() in listings:  # another room has the address now
                known = listing
            listings[lowered(known.address)] = known
        return listings

    @staticmethod
    def _is_another(first: FoundRoom | None, second: FoundRoom) -> bool:
        """Returns whether one address is reported of two objects: one is outdated, and both are rooms."""
        return first is not None and first.object_id not in (None, second.object_id)

    def _addresses(self, connection: str) -> dict[str, str]:
        """Returns the addresses by which rooms of a connection were known, by id."""
        return {i: key.partition("/")[2] for key, i in self.given.items() if key.startswith(f"{connection}/")}

    def _known(self, key: str, listing: FoundRoom, addresses: Mapping[str, str]) -> FoundRoom:
        """Returns a room that is listed by its object id alone, with what was known of it before."""
        latest = self._latest.get(key)
        if latest is not None:
            return replace(latest, mailbox=listing.mailbox, name=listing.name or latest.name)
        return replace(listing, address=addresses.get(self.objects.get(key, ""), listing.address))

    def _ids_of_tables(self, connection: str, tables: Mapping[str, str]) -> dict[str, str]:
        """Returns the ids of tables, by address, as far as no other connection's room has them."""
        with_id = {address: table for address, table in tables.items() if self._tables[table].id is not None}
        own = self._of_tables.assign(connection, set(with_id.values()))
        return {
            address: room_id
            for address, table in with_id.items()
            if table in own and (room_id := self._tables[table].id) is not None
        }

    def _give_ids(
        self,
        connection: str,
        listings: Mapping[str, FoundRoom],
        settled: Collection[str],
        tables: Mapping[str, str],
    ) -> None:
        here = {
            f"{connection}/{address}": listing
            for address, listing in sorted(listings.items())
            if address not in settled
        }
        self._follow_objects(connection, here)
        gone = {
            room_id: key
            for key, room_id in self.given.items()
            if key.startswith(f"{connection}/") and key not in here
        }
        taken = (self._tables.ids | set(self.given.values())) - gone.keys()
        moved = self._moved_from_others(connection, here)
        for key, listing in here.items():
            if key in self.given:
                continue
            before = moved.get(key)
            if before is not None:
                chosen = self.given.pop(before)
            else:
                address = key.partition("/")[2]
                name = listing.name or (address in tables and self._tables[tables[address]].name)
                chosen = _free(_wanted(address, listing, name or ""), connection, taken)
            if chosen in gone:
                del self.given[gone[chosen]]
            self.given[key] = chosen
            taken.add(chosen)
        self._note_objects(connection, here)

    def _moved_from_others(self, connection: str, here: Collection[str]) -> dict[str, str]:
        """Returns keys of rooms that another connection had and does not name any more: new -> former key."""
        moved = {}
        for key in self.given:
            other, _, address = key.partition("/")
            if other != connection and other in self._named and address not in self._named[other]:
                moved[f"{connection}/{address}"] = key
        return {key: before for key, before in moved.items() if key in here}

    def _follow_objects(self, connection: str, here: Mapping[str, FoundRoom]) -> None:
        """Keeps the ids of rooms whose object id is known, whatever their address is now."""
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
        """Assigns an id to one object: the mailbox that has the address now."""
        now = {
            f"{connection}/{listing.object_id}": self.given[key]
            for key, listing in here.items()
            if listing.object_id is not None
        }
        ids = set(now.values())
        self.objects = {key: room_id for key, room_id in self.objects.items() if room_id not in ids} | now


def _zone_of(listing: FoundRoom) -> ZoneInfo | None:
    """Returns the time zone of the calendar itself, if the service reports one that is known here."""
    try:
        return ZoneInfo(listing.time_zone) if listing.time_zone else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _wanted(address: str, listing: FoundRoom, name: str) -> str:
    """Returns the id that a room gets if no other has it."""
    return (slug_of_name(name) if name and listing.opaque_address else "") or slug(address)


def _free(wanted: str, connection: str, taken: set[str]) -> str:
    """Returns the id, or, if it is taken, the next one that is free."""
    if wanted in taken:
        wanted = f"{connection}-{wanted}"
    chosen, copy = wanted, 1
    while chosen in taken:
        copy += 1
        chosen = f"{wanted}-{copy}"
    return chosen
