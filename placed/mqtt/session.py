"""One session at the broker: from the first `online` until the connection is lost or ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from placed.mqtt.current_messages import CurrentMessages
from placed.mqtt.discovery.announcer import Announcer
from placed.mqtt.index_publication import IndexPublication, is_set_within
from placed.mqtt.messages import clear, event_message, instance_of
from placed.mqtt.read_back import ReadBack
from placed.mqtt.refused_message_retry import Redelivery
from placed.mqtt.removed_rooms import clear_plain_topics
from placed.mqtt.room_index import earlier_buttons, earlier_discovery, earlier_epoch, earlier_rooms
from placed.mqtt.sender import Sender
from placed.mqtt.takeover import ReplacedByAnother, is_from_another_instance

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

    from placed.domain.calendar_event_detection import Event
    from placed.domain.connection_health import ConnectionHealth, ConnectionState
    from placed.domain.state_document import Statement
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.publisher_context import PublisherContext
    from placed.mqtt.suspect_messages import SentMessage

_SLICE = 50  # rooms that are queued before other tasks get a turn on the event loop
_CLOCK_CHECK = 1.0  # seconds; so soon a suspend, or a clock that was stepped, is noticed
_NO_TIME = timedelta()

_log = structlog.get_logger()


class Session:
    """The tasks of one connection.

    Args:
        context: what all sessions share.
        client: the connected client.
    """

    def __init__(self, context: PublisherContext, client: BrokerClient) -> None:
        self._context = context
        self._client = client
        self._current = CurrentMessages(context)
        self._sender = Sender(context, client, self._current.room)
        self._health_changed = asyncio.Event()
        self._health_urgent = asyncio.Event()
        self._published_health: dict[str, ConnectionState] = {}
        self._sure_of_rooms: set[str] = set()  # connections
        self._replaced = False
        self._started = asyncio.Event()
        self._redelivery = Redelivery(context, self._sender, self._current, self._health_changed.set)
        self._read_back = ReadBack(
            context,
            client,
            self._current.for_topic,
            lambda message: self._sender.put((message,)),
            lambda: self._sender.all_acknowledged,
        )
        self._announcer = Announcer(context, self._sender.put, self._sender.put_room, self._sender.drained)
        # The announcements follow the index, since it names what has to be cleared later.
        self._index = IndexPublication(context, self._current, self._sender, self._announcer.rooms_changed)

    @property
    def waiting(self) -> int:
        """How many messages and rooms wait for their turn."""
        return self._sender.waiting

    @property
    def outstanding(self) -> list[SentMessage]:
        """Messages that were sent and not acknowledged."""
        return self._sender.delivery.outstanding

    @property
    def loaded(self) -> bool:
        """Whether many messages were sent lately."""
        return self._sender.delivery.in_flight.loaded

    @property
    def all_acknowledged(self) -> bool:
        """Whether the broker has acknowledged the whole initial publication."""
        return self._sender.all_acknowledged

    @property
    def overdue(self) -> bool:
        """Whether the PUBACK of a state is late."""
        return self._sender.delivery.in_flight.overdue

    # --- changes of the board ---

    def stated(self, statement: Statement, *, urgent: bool, events: Sequence[Event]) -> None:
        """A room has a new statement."""
        self._sender.put_room(statement, urgent=urgent)
        self._read_back.changed(statement.room.id)
        has_presence = statement.presence is not None
        self._announcer.stated(statement.room.id, has_presence=has_presence)
        if has_presence:
            self._index.presence_found(statement.room.id)
        if events:
            context = self._context
            topics, show, now = context.topics, context.board.show, context.now()
            self._sender.put([event_message(topics, statement, event, show, now) for event in events])

    def rooms_changed(self, removed: Collection[str], to_clear: Iterable[str]) -> None:
        """Rooms were added, renamed or removed; the topics of those that were removed are cleared."""
        self._sender.put(map(clear, to_clear))
        self._announcer.rooms_removed(removed)
        for room_id in removed:
            self._sender.drop_room(room_id)
        self._index.rooms_changed()

    def health_changed(self, health: ConnectionHealth) -> None:
        """A connection reported its health."""
        self._health_changed.set()
        if self._published_health.get(health.name) is not health.state:
            self._health_urgent.set()
            self._index.changed()  # it may be known now which rooms of an earlier run were removed
        if not health.rooms_are_sure:
            self._sure_of_rooms.discard(health.name)
        elif health.name not in self._sure_of_rooms:
            self._sure_of_rooms.add(health.name)
            self._index.changed()

    def connection_removed(self, connection: str) -> None:
        """A connection is not in the settings any more."""
        self._published_health.pop(connection, None)
        self._health_urgent.set()
        self._health_changed.set()

    def info_changed(self) -> None:
        """The general information is not what it was. It is published with the index, if that has changed."""
        self._index.changed()

    # --- the tasks ---

    async def serve(self) -> None:
        """Publishes everything, and then every change, until the connection is lost.

        Raises:
            BaseExceptionGroup: of `MqttError`: the connection was lost.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_messages())
            group.create_task(self._start())
            group.create_task(self._keep_online())
            group.create_task(self._keep_health())
            group.create_task(self._redelivery.log())
            for task in (self._index.run, self._read_back.run, self._redelivery.run, self._sender.run):
                group.create_task(self._once_started(task))

    async def _once_started(self, task: Callable[[], Awaitable[None]]) -> None:
        await self._started.wait()
        await task()

    async def _read_messages(self) -> None:
        """Reads retained messages and Home Assistant's birth messages; raises when the connection is lost."""
        context, topics = self._context, self._context.topics
        async for message in self._client.messages:
            if self._announcer.handles(message) or self._read_back.handles(message):
                continue
            if not message.retain:
                continue
            if message.topic == topics.rooms:
                self._read_earlier_index(message.payload)
            elif message.topic == topics.bridge_state:
                self._replaced = is_from_another_instance(
                    message.payload,
                    instance_of(message) if context.client_factory.v5 else None,
                    epoch=context.board.epoch,
                    ours=context.instance,
                )

    def _read_earlier_index(self, payload: bytes) -> None:
        """The broker holds an index: of an earlier run, or of anybody who may publish."""
        context = self._context
        earlier = earlier_rooms(payload)
        prefix = earlier_discovery(payload)
        buttons = earlier_buttons(payload)
        self._sender.put(map(clear, context.retained_rooms.add_earlier(earlier, prefix, buttons)))
        if prefix is not None and prefix != context.retained_rooms.prefix:
            topics = replace(context.topics, discovery=prefix).config_pattern
            _log.warning(
                "home_assistant.earlier_prefix_is_left",
                prefix=prefix,
                remedy=f"if placed used this prefix before, clear {topics} at the broker by hand",
            )
        if (
            earlier_epoch(payload) > context.board.epoch
        ):  # the clock was set back and the state directory lost
            self._current.higher_epoch = set(earlier)
        if not context.plain:
            self._sender.put(clear_plain_topics(context.topics, earlier.values()))
        self._index.changed()

    async def _start(self) -> None:
        """Reads what the broker holds, publishes `online`, then everything, then the announcements."""
        await self._read_retained()
        await self._sender.publish(self._current.online())
        self._context.counters.online += 1
        self._started.set()
        await self._publish_all()
        await self._announcer.run()

    async def _read_retained(self) -> None:
        """Has the broker send what an earlier run or another instance published, before it is overwritten.

        Raises:
            ReplacedByAnother: another instance has published since our last connection.
        """
        topics = self._context.topics
        wanted = [topics.bridge_state, topics.rooms, *self._announcer.topics]
        codes = await self._client.subscribe(wanted)
        for topic, code in zip(wanted, codes, strict=False):
            if code.is_failure:
                refused = topic if topic in self._announcer.topics else f"{topics.base}/#"
                _log.warning("topic.was_not_readable", topics=refused, reason=str(code))
                break
        # The broker sends the retained messages before it acknowledges this one.
        await self._sender.publish(self._current.info())
        await self._client.unsubscribe([topics.bridge_state, topics.rooms])
        if self._replaced and self._context.counters.online:
            raise ReplacedByAnother("another instance has published in our place")

    async def _publish_all(self) -> None:
        """Queues every room, in slices, so that urgent messages and other tasks get a turn."""
        context = self._context
        self._sender.put(map(clear, sorted(context.retained_rooms.to_clear)))
        suspects = dict.fromkeys(map(context.topics.room_of, context.disconnect_causes.suspects))
        present = {room.id: None for room in context.board.rooms}
        ids = list({room_id: None for room_id in suspects if room_id in present} | present)
        for start in range(0, len(ids), _SLICE):
            for room_id in ids[start : start + _SLICE]:
                if statement := context.board.statement(room_id):
                    self._sender.put_initial_room(statement)
            await asyncio.sleep(0)
        self._sender.initial_publication_queued()

    async def _keep_health(self) -> None:
        timing, board = self._context.timing, self._context.board
        while True:
            self._health_changed.clear()
            self._health_urgent.clear()
            self._published_health = {name: health.state for name, health in board.health.items()}
            self._sender.put((self._current.health(),), urgent=True)
            if await is_set_within(self._health_changed, timing.health):
                await is_set_within(self._health_urgent, timing.debounce)

    async def _keep_online(self) -> None:
        """Publishes `online` by the wall clock: if that has jumped, the last message may have expired."""
        now, every = self._context.now, timedelta(seconds=self._context.timing.online)
        while True:
            published_at = now()
            while _NO_TIME <= now() - published_at < every:  # noqa: ASYNC110 - a clock is no event
                await asyncio.sleep(min(_CLOCK_CHECK, every.total_seconds()))
            self._sender.put((self._current.online(),), urgent=True)
