"""All that is said over one connection, from the first `online` until it is lost or ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from placed.mqtt.announcements import Announcements
from placed.mqtt.index import earlier_discovery, earlier_epoch, earlier_rooms, index_message
from placed.mqtt.messages import (
    bridge_health,
    bridge_info,
    clear,
    clear_plain,
    event_message,
    online,
    room_messages,
    said_by_another,
    unknown_words,
)
from placed.mqtt.outbox import Outbox
from placed.mqtt.owed import Owed
from placed.mqtt.setup import SILENCE
from placed.mqtt.trouble import Displaced

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from placed.document import Statement
    from placed.events import Event
    from placed.health import ConnectionHealth, ConnectionState
    from placed.mqtt.connection import Connection
    from placed.mqtt.messages import Message
    from placed.mqtt.setup import Setup

_AT_ONCE = 50  # rooms that are written up before others get a turn on the event loop
_LOOK = 1.0  # seconds; so soon a suspend, or a clock that was stepped, is noticed
_NO_TIME = timedelta()
_OVERHEAD = 64  # bytes of a packet beside topic and payload, at most

_log = structlog.get_logger()


class Session:
    """One connection's outbox, and the tasks that fill and empty it."""

    def __init__(self, setup: Setup, connection: Connection) -> None:
        self._setup = setup
        self._connection = connection
        self._outbox = Outbox(self._write_up, self._topics_of)
        self._outbox_filled = asyncio.Event()
        self._health_told: dict[str, ConnectionState] = {}
        self._health_news = asyncio.Event()
        self._health_pressing = asyncio.Event()
        self._rooms_news = asyncio.Event()
        self._rooms_added = asyncio.Event()
        self._listed: set[str] = set()  # the ids in the index that was told last
        self._displaced = False
        self._outranking: list[str] = []  # rooms of an earlier run whose epoch is above ours
        self._begun = asyncio.Event()
        self._last: dict[str, int] = {}  # the hash of what was said last: the index of a site is large
        self._drained = asyncio.Event()
        self._announcements = Announcements(setup, self._put, self._put_room, self._drained)
        self._too_large: set[str] = set()
        self.refused: str | None = None  # what is wrong if the broker refuses what is published
        topics = setup.topics
        self._owed = Owed((topics.bridge_info, topics.bridge_health, topics.rooms))
        self._all_owed = False
        self._under_way = 0

    @property
    def waiting(self) -> int:
        """How many messages and rooms wait for their turn."""
        return len(self._outbox)

    # --- what the board tells ---

    def stated(self, statement: Statement, *, urgent: bool, events: Iterable[Event]) -> None:
        """A room has a new statement."""
        self._put_room(statement, urgent=urgent)
        setup = self._setup
        self._put(
            event_message(setup.topics, statement, event, setup.board.show, setup.now()) for event in events
        )

    def rooms_left(self, topics: Iterable[str]) -> None:
        """Rooms are gone: their topics are to be cleared."""
        self._put(map(clear, topics))

    def rooms_changed(self, gone: Collection[str]) -> None:
        """The index is not what it was; these rooms are gone."""
        self._announcements.left(gone)
        for room_id in gone:
            self._outbox.drop_room(room_id)
            self._owed.drop_room(room_id)
        self._rooms_news.set()
        if any(room.id not in self._listed for room in self._setup.board.rooms):
            self._rooms_added.set()

    def health_changed(self, health: ConnectionHealth) -> None:
        """A connection's health was told."""
        self._health_news.set()
        if self._health_told.get(health.name) is not health.state:
            self._health_pressing.set()
            self._rooms_news.set()  # whether rooms of an earlier run are gone may be known now

    # --- the tasks ---

    async def serve(self) -> None:
        """Says everything, and goes on until the connection is lost.

        Raises:
            BaseExceptionGroup: of `aiomqtt.MqttError`: the connection was lost.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen())
            # None of them begins a task later on: where aiomqtt waits with `asyncio.wait_for`, which before
            # Python 3.12 may lose a cancellation, it might do so in a group that is ending.
            group.create_task(self._begin())
            group.create_task(self._stay_online())
            group.create_task(self._keep_health())
            group.create_task(self._keep_index())
            for _ in range(self._connection.in_flight):
                group.create_task(self._send())

    async def _listen(self) -> None:
        """Reads what the broker kept, and Home Assistant's births; raises when the connection is lost."""
        topics = self._setup.topics
        async for message in self._connection.messages:
            if self._announcements.answers(message):
                continue
            if not message.retain or not isinstance(message.payload, bytes):
                continue
            if message.topic.value == topics.rooms:
                earlier = earlier_rooms(message.payload)
                before = self._setup.leftovers.found(earlier, earlier_discovery(message.payload))
                self._put(map(clear, before))
                if earlier_epoch(message.payload) > self._setup.board.epoch:
                    self._outranking = sorted(earlier)
                if not self._setup.plain:
                    self._put(clear_plain(self._setup.topics, earlier.values()))
                self._rooms_news.set()
            elif message.topic.value == topics.bridge_state:
                self._displaced = said_by_another(
                    message.payload,
                    self._setup.broker.instance_of(message),
                    epoch=self._setup.board.epoch,
                    ours=self._setup.instance,
                )

    async def _begin(self) -> None:
        """Before all else what was is looked at, and `online` is said; then everything, and announcements."""
        await self._look_back()
        for room_id in self._outranking:
            # The clock was set back, and nothing was remembered: panels would take all of ours for old.
            # What is cleared they forget, and its order.
            await self._publish(clear(self._setup.topics.state(room_id)))
        await self._publish(self._online())
        self._setup.tally.online += 1
        self._begun.set()
        await self._say_all()
        await self._announcements.run()

    async def _look_back(self) -> None:
        """Has the broker tell what it kept of an earlier run, or of another instance, before we overwrite it.

        Mosquitto before 2.0.15 and every broker in 3.1.1 hang up without a reason code when another client
        takes our place (eclipse-mosquitto/mosquitto#2607). That somebody else has spoken on our topic since
        we last did tells it, too.
        """
        topics = self._setup.topics
        wanted = [topics.bridge_state, topics.rooms, *self._announcements.wanted]
        codes: Sequence[int | ReasonCode] = await self._connection.subscribe([(topic, 1) for topic in wanted])
        for topic, code in zip(wanted, codes, strict=False):
            if not isinstance(code, int) and code.is_failure:
                refused = topic if topic in self._announcements.wanted else f"{topics.base}/#"
                _log.warning("topic.was_not_readable", topics=refused, reason=str(code))
                break
        await self._publish(self._info())  # the broker sends what it kept before it acknowledges this
        if self._displaced and self._setup.tally.online:
            raise Displaced("another instance has published in our place")
        await self._connection.unsubscribe([topics.bridge_state, topics.rooms])

    async def _say_all(self) -> None:
        """Every room as it is now, in slices, so that what is urgent and all else on the loop get through."""
        self._put(map(clear, sorted(self._setup.leftovers.to_clear)))
        ids = [room.id for room in self._setup.board.rooms]
        for start in range(0, len(ids), _AT_ONCE):
            for room_id in ids[start : start + _AT_ONCE]:
                if statement := self._setup.board.statement(room_id):
                    self._owed.add_room(room_id)
                    self._put_room(statement)
            await asyncio.sleep(0)
        self._all_owed = True
        self._outbox_filled.set()  # there may be no room at all

    async def _keep_index(self) -> None:
        await self._begun.wait()
        while True:
            self._rooms_news.clear()
            self._rooms_added.clear()
            self._list_rooms()
            self._announcements.rooms_changed()  # after the index, by which they are found to be cleared
            # Rooms that are new are listed at once: however short this run is, or none would clear them.
            await _happens(self._rooms_added, self._setup.timing.calm)
            await self._rooms_news.wait()

    def _list_rooms(self) -> None:
        setup, board = self._setup, self._setup.board
        rooms = board.rooms
        self._listed = {room.id for room in rooms}
        self.rooms_left(setup.leftovers.decide(rooms, setup.info.connections, board.health))
        undecided = setup.leftovers.undecided
        if not setup.broker.v5:  # without expiry, what an earlier run said would be believed for ever
            for entry in undecided:
                self._put_if_new(*unknown_words(setup.topics, entry.id))
        index = index_message(setup.topics, rooms, undecided, board.epoch, plain=setup.plain)
        self._put_if_new(index, self._info())

    async def _keep_health(self) -> None:
        setup, board = self._setup, self._setup.board
        while True:
            self._health_news.clear()
            self._health_pressing.clear()
            self._health_told = {name: health.state for name, health in board.health.items()}
            health = board.health.values()
            message = bridge_health(setup.topics, health, board.epoch, setup.now(), board.clock)
            self._put((message,), urgent=True)
            if await _happens(self._health_news, setup.timing.health):
                await _happens(self._health_pressing, setup.timing.calm)

    async def _stay_online(self) -> None:
        """Says `online` by the clock on the wall: if that has jumped, what was said may have expired."""
        setup = self._setup
        every = timedelta(seconds=setup.timing.online)
        while True:
            said_at = setup.now()
            while _NO_TIME <= setup.now() - said_at < every:  # noqa: ASYNC110 - a clock is no event
                await asyncio.sleep(min(_LOOK, setup.timing.online))
            self._put((self._online(),), urgent=True)

    async def _send(self) -> None:
        """Publishes one message after another; there are as many of it as messages may be under way."""
        await self._begun.wait()
        while True:
            await self._send_next()

    async def _send_next(self) -> None:
        """In a call of its own: who waits for a message holds none that was sent; an index has a megabyte."""
        message = await self._next()
        self._under_way += 1
        try:
            await self._publish(message)  # without a wait before: what is chosen now goes out now
        finally:
            self._under_way -= 1
        self._settled(message)

    async def _next(self) -> Message:
        while True:
            message, outlived = self._outbox.take(self._setup.now())
            self._setup.tally.outlived += len(outlived)
            for old in outlived:
                self._settled(old)
            if message:
                return message
            self._note_idleness()
            self._outbox_filled.clear()
            await self._outbox_filled.wait()

    async def _publish(self, message: Message) -> None:
        setup, connection = self._setup, self._connection
        size = len(message.topic.encode()) + len(message.payload) + _OVERHEAD
        if connection.largest is not None and size > connection.largest:
            if message.topic not in self._too_large:
                self._too_large.add(message.topic)
                _log.error("message.was_too_large", topic=message.topic, size=size, most=connection.largest)
            return
        await setup.broker.publish(connection, message, message.expiry(setup.now()))
        setup.pulse.expect(SILENCE)
        setup.tally.published += 1
        while connection.refusals:
            code = connection.refusals.pop()
            setup.tally.refused += 1
            if self.refused is None:
                self.refused = f"the broker refuses messages: {code}; check its access rules"
                _log.warning("broker.refused_messages", reason=str(code), topics=setup.topics.written)

    # --- small parts ---

    def _topics_of(self, room_id: str) -> Iterable[str]:
        return self._setup.topics.told(room_id, plain=self._setup.plain)

    def _write_up(self, statement: Statement) -> Iterable[Message]:
        """A room's turn has come."""
        messages = list(room_messages(self._setup.topics, statement, plain=self._setup.plain))
        self._owed.turn(statement.room.id, (message.topic for message in messages))
        return messages

    def _online(self) -> Message:
        setup = self._setup
        return online(setup.topics, setup.board.epoch, setup.instance, setup.now())

    def _info(self) -> Message:
        setup = self._setup
        return bridge_info(setup.topics, setup.info, setup.board.epoch, len(setup.board.rooms))

    def _put(self, messages: Iterable[Message], *, urgent: bool = False) -> None:
        for message in messages:
            self._outbox.put(message, urgent=urgent)
            self._drained.clear()
            self._setup.idle.clear()
        self._outbox_filled.set()

    def _put_room(self, statement: Statement, *, urgent: bool = False) -> None:
        self._outbox.put_room(statement, urgent=urgent)
        self._drained.clear()
        self._setup.idle.clear()
        self._outbox_filled.set()

    def _put_if_new(self, *messages: Message) -> None:
        new = [message for message in messages if self._last.get(message.topic) != hash(message)]
        self._last |= {message.topic: hash(message) for message in new}
        self._put(new)

    def _note_idleness(self) -> None:
        if self._all_owed and not self._under_way and not self._outbox:
            self._drained.set()
            if not self.refused:
                self._setup.idle.set()

    def _settled(self, message: Message) -> None:
        if not message.payload:
            self._setup.leftovers.cleared(message.topic)
        self._owed.settle(message.topic)
        if self._all_owed and not self._owed and not self.refused:
            self._setup.first_published.set()


async def _happens(event: asyncio.Event, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()
