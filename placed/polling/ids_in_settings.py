"""Decides which connection's room has the id that a table of the settings names. Pure.

A table `[rooms."…"]` fits an address, and several connections may list that: two of feeds, for example, may
both have one named `boardroom`. An id is that of one room, so it goes to the first connection of the settings
that names the room; where none does, to the one that lists it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from placed.driver import ConnectionSettings

# The remedy for a table whose id the rooms of several connections would have.
ONE_ROOM = "an id is that of one room: remove the room from one of the connections, or the id from the table"


def connections_that_name(
    tables: Iterable[str], connections: Iterable[ConnectionSettings]
) -> dict[str, list[str]]:
    """Returns the connections whose settings name the room of a table, in their order, by the table's key."""
    named = [(connection.name, connection.named_rooms or frozenset()) for connection in connections]
    return {table: [name for name, rooms in named if table.lower() in rooms] for table in tables}


class IdsInSettings:
    """Which connection's room has the id of a table."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}  # key of a table, in lower case -> connection
        self._holders: dict[str, str] = {}  # key of a table -> the connection whose room has its id
        self._refused: dict[str, set[str]] = {}  # connection -> tables whose ids its rooms do not get
        self._reported: dict[str, set[str]] = {}  # of these, those that were reported

    def set_connections(self, named: Mapping[str, Collection[str]], connections: Collection[str]) -> None:
        """Sets the connections of the settings, and those that name the room of each table."""
        self._owners = {table.lower(): next(iter(names)) for table, names in named.items() if names}
        self._holders = {table: name for table, name in self._holders.items() if name in connections}

    def assign(self, connection: str, tables: Collection[str]) -> set[str]:
        """Returns those of the tables that fit rooms of this connection whose ids are given to these rooms.

        What the settings newly decide takes effect when the connection that has the id is listed again.
        """
        fitting = {table for table in tables if self._owners.get(table, connection) == connection}
        self._holders = {
            table: name for table, name in self._holders.items() if name != connection or table in fitting
        }
        given = {table for table in fitting if self._holders.setdefault(table, connection) == connection}
        self._refused[connection] = set(tables) - given
        return given

    def to_report(self, connection: str) -> list[str]:
        """Returns the tables whose ids this connection's rooms do not get, each once while that is so."""
        refused = self._refused.get(connection, set())
        new = refused - self._reported.get(connection, set())
        self._reported[connection] = refused
        return sorted(new)
