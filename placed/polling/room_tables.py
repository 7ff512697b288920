"""The tables `[rooms."…"]` of the settings: the room that each one fits, and those that fit none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.polling.room_slugs import slug, slug_of_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from placed.driver import ConnectionSettings, FoundRoom
    from placed.settings.room_settings import RoomSettings

# The remedy for a table of the settings that fits no room.
FITS_NO_ROOM = "correct the address in the table, or give the room's object id; or remove the table"


def tables_without_room(tables: Iterable[str], connections: Iterable[ConnectionSettings]) -> list[str]:
    """Returns keys of `[rooms."…"]` tables that can match no room, by the settings alone.

    This is known only if every connection names its rooms; else the services have to list them first.
    """
    named = [connection.named_rooms for connection in connections]
    if None in named:
        return []
    addresses = {address for some in named if some is not None for address in some}
    return sorted(table for table in tables if table.lower() not in addresses)


def ids_by_settings(
    tables: Mapping[str, RoomSettings], connections: Iterable[ConnectionSettings]
) -> set[str] | None:
    """Returns the ids that rooms can get by the settings alone; None if a service has to list its rooms."""
    ids = {table.id for table in tables.values() if table.id is not None}
    names = {address.lower(): slug_of_name(table.name) for address, table in tables.items() if table.name}
    for connection in connections:
        if connection.named_rooms is None:
            return None
        slugs = {slug(address) for address in connection.named_rooms}
        slugs |= {names[address] for address in connection.named_rooms if names.get(address)}
        ids |= slugs | {f"{connection.name}-{each}" for each in slugs}  # the second one on a clash
    return ids


class RoomTables:
    """The tables, found by the address or the object id of a room.

    Attributes:
        ids: the ids that tables set.
        awaited: connections whose rooms were not listed yet.
    """

    def __init__(self, tables: Mapping[str, RoomSettings], awaited: Collection[str] = ()) -> None:
        self._tables = {key.lower(): table for key, table in tables.items()}
        self._unfitted = {key.lower(): key for key in tables}  # those that match no room yet
        self.ids = {table.id for table in tables.values() if table.id}
        self.awaited = set(awaited)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __getitem__(self, key: str) -> RoomSettings:
        return self._tables[key]

    def fitting(self, listings: Mapping[str, FoundRoom]) -> dict[str, str]:
        """Returns the keys of the tables for rooms, by address, as far as rooms have a table."""
        found = {}
        for address, listing in listings.items():
            for key in (listing.address.lower(), (listing.object_id or "").lower()):
                if key in self._tables:
                    self._unfitted.pop(key, None)
                    found[address] = key
                    break
        return found

    def listed(self, connection: str) -> list[str]:
        """Notes that the service has listed a connection's rooms.

        Returns:
            The tables that match no room of any connection, as spelled in the settings: each once, and only
            after every connection's rooms were listed.
        """
        self.awaited.discard(connection)
        if self.awaited:
            return []
        unfitted, self._unfitted = sorted(self._unfitted.values()), {}
        return unfitted
