"""All that is said over one connection, from the first `online` until it is lost or ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from placed.mqtt.discovery.announcer import Announcer
from placed.mqtt.errors import ReplacedByAnother
from placed.mqtt.messages import (
    bridge_health,
    bridge_info,
    clear,
    event_message,
    online,
    room_messages,
    said_by_another,
    unknown_words,
)
from placed.mqtt.read_back import ReadBack
from placed.mqtt.retained_rooms import clear_plain
from placed.mqtt.room_index import earlier_discovery, earlier_epoch, earlier_rooms, index_message
from placed.mqtt.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from placed.domain.connection_health import ConnectionHealth, ConnectionState
    from placed.domain.room_events import Event
    from placed.domain.state_document import Statement
    from placed.mqtt.client import BrokerClient
    from placed.mqtt.disconnect_causes import SentMessage
    from placed.mqtt.messages import Message
    from placed.mqtt.session_context import SessionContext

_AT_ONCE = 50  # rooms that are written up before others get a turn on the event loop
_LOOK = 1.0  # seconds; so soon a suspend, or a clock that was stepped, is noticed
_NO_TIME = timedelta()

_log = structlog.get_logger()


class Session:
    """One connection's outbox, and the tasks that fill and empty it."""

    def __init__(self, context: SessionContext, connection: BrokerClient) -> None:
        self._context = context
        self._connection = connection
        self._health_news = asyncio.Event()
        self._sender = Sender(context, connection, self._write_up, self._make_again, self._health_news.set)
        self._health_told: dict[str, ConnectionState] = {}
        self._health_pressing = asyncio.Event()
        self._rooms_news = asyncio.Event()
        self._rooms_added = asyncio.Event()
        self._listed: set[str] = set()  # the ids in the index that was told last
        self._displaced = False
        self._outranking: set[str] = set()  # rooms of an earlier run whose epoch is above ours
        self._begun = asyncio.Event()
        self._last: dict[str, int] = {}  # the hash of what was said last: the index of a site is large
        self._read_back = ReadBack(
            context,
            connection,
            lambda topic: self._make_again(topic, cleared=False),
            lambda message: self._sender.put((message,)),
            lambda: self._sender.all_acknowledged,
        )
        self._announcements = Announcer(
            context, self._sender.put, self._sender.put_room, self._sender.drained
        )

    @property
    def waiting(self) -> int:
        """How many messages and rooms wait for their turn."""
        return self._sender.waiting

    @property
    def outstanding(self) -> list[SentMessage]:
        """What was sent and not acknowledged."""
        return self._sender.outstanding

    @property
    def loaded(self) -> bool:
        """Whether many messages were sent lately."""
        return self._sender.loaded

    @property
    def all_acknowledged(self) -> bool:
        """Whether the broker has answered to everything that is published first over a connection."""
        return self._sender.all_acknowledged

    @property
    def overdue(self) -> bool:
        """Whether the broker has not answered to a state for some seconds."""
        return self._sender.overdue

    # --- what the board tells ---

    def stated(self, statement: Statement, *, urgent: bool, events: Iterable[Event]) -> None:
        """A room has a new statement."""
        self._sender.put_room(statement, urgent=urgent)
        self._read_back.changed(statement.room.id)
        context = self._context
        self._put(
            event_message(context.topics, statement, event, context.board.show, context.now())
            for event in events
        )

    def rooms_left(self, topics: Iterable[str]) -> None:
        """Rooms are gone: their topics are to be cleared."""
        self._put(map(clear, topics))

    def rooms_changed(self, gone: Collection[str]) -> None:
        """The index is not what it was; these rooms are gone."""
        self._announcements.left(gone)
        for room_id in gone:
            self._sender.drop_room(room_id)
        self._rooms_news.set()
        if any(room.id not in self._listed for room in self._context.board.rooms):
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
            group.create_task(self._sender.report())
            for task in (
                self._read_back.run,
                self._sender.repeat,
                *[self._sender.run] * self._connection.in_flight,
            ):
                group.create_task(self._once_begun(task))

    async def _once_begun(self, task: Callable[[], Awaitable[None]]) -> None:
        await self._begun.wait()
        await task()

    async def _listen(self) -> None:
        """Reads what the broker kept, and Home Assistant's births; raises when the connection is lost."""
        topics = self._context.topics
        async for message in self._connection.messages:
            if self._announcements.answers(message) or self._read_back.takes(message):
                continue
            if not message.retain or not isinstance(message.payload, bytes):
                continue
            if message.topic.value == topics.rooms:
                self._find_earlier(message.payload)
            elif message.topic.value == topics.bridge_state:
                self._displaced = said_by_another(
                    message.payload,
                    self._context.client_factory.instance_of(message),
                    epoch=self._context.board.epoch,
                    ours=self._context.instance,
                )

    def _find_earlier(self, payload: bytes) -> None:
        """An index is on the broker, of an earlier run or by anybody who may publish."""
        context = self._context
        earlier = earlier_rooms(payload)
        prefix = earlier_discovery(payload)
        self._put(map(clear, context.retained_rooms.found(earlier, prefix)))
        if prefix is not None and prefix != context.retained_rooms.prefix:
            topics = replace(context.topics, discovery=prefix).config_pattern
            _log.warning(
                "home_assistant.earlier_prefix_is_left",
                prefix=prefix,
                remedy=f"if placed used this prefix before, clear {topics} at the broker by hand",
            )
        if earlier_epoch(payload) > context.board.epoch:
            # The clock was set back, and nothing was remembered: panels would take all of ours for old.
            self._outranking = set(earlier)
        if not context.plain:
            self._put(clear_plain(context.topics, earlier.values()))
        self._rooms_news.set()

    async def _begin(self) -> None:
        """Before all else what was is looked at, and `online` is said; then everything, and announcements."""
        await self._look_back()
        await self._sender.publish(self._online())
        self._context.counters.online += 1
        self._begun.set()
        await self._say_all()
        await self._announcements.run()

    async def _look_back(self) -> None:
        """Has the broker tell what it kept of an earlier run, or of another instance, before we overwrite it.

        Mosquitto before 2.0.15 and every broker in 3.1.1 hang up without a reason code when another client
        takes our place (eclipse-mosquitto/mosquitto#2607). That somebody else has spoken on our topic since
        we last did tells it, too.
        """
        topics = self._context.topics
        wanted = [topics.bridge_state, topics.rooms, *self._announcements.wanted]
        codes: Sequence[int | ReasonCode] = await self._connection.subscribe([(topic, 1) for topic in wanted])
        for topic, code in zip(wanted, codes, strict=False):
            if not isinstance(code, int) and code.is_failure:
                refused = topic if topic in self._announcements.wanted else f"{topics.base}/#"
                _log.warning("topic.was_not_readable", topics=refused, reason=str(code))
                break
        await self._sender.publish(self._info())  # the broker sends what it kept before it acknowledges this
        await self._connection.unsubscribe([topics.bridge_state, topics.rooms])
        if self._displaced and self._context.counters.online:
            raise ReplacedByAnother("another instance has published in our place")

    async def _say_all(self) -> None:
        """Every room as it is now, in slices, so that what is urgent and all else on the loop get through."""
        self._put(map(clear, sorted(self._context.retained_rooms.to_clear)))
        suspects = dict.fromkeys(map(self._context.topics.room_of, self._context.disconnect_causes.suspects))
        present = {room.id: None for room in self._context.board.rooms}
        ids = list({room_id: None for room_id in suspects if room_id in present} | present)
        for start in range(0, len(ids), _AT_ONCE):
            for room_id in ids[start : start + _AT_ONCE]:
                if statement := self._context.board.statement(room_id):
                    self._sender.owe_room(statement)
            await asyncio.sleep(0)
        self._sender.all_is_owed()

    async def _keep_index(self) -> None:
        await self._begun.wait()
        while True:
            self._rooms_news.clear()
            self._rooms_added.clear()
            self._list_rooms()
            self._announcements.rooms_changed()  # after the index, by which they are found to be cleared
            # Rooms that are new are listed at once: however short this run is, or none would clear them.
            await _happens(self._rooms_added, self._context.timing.calm)
            await self._rooms_news.wait()

    def _list_rooms(self) -> None:
        context, board = self._context, self._context.board
        rooms = board.rooms
        self._listed = {room.id for room in rooms}
        self.rooms_left(context.retained_rooms.decide(rooms, context.info.connections, board.health))
        if (
            not context.client_factory.v5
        ):  # without expiry, what an earlier run said would be believed for ever
            for entry in context.retained_rooms.undecided:
                self._put_if_new(*unknown_words(context.topics, entry.id), late=True)
        self._put_if_new(self._index(), self._info())

    async def _keep_health(self) -> None:
        context, board = self._context, self._context.board
        while True:
            self._health_news.clear()
            self._health_pressing.clear()
            self._health_told = {name: health.state for name, health in board.health.items()}
            self._sender.put((self._health(),), urgent=True)
            if await _happens(self._health_news, context.timing.health):
                await _happens(self._health_pressing, context.timing.calm)

    async def _stay_online(self) -> None:
        """Says `online` by the clock on the wall: if that has jumped, what was said may have expired."""
        context = self._context
        every = timedelta(seconds=context.timing.online)
        while True:
            said_at = context.now()
            while _NO_TIME <= context.now() - said_at < every:  # noqa: ASYNC110 - a clock is no event
                await asyncio.sleep(min(_LOOK, context.timing.online))
            self._sender.put((self._online(),), urgent=True)

    # --- small parts ---

    def _write_up(self, statement: Statement) -> Iterator[Message]:
        """A room's turn has come."""
        context, room_id = self._context, statement.room.id
        if room_id in self._outranking:  # what is cleared panels forget, and its order
            self._outranking.discard(room_id)
            yield clear(context.topics.state(room_id))
        yield from room_messages(context.topics, statement, plain=context.plain)

    def _make_again(self, topic: str, *, cleared: bool) -> Iterable[Message]:
        """What is true now for a topic that was refused; nothing if there is nothing to be said there.

        `cleared`: it has to be cleared before.
        """
        context, topics = self._context, self._context.topics
        room_id = topics.room_of(topic)
        statement = context.board.statement(room_id) if room_id is not None else None
        if topic == topics.bridge_state:
            made: Iterable[Message] = (self._online(),)
        elif topic == topics.bridge_info:
            made = (self._info(),)
        elif topic == topics.bridge_health:
            made = (self._health(),)
        elif topic == topics.rooms:
            made = (self._index(),)
        elif statement is not None:
            made = (
                *room_messages(topics, statement, plain=context.plain),
                *self._announcements.of(statement.room),
            )
        elif room_id is not None and any(entry.id == room_id for entry in context.retained_rooms.undecided):
            made = unknown_words(topics, room_id)
        else:
            made = self._announcements.of_bridge()
        found = [message for message in made if message.topic == topic]
        gone = topic in context.retained_rooms.to_clear or (room_id is not None and not context.plain)
        return [*([clear(topic)] if cleared or (gone and not found) else []), *found]

    def _online(self) -> Message:
        context = self._context
        return online(context.topics, context.board.epoch, context.instance, context.now())

    def _info(self) -> Message:
        context = self._context
        return bridge_info(context.topics, context.info, context.board.epoch, len(context.board.rooms))

    def _health(self) -> Message:
        context, board = self._context, self._context.board
        return bridge_health(
            context.topics,
            board.health.values(),
            board.epoch,
            context.now(),
            board.clock,
            undelivered=context.refusals.undelivered,
        )

    def _index(self) -> Message:
        context = self._context
        undecided = context.retained_rooms.undecided
        return index_message(
            context.topics, context.board.rooms, undecided, context.board.epoch, plain=context.plain
        )

    def _put(self, messages: Iterable[Message]) -> None:
        self._sender.put(messages)

    def _put_if_new(self, *messages: Message, late: bool = False) -> None:
        new = [message for message in messages if self._last.get(message.topic) != hash(message)]
        self._last |= {message.topic: hash(message) for message in new}
        self._sender.put(new, late=late)


async def _happens(event: asyncio.Event, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()
    return event.is_set()
