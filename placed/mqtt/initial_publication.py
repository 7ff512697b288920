"""What is not yet acknowledged of all that is to be said first over a connection. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Owed:
    """Topics, and rooms whose turn has not come, of which it takes only the ids. True while there are any."""

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = set(topics)
        self._rooms: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._topics or self._rooms)

    def add_room(self, room_id: str) -> None:
        """All of a room is owed."""
        self._rooms.add(room_id)

    def drop_room(self, room_id: str) -> None:
        """A room is gone before its turn came: nothing is owed of it."""
        self._rooms.discard(room_id)

    def turn(self, room_id: str, topics: Iterable[str]) -> None:
        """A room's turn has come, and it is told on these topics."""
        if room_id in self._rooms:
            self._rooms.remove(room_id)
            self._topics.update(topics)

    def settle(self, topic: str) -> None:
        """Something on a topic was acknowledged, or is not to be told any more."""
        self._topics.discard(topic)
