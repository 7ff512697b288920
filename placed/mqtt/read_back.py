"""Reads published messages back in MQTT 3.1.1, where a PUBACK does not show that a message was refused.

A broker that forbids a topic, or finds a message too large, acknowledges it in MQTT 3.1.1 like any other. So
the daemon subscribes to a few of its topics at a time, each by its full name, and compares what the broker
holds with what is true.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.domain.mqtt_delivery_status import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.client.publish_properties import Received
    from placed.mqtt.messages import Message
    from placed.mqtt.publisher_context import PublisherContext

FIRST = 3.0  # seconds from when the initial publication is acknowledged
BETWEEN = 2.0  # seconds between two batches
AGAIN = 60.0  # seconds from a check of all topics to the next one
_BATCH = 40  # topics
_FEW = 10  # changed rooms of which every topic is checked; of more rooms only the states
_TIMEOUT = 2.0  # seconds for retained messages to arrive
_TWICE = 2  # checks that must agree, since a state may change just then


class ReadBack:
    """Compares what the broker holds on our own topics with what is true.

    Args:
        context: of the session.
        client: the connected client.
        make: returns the messages that are true now for a topic.
        publish_again: called with a message that the broker does not hold.
        ready: returns whether the initial publication is acknowledged, so that it can be compared.
    """

    def __init__(
        self,
        context: PublisherContext,
        client: BrokerClient,
        make: Callable[[str], Iterable[Message]],
        publish_again: Callable[[Message], None],
        ready: Callable[[], bool],
    ) -> None:
        self._context = context
        self._client = client
        self._make = make
        self._publish_again = publish_again
        self._ready = ready
        self._requested: set[str] = set()
        self._held: dict[str, bytes] = {}
        self._complete = asyncio.Event()
        self._wrong: dict[str, int] = {}  # topic -> in how many checks
        self._changed: set[str] = set()  # ids of rooms, since the last check

    def changed(self, room_id: str) -> None:
        """A room has a new statement and is checked next: access rules may have changed meanwhile."""
        if not self._context.client_factory.v5:
            self._changed.add(room_id)

    def handles(self, message: Received) -> bool:
        """Returns whether a message is one that was requested here."""
        if message.topic not in self._requested:
            return False
        self._held[message.topic] = message.payload
        if self._requested <= self._held.keys():
            self._complete.set()
        return True

    async def run(self) -> None:
        """Checks until it is cancelled. In MQTT 5 it does nothing: the PUBACK has a reason."""
        if self._context.client_factory.v5:
            return
        loop = asyncio.get_running_loop()
        await asyncio.sleep(FIRST)
        all_from = loop.time()  # when all topics are due; before that only what is wrong or has changed
        while True:
            everything = loop.time() >= all_from
            changed, self._changed = self._changed, set()
            some = dict.fromkeys((*self._wrong, *self._topics_of(changed)))
            complete = await self._check(list(self._topics() if everything else some))
            if everything and complete:
                all_from = loop.time() + AGAIN
            await asyncio.sleep(BETWEEN)

    async def _check(self, topics: list[str]) -> bool:
        """Returns whether all of these topics could be checked."""
        for start in range(0, len(topics), _BATCH):
            if not self._ready():
                return False
            if not await self._check_batch(topics[start : start + _BATCH]):
                break  # others are not readable either
            await asyncio.sleep(BETWEEN)
        return True

    def _topics(self) -> Iterator[str]:
        topics = self._context.topics
        yield from (topics.bridge_state, topics.rooms)
        for room in self._context.board.rooms:
            yield from self._topics_of_room(room.id)

    def _topics_of(self, room_ids: set[str]) -> Iterator[str]:
        topics, few = self._context.topics, len(room_ids) <= _FEW
        for room_id in sorted(room_ids):
            yield from self._topics_of_room(room_id) if few else (topics.state(room_id),)

    def _topics_of_room(self, room_id: str) -> Iterable[str]:
        context = self._context
        statement = context.board.statement(room_id)
        with_presence = statement is not None and context.may_hold_presence(statement)
        topics_of = context.topics.statement_topics if with_presence else context.topics.room_topics
        return topics_of(room_id, plain=context.plain)

    async def _check_batch(self, topics: list[str]) -> bool:
        """Returns whether the broker lets us subscribe."""
        self._held.clear()
        self._complete.clear()
        self._requested = set(topics)
        try:
            if any(code.is_failure for code in await self._client.subscribe(topics, qos=0)):
                return False
            try:
                async with asyncio.timeout(_TIMEOUT):
                    await self._complete.wait()
            except TimeoutError:
                pass
            await self._client.unsubscribe(topics)
            for topic in topics:
                self._compare(topic, self._held.get(topic, b""))
        finally:
            self._requested = set()
        return True

    def _compare(self, topic: str, held: bytes) -> None:
        context = self._context
        true = next(iter(self._make(topic)), None)
        if true is None or true.expired(context.now()) or true.payload == held:
            self._wrong.pop(topic, None)
            if context.refusals.was_read_back(topic):
                context.delivery_changed.set()
            return
        if context.refusals.has_known_reason(topic):
            return
        self._wrong[topic] = self._wrong.get(topic, 0) + 1
        if self._wrong[topic] == _TWICE:
            context.refusals.add(
                true,
                Refused.NOT_KEPT,
                "",
                number=context.counters.number,
                size=len(true.payload),
                wall=context.now(),
                steady=asyncio.get_running_loop().time(),
                repeat=False,
            )
            context.delivery_changed.set()
        self._publish_again(true)
