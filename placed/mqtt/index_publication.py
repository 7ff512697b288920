"""Publishes the index of rooms when it has changed, and with it the general information."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from placed.mqtt.messages import clear, unknown_room_messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.mqtt.current_messages import CurrentMessages
    from placed.mqtt.messages import Message
    from placed.mqtt.publisher_context import PublisherContext
    from placed.mqtt.sender import Sender

# Bytes a second. Each index lists all rooms, and sensors may be found in one room after the other. Only rooms
# that are added do not wait for it.
_RATE = 256 * 1024


class IndexPublication:
    """Keeps the index on the broker up to date during one session.

    Args:
        context: what all sessions share.
        current: makes the messages.
        sender: sends the messages of the session.
        published: called after each index.
    """

    def __init__(
        self,
        context: PublisherContext,
        current: CurrentMessages,
        sender: Sender,
        published: Callable[[], None],
    ) -> None:
        self._context = context
        self._current = current
        self._sender = sender
        self._published = published
        self._changed = asyncio.Event()
        self._added = asyncio.Event()  # rooms were
        self._listed: set[str] = set()  # the room ids in the index that was published last
        self._listed_presence: set[str] = set()  # those of them whose presence it names
        self._last_hash: dict[str, int] = {}  # by topic; hashes, since the index of a site is large

    def changed(self) -> None:
        """The index or the general information may not be what it was."""
        self._changed.set()

    def rooms_changed(self) -> None:
        """Rooms were added, renamed or removed."""
        self._changed.set()
        if any(room.id not in self._listed for room in self._context.board.rooms):
            self._added.set()

    def presence_found(self, room_id: str) -> None:
        """A room has a presence."""
        if room_id not in self._listed_presence:
            self._changed.set()

    async def run(self) -> None:
        """Publishes it now, and after every change."""
        while True:
            self._changed.clear()
            self._added.clear()
            size = await self._publish()
            self._published()
            # New rooms are listed at once: if this run ends soon, the next one must know what to clear.
            await is_set_within(self._added, max(self._context.timing.debounce, size / _RATE))
            await self._changed.wait()

    async def _publish(self) -> int:
        """Publishes the index if it has changed. Returns its size in bytes."""
        context, board = self._context, self._context.board
        retained, rooms = context.retained_rooms, board.rooms
        self._listed, self._listed_presence = {room.id for room in rooms}, self._current.rooms_with_presence()
        to_clear = retained.find_removed(rooms, context.info.connections, board.health)
        self._sender.put(map(clear, to_clear))
        if not context.client_factory.v5:  # nothing expires, so panels would believe an earlier run for ever
            for entry in retained.undecided:
                self._put_if_new(*unknown_room_messages(context.topics, entry.id), late=True)
        document = bytearray()
        for _ in self._current.encode_rooms(document, self._listed_presence):
            await asyncio.sleep(0)  # other tasks get a turn
        index = self._current.index(document)
        self._put_if_new(index, self._current.info())
        return len(index.payload)

    def _put_if_new(self, *messages: Message, late: bool = False) -> None:
        new = [message for message in messages if self._last_hash.get(message.topic) != hash(message)]
        self._last_hash |= {message.topic: hash(message) for message in new}
        self._sender.put(new, late=late)


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Returns whether the event is set, waiting for it so long at most."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
