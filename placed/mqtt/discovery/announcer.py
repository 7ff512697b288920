"""Announces rooms to Home Assistant over one connection: all rooms, changes, and all when it restarts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from placed.domain.model import Room
    from placed.domain.state_document import Statement
    from placed.mqtt.client.publish_properties import Received
    from placed.mqtt.discovery.home_assistant import Discovery
    from placed.mqtt.messages import Message
    from placed.mqtt.publisher_context import PublisherContext

_SLICE = 50  # rooms; other messages get a turn in between, and thousands of rooms would fill the memory
_BIRTH = b"online"


class Announcer:
    """Announces over one connection. It does nothing if discovery is off.

    Args:
        context: of the session.
        put: queues messages.
        put_room: queues a statement.
        drained: set while all queued messages are sent and acknowledged, except those that clear topics.
    """

    def __init__(
        self,
        context: PublisherContext,
        put: Callable[[Iterable[Message]], None],
        put_room: Callable[[Statement], None],
        drained: asyncio.Event,
    ) -> None:
        self._context = context
        self._discovery = context.discovery
        self._put = put
        self._put_room = put_room
        self._drained = drained
        self._announced: dict[str, tuple[Room, bool]] = {}  # and whether it has a presence
        self._bridge_announced = False
        self._born = False
        self._changed = asyncio.Event()

    @property
    def topics(self) -> list[str]:
        """The topics to subscribe to."""
        return [self._discovery.birth] if self._discovery else []

    def handles(self, message: Received) -> bool:
        """Returns whether a message is Home Assistant's; its birth message has everything announced again.

        A retained birth message is older than the connection, and everything is being announced anyway.
        """
        if message.topic not in self.topics:
            return False
        if message.payload == _BIRTH and not message.retain:
            self._born = True
            self._changed.set()
        return True

    def rooms_removed(self, room_ids: Iterable[str]) -> None:
        """Rooms were removed; their config topics are being cleared."""
        for room_id in room_ids:
            self._announced.pop(room_id, None)

    def rooms_changed(self) -> None:
        """Rooms may have been added or renamed; the index that lists them is queued."""
        self._changed.set()

    def stated(self, room_id: str, *, has_presence: bool) -> None:
        """A room has a new statement. It is announced again when it has no presence any more.

        When it gets one, the index has to name that first; see `rooms_changed`.
        """
        announced = self._announced.get(room_id)
        if announced is not None and announced[1] and not has_presence:
            self._changed.set()

    async def run(self) -> None:
        """Announces changes until it is cancelled."""
        if self._discovery is None:
            return
        timing = self._context.timing
        while True:
            await self._changed.wait()
            self._changed.clear()
            born, self._born = self._born, False
            if born:
                self._bridge_announced = False
                self._announced.clear()
            announced = await self._announce(self._discovery)
            await asyncio.sleep(timing.debounce)
            await self._republish_states(announced)
            if born:  # anybody who may publish can send a birth message, however often
                await asyncio.sleep(timing.birth_interval)

    async def _announce(self, discovery: Discovery) -> list[str]:
        """Announces what is new, and returns the ids of these rooms."""
        if not self._bridge_announced:  # before its rooms, which refer to it
            self._bridge_announced = True
            self._put(discovery.bridge())
        new = [s.room.id for s in self._context.board.statements if self._announced.get(s.room.id) != _of(s)]
        async for statement in self._in_slices(new):
            presence = discovery.presence(self._context.with_earlier_presence(statement))
            buttons = discovery.buttons(statement.room, self._held_buttons(statement.room))
            self._announced[statement.room.id] = _of(statement)
            self._put((*discovery.room(statement.room), *buttons, *presence))
        return new

    def _held_buttons(self, room: Room) -> set[str]:
        """Returns the topics of buttons that the broker may hold: all, if another connection had the room."""
        before = self._announced.get(room.id)
        if before is not None and before[0].connection != room.connection:
            return set(self._context.topics.button_configs(room.id).values())
        return self._context.retained_rooms.held_buttons(room.id)

    async def _republish_states(self, room_ids: Iterable[str]) -> None:
        """An entity whose `expire_after` changes is unavailable until its next state."""
        async for statement in self._in_slices(room_ids):
            self._put_room(statement)

    async def _in_slices(self, room_ids: Iterable[str]) -> AsyncIterator[Statement]:
        """Yields rooms that are still there; each slice waits until everything else is sent."""
        for number, room_id in enumerate(room_ids):
            if number % _SLICE == 0:
                await self._drained.wait()
            statement = self._context.board.statement(room_id)
            if statement is not None:
                yield statement


def _of(statement: Statement) -> tuple[Room, bool]:
    """Returns what an announcement depends on."""
    return statement.room, statement.presence is not None
