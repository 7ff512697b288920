"""What Home Assistant is told over one connection: everything, then what is new, and all when it starts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    import aiomqtt

    from placed.domain.model import Room
    from placed.domain.state_document import Statement
    from placed.mqtt.discovery.home_assistant import Discovery
    from placed.mqtt.messages import Message
    from placed.mqtt.session_context import SessionContext

_AT_ONCE = 50  # rooms; others have their turn in between, and thousands would fill the memory
_BORN = b"online"


class Announcer:
    """Rooms that were announced over one connection. Where discovery is off it does nothing.

    Args:
        context: of the session.
        put: takes messages that are to be sent.
        put_room: takes a statement that is to be sent.
        drained: set while all that was put is sent and acknowledged, but for what clears topics.
    """

    def __init__(
        self,
        context: SessionContext,
        put: Callable[[Iterable[Message]], None],
        put_room: Callable[[Statement], None],
        drained: asyncio.Event,
    ) -> None:
        self._context = context
        self._discovery = context.discovery
        self._put = put
        self._put_room = put_room
        self._drained = drained
        self._told: dict[str, Room] = {}
        self._bridge_told = False
        self._born = False
        self._news = asyncio.Event()

    @property
    def wanted(self) -> list[str]:
        """The topics to be heard."""
        return [self._discovery.birth] if self._discovery else []

    def answers(self, message: aiomqtt.Message) -> bool:
        """Whether a message is Home Assistant's; when it says that it has started it is told all again.

        A retained one is of before we came, and everything is being told anyway.
        """
        if message.topic.value not in self.wanted:
            return False
        if message.payload == _BORN and not message.retain:
            self._born = True
            self._news.set()
        return True

    def of(self, room: Room) -> Iterable[Message]:
        """What announces a room."""
        return self._discovery.room(room) if self._discovery else ()

    def of_bridge(self) -> Iterable[Message]:
        """What announces the bridge."""
        return self._discovery.bridge() if self._discovery else ()

    def left(self, room_ids: Iterable[str]) -> None:
        """Rooms are gone, and what was told of them is being cleared."""
        for room_id in room_ids:
            self._told.pop(room_id, None)

    def rooms_changed(self) -> None:
        """Rooms may have been added or renamed, and the index that lists them is on its way."""
        self._news.set()

    async def run(self) -> None:
        """Tells what is new, until it is cancelled."""
        if self._discovery is None:
            return
        timing = self._context.timing
        while True:
            await self._news.wait()
            self._news.clear()
            born, self._born = self._born, False
            if born:
                self._bridge_told = False
                self._told.clear()
            told = await self._announce(self._discovery)
            await asyncio.sleep(timing.calm)
            await self._say_again(told)
            if born:  # which anybody who may publish can say, however often
                await asyncio.sleep(timing.reborn)

    async def _announce(self, discovery: Discovery) -> list[str]:
        """Announces what was not yet; the ids of these rooms."""
        if not self._bridge_told:  # before its rooms, which name it
            self._bridge_told = True
            self._put(discovery.bridge())
        new = [room.id for room in self._context.board.rooms if self._told.get(room.id) != room]
        async for statement in self._few_by_few(new):
            self._told[statement.room.id] = statement.room
            self._put(discovery.room(statement.room))
        return new

    async def _say_again(self, room_ids: Iterable[str]) -> None:
        """States follow what was announced: what has `expire_after` is taken for expired when it changes."""
        async for statement in self._few_by_few(room_ids):
            self._put_room(statement)

    async def _few_by_few(self, room_ids: Iterable[str]) -> AsyncIterator[Statement]:
        """The rooms that are still there, some at a time, when all else is said."""
        for number, room_id in enumerate(room_ids):
            if number % _AT_ONCE == 0:
                await self._drained.wait()
            statement = self._context.board.statement(room_id)
            if statement is not None:
                yield statement
