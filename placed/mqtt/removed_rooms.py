"""What the broker may still hold of rooms that were removed, and has to be cleared. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from placed.domain.connection_health import ConnectionState
from placed.mqtt.messages import clear
from placed.mqtt.topics import BUTTON_ENTITIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.model import Room
    from placed.mqtt.messages import Message
    from placed.mqtt.room_index import Entry
    from placed.mqtt.topics import Topics


class RetainedRooms:
    """Topics to clear, and rooms of an earlier run that may have been removed.

    Args:
        topics: of this run.
        prefix: the discovery prefix of the settings, whether discovery is on or not.

    Attributes:
        to_clear: topics that the broker has not acknowledged as cleared yet.
    """

    def __init__(self, topics: Topics, prefix: str | None = None) -> None:
        self.to_clear: set[str] = set()
        self.prefix = prefix
        self._topics = topics
        self._earlier: dict[str, Entry] = {}
        self._presence: dict[str, set[str]] = {}  # topics of presences that an earlier run published, by room
        self._buttons: set[str] = set()  # config topics of buttons that an earlier run may have published

    @property
    def undecided(self) -> list[Entry]:
        """Rooms of an earlier run that are neither on the board nor known to be removed."""
        return list(self._earlier.values())

    def add_earlier(
        self, earlier: Mapping[str, Entry], discovery: str | None = None, buttons: Collection[str] = ()
    ) -> list[str]:
        """Adds the index of an earlier run that the broker holds; returns discovery topics to clear.

        `discovery` is the prefix under which the earlier run published its discovery messages. If this run
        publishes none, they are cleared for all rooms. `buttons` has the names of those that rooms may have
        there. Anybody who may publish can have written the index, so
        topics under another prefix than that of the settings are left alone.
        """
        self._earlier |= earlier
        for room_id, entry in earlier.items():
            if held := set(self._presence_topics(entry, discovery)):
                self._presence.setdefault(room_id, set()).update(held)
        if buttons and discovery == self._topics.discovery:
            for room_id in earlier:
                configs = self._topics.button_configs(room_id)
                self._buttons.update(topic for name, topic in configs.items() if name in buttons)
        if discovery == self._topics.discovery or discovery is None or discovery != self.prefix:
            return []
        then = replace(self._topics, discovery=discovery)
        topics = [topic for room_id in earlier for topic in then.all_room_configs(room_id)]
        topics += then.bridge_configs().values()
        self.to_clear.update(topics)
        return topics

    def room_present(self, room_id: str) -> None:
        """A room is on the board: its topics are not cleared."""
        self._earlier.pop(room_id, None)
        if self.to_clear:
            self.to_clear.difference_update(self._topics.retained(room_id))

    def rooms_removed(self, room_ids: Iterable[str]) -> list[str]:
        """Rooms were removed; returns the topics to clear."""
        topics = [topic for room_id in room_ids for topic in self._topics.retained(room_id)]
        self.to_clear.update(topics)
        return topics

    def find_removed(
        self, rooms: Collection[Room], connections: Collection[str], health: Mapping[str, ConnectionHealth]
    ) -> list[str]:
        """Finds the rooms of an earlier run that were removed; returns the topics to clear."""
        for room in rooms:
            self._earlier.pop(room.id, None)
        if not self._earlier:
            return []
        lost = removed_rooms(self._earlier, rooms, connections, health)
        for room_id in lost:
            del self._earlier[room_id]
        return self.rooms_removed(sorted(lost))

    def holds_presence(self, room_id: str) -> bool:
        """Whether the broker may hold a presence of the room that an earlier run published."""
        return room_id in self._presence

    def held_buttons(self, room_id: str) -> set[str]:
        """The config topics of buttons of the room that the broker may hold from an earlier run."""
        return self._buttons.intersection(self._topics.button_configs(room_id).values())

    @property
    def button_names(self) -> set[str]:
        """The names of all buttons that the broker may hold from an earlier run."""
        return {name for name in BUTTON_ENTITIES if any(t.endswith(f"_{name}/config") for t in self._buttons)}

    def cleared(self, topic: str) -> None:
        """The broker has acknowledged that the topic is cleared."""
        self.to_clear.discard(topic)
        self._buttons.discard(topic)
        room_id = self._topics.room_of(topic)
        if room_id is not None and room_id in self._presence:
            self._presence[room_id].discard(topic)
            if not self._presence[room_id]:
                del self._presence[room_id]

    def _presence_topics(self, entry: Entry, discovery: str | None) -> Iterator[str]:
        """Yields the topics on which an earlier run published the presence of a room."""
        if entry.presence:
            if "presence" in entry.topics:
                yield self._topics.presence(entry.id)
            config = self._topics.presence_config(entry.id)
            if config is not None and discovery == self._topics.discovery:
                yield config


def removed_rooms(
    earlier: Mapping[str, Entry],
    rooms: Collection[Room],
    connections: Collection[str],
    health: Mapping[str, ConnectionHealth],
) -> set[str]:
    """Returns the rooms of an earlier run that were removed: their connection lists its rooms without them.

    While a connection is starting there are none, since a room may have moved to it. The rooms of a
    connection that could not list any, or has listed them only once, count as present: its list may have
    failed, or lack some.
    """
    states = {
        name: health[name].state if name in health else ConnectionState.STARTING for name in connections
    }
    if ConnectionState.STARTING in states.values():
        return set()
    listed = {room.connection for room in rooms}
    silent = {name for name, state in states.items() if state is not ConnectionState.OK} - listed
    silent |= {name for name in states if name in health and not health[name].rooms_are_sure}
    here = {room.id for room in rooms}
    return {i for i, entry in earlier.items() if i not in here and entry.connection not in silent}


def clear_plain_topics(topics: Topics, earlier: Iterable[Entry]) -> Iterator[Message]:
    """Yields messages that clear the plain topics of an earlier run."""
    for room in earlier:
        if "occupied" in room.topics:
            yield clear(topics.occupied(room.id))
            yield clear(topics.status(room.id))
            yield clear(topics.presence(room.id))
