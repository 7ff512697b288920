"""Reads back what was published, for MQTT 3.1.1: its PUBACK has no word for a message that was not kept.

A broker that forbids a topic, or finds a message too large, acknowledges it in MQTT 3.1.1 like any other. So
a few topics at a time are subscribed to, each by its own name, and what the broker holds is compared.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.domain.delivery import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import aiomqtt
    from paho.mqtt.reasoncodes import ReasonCode

    from placed.mqtt.client import BrokerClient
    from placed.mqtt.messages import Message
    from placed.mqtt.session_context import SessionContext

FIRST = 3.0  # seconds from when everything is acknowledged
BETWEEN = 2.0  # seconds between two looks
AGAIN = 60.0  # seconds from a look at everything to the next one
_TOGETHER = 40  # topics
_FEW = 10  # rooms that have changed, of which every topic is looked at; of more only the states
_COMES = 2.0  # seconds for what is retained to come
_TWICE = 2  # looks that have to agree, since a state may change just then
_FAILED = 0x80  # and above, of a SUBACK


class ReadBack:
    """What the broker holds on our own topics, compared with what is true.

    Args:
        context: of the session.
        connection: to the broker.
        make: what is true now for a topic.
        wanted: called with a message that has to be published again.
        ready: whether everything was acknowledged, so that it can be compared.
    """

    def __init__(
        self,
        context: SessionContext,
        connection: BrokerClient,
        make: Callable[[str], Iterable[Message]],
        wanted: Callable[[Message], None],
        ready: Callable[[], bool],
    ) -> None:
        self._context = context
        self._connection = connection
        self._make = make
        self._wanted = wanted
        self._ready = ready
        self._asked: set[str] = set()
        self._held: dict[str, bytes] = {}
        self._came = asyncio.Event()
        self._wrong: dict[str, int] = {}  # topic -> in how many looks
        self._changed: set[str] = set()  # ids of rooms, since the last look

    def changed(self, room_id: str) -> None:
        """A room has a new statement, which is looked at next: rules may have changed since the last one."""
        if not self._context.client_factory.v5:
            self._changed.add(room_id)

    def takes(self, message: aiomqtt.Message) -> bool:
        """Whether a message is one that was asked for here."""
        topic = message.topic.value
        if topic not in self._asked:
            return False
        if isinstance(message.payload, bytes):
            self._held[topic] = message.payload
        if self._asked <= self._held.keys():
            self._came.set()
        return True

    async def run(self) -> None:
        """Looks, until it is cancelled. In MQTT 5 the PUBACK shows it."""
        if self._context.client_factory.v5:
            return
        loop = asyncio.get_running_loop()
        await asyncio.sleep(FIRST)
        all_from = loop.time()  # when all are looked at again; meanwhile only what is wrong or has changed is
        while True:
            everything = loop.time() >= all_from
            changed, self._changed = self._changed, set()
            some = dict.fromkeys((*self._wrong, *self._topics_of(changed)))
            whole = await self._look_at(list(self._topics() if everything else some))
            if everything and whole:
                all_from = loop.time() + AGAIN
            await asyncio.sleep(BETWEEN)

    async def _look_at(self, topics: list[str]) -> bool:
        """Whether all of them could be looked at."""
        for start in range(0, len(topics), _TOGETHER):
            if not self._ready():
                return False
            if not await self._look(topics[start : start + _TOGETHER]):
                break  # nor will it let us look at others
            await asyncio.sleep(BETWEEN)
        return True

    def _topics(self) -> Iterator[str]:
        topics = self._context.topics
        yield from (topics.bridge_state, topics.rooms)
        for room in self._context.board.rooms:
            yield from topics.told(room.id, plain=self._context.plain)

    def _topics_of(self, room_ids: set[str]) -> Iterator[str]:
        topics, few = self._context.topics, len(room_ids) <= _FEW
        for room_id in sorted(room_ids):
            yield from topics.told(room_id, plain=self._context.plain) if few else (topics.state(room_id),)

    async def _look(self, topics: list[str]) -> bool:
        """Whether the broker lets us look."""
        self._held.clear()
        self._came.clear()
        self._asked = set(topics)
        try:
            codes: Sequence[int | ReasonCode] = await self._connection.subscribe([(t, 0) for t in topics])
            if any((code if isinstance(code, int) else code.value) >= _FAILED for code in codes):
                return False
            try:
                async with asyncio.timeout(_COMES):
                    await self._came.wait()
            except TimeoutError:
                pass
            await self._connection.unsubscribe(topics)
            for topic in topics:
                self._compare(topic, self._held.get(topic, b""))
        finally:
            self._asked = set()
        return True

    def _compare(self, topic: str, held: bytes) -> None:
        context = self._context
        true = next(iter(self._make(topic)), None)
        if true is None or true.expired(context.now()) or true.payload == held:
            self._wrong.pop(topic, None)
            if context.refusals.kept(topic):
                context.delivery_news.set()
            return
        if context.refusals.is_known_otherwise(topic):
            return
        self._wrong[topic] = self._wrong.get(topic, 0) + 1
        if self._wrong[topic] == _TWICE:
            context.refusals.refuse(
                true,
                Refused.NOT_KEPT,
                "",
                number=context.counters.number,
                size=len(true.payload),
                wall=context.now(),
                steady=asyncio.get_running_loop().time(),
                repeat=False,
            )
            context.delivery_news.set()
        self._wanted(true)
