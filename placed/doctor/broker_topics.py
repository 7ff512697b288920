"""Tries every topic that the daemon will publish on, with a message of the size that it will have there.

Nothing is retained, so nothing stays. What is published says nothing that a panel could believe: documents
of a schema that does not exist, and the words for an unknown room. Where a daemon is online, the topics that
it keeps a message on are proven by that, and left alone, but for those that its own health names as refused:
what the broker holds there is older than a change of its rules.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiomqtt
import msgspec
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from placed.doctor.message_listener import listening
from placed.mqtt.messages import packet_size

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from placed.doctor.message_listener import MessageListener
    from placed.mqtt.client import BrokerClient
    from placed.mqtt.messages import Message
    from placed.mqtt.topics import Topics

_EXPIRY = 30  # seconds
_MOST_ENDS = 8  # connections that the broker may end before the rest is not tried any more
_WORDS = {"availability": b"offline", "occupied": b"", "status": b"unknown"}
_ERRORS = (aiomqtt.MqttError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class TrialMessage:
    """A message that the daemon will publish."""

    topic: str
    payload: bytes  # what is published instead of its own
    size: int  # bytes of its packet
    json: bool


@dataclass(slots=True)
class Outcome:
    """What came of the trial.

    Attributes:
        tried: the topics that were published on.
        kept: how many were left alone, since a daemon that is online has a message there.
        largest: bytes of the largest packet.
        too_large: what is beyond the limit that the broker announces.
        refused: what the broker refused, by the number and the words of its reason.
        ended: where it ended the connection.
        lost: what it acknowledged and did not send back; of MQTT 3.1.1, where refusals are not reported.
        largest_back: bytes of the largest packet that it did send back; the same.
        untried: how many were not tried, since it ended too many connections.
    """

    tried: set[str] = field(default_factory=set)
    kept: int = 0
    largest: int = 0
    too_large: list[TrialMessage] = field(default_factory=list)
    refused: defaultdict[tuple[int, str], list[TrialMessage]] = field(
        default_factory=lambda: defaultdict(list)
    )
    ended: list[TrialMessage] = field(default_factory=list)
    lost: list[TrialMessage] = field(default_factory=list)
    largest_back: int = 0
    untried: int = 0


class _State(msgspec.Struct):
    state: str
    epoch: int = 0


class TopicTrial:
    """One trial.

    Attributes:
        topics: of the daemon.

    Args:
        messages: that it will publish, one a topic.
        v5: whether refusals are reported.
        connect: makes another connection like the first, when that was ended.
        patience: seconds for the broker to pass on what it has acknowledged.
    """

    def __init__(
        self,
        topics: Topics,
        messages: Iterable[Message],
        *,
        v5: bool,
        connect: Callable[[], Awaitable[BrokerClient]],
        patience: float,
    ) -> None:
        self.topics = topics
        self._messages = list(messages)
        self._v5 = v5
        self._connect = connect
        self._patience = patience
        self._outcome = Outcome()
        self._acknowledged: list[TrialMessage] = []  # over this connection

    async def run(self, connection: BrokerClient) -> Outcome:
        """Tries everything. The connection may be ended by it.

        Raises:
            aiomqtt.MqttError: it could not be made again.
        """
        planned = await self._plan(connection)
        outcome = self._outcome
        outcome.largest = max((p.size for p in planned), default=0)
        if connection.max_packet_size is not None:
            outcome.too_large = [p for p in planned if p.size > connection.max_packet_size]
            planned = [p for p in planned if p.size <= connection.max_packet_size]
        await self._try_all(planned, connection)
        return outcome

    # --- what to publish ---

    async def _plan(self, connection: BrokerClient) -> list[TrialMessage]:
        held = await self._held(connection)
        state = _read_state(held.get(self.topics.bridge_state))
        refused = _refused_to_it(held.get(self.topics.bridge_health), state)
        planned = []
        for message in self._messages:
            there = held.get(message.topic)
            if state is not None and there is not None and not self._is_config(message.topic):
                proven = _fresh(there, state.epoch) and not (
                    refused & {message.topic, self.topics.pattern_of(message.topic)}
                )
                self._outcome.kept += proven
                if proven:
                    continue
            planned.append(
                TrialMessage(
                    message.topic,
                    self._instead(message, there),
                    packet_size(message, v5=self._v5),
                    message.json,
                )
            )
        return planned

    def _instead(self, message: Message, there: bytes | None) -> bytes:
        if message.topic == self.topics.bridge_state:
            return b'{"state":"offline","epoch":0}'
        if self._is_config(message.topic):
            # Home Assistant ignores what it knows already, and what it cannot read.
            return there or b"placed doctor: a trial, please ignore".ljust(len(message.payload))
        if not message.json:
            return _WORDS[message.topic.rpartition("/")[2]]
        return b'{"schema":0,"trial":true}'.ljust(len(message.payload))

    def _is_config(self, topic: str) -> bool:
        return self.topics.discovery is not None and topic.startswith(f"{self.topics.discovery}/")

    async def _held(self, connection: BrokerClient) -> dict[str, bytes]:
        """What the broker keeps on the topics; what it has is on its way before it answers the end of it."""
        await self._subscribe(connection)
        await connection.unsubscribe(self._filters)
        held: dict[str, bytes] = {}
        for _ in range(len(connection.messages)):
            message = await anext(connection.messages)
            if message.retain:
                held[message.topic.value] = bytes(message.payload or b"")
        return held

    @property
    def _filters(self) -> list[str]:
        patterns = {self.topics.pattern_of(message.topic) for message in self._messages}
        return sorted(patterns | {self.topics.bridge_state})

    async def _subscribe(self, connection: BrokerClient) -> None:
        """At QoS 0, since of QoS 1 brokers send only some until they are acknowledged."""
        await connection.subscribe([(pattern, 0) for pattern in self._filters])

    # --- publishing ---

    async def _try_all(self, planned: Sequence[TrialMessage], connection: BrokerClient) -> None:
        """The largest of each kind alone, so that it is known at which the connection ends; then the rest."""
        kinds: dict[str, TrialMessage] = {}
        for message in sorted(planned, key=lambda p: -p.size):
            kinds.setdefault(self.topics.pattern_of(message.topic), message)
        serial = list(kinds.values())
        alone = {message.topic for message in serial}
        rest = [message for message in planned if message.topic not in alone]
        while (end := await self._go_on(connection, serial, rest)) is not None:
            serial, rest = list(end.serial), list(end.rest)
            if not self._v5:
                rest += self._acknowledged  # whether these came back is not known
            if end.culprit is not None:
                self._outcome.ended.append(end.culprit)
            if len(self._outcome.ended) >= _MOST_ENDS:
                self._outcome.untried = len(serial) + len(rest)
                return
            if not serial and not rest:
                return
            await connection.close()
            connection = await self._connect()
        await connection.close()

    async def _go_on(
        self, connection: BrokerClient, serial: Sequence[TrialMessage], rest: Sequence[TrialMessage]
    ) -> _Ended | None:
        try:
            await self._publish(connection, serial, rest)
        except _Ended as end:
            return end
        return None

    async def _publish(
        self, connection: BrokerClient, serial: Sequence[TrialMessage], rest: Sequence[TrialMessage]
    ) -> None:
        """Over one connection.

        Raises:
            _Ended: the broker ended it.
        """
        self._acknowledged = []
        async with listening(connection) as listener:
            if not self._v5:
                await self._subscribe(connection)
            for place, message in enumerate(serial):
                try:
                    await listener.unless_ended(self._one(connection, message))
                except _ERRORS as error:
                    raise _Ended(message, serial[place + 1 :], rest) from error
            waiting = list(reversed(rest))
            under_way: dict[str, TrialMessage] = {}
            try:
                await listener.unless_ended(self._side_by_side(connection, waiting, under_way))
            except _ERRORS as error:
                # One of these it was: they go again, one by one.
                raise _Ended(None, list(under_way.values()), list(reversed(waiting))) from error
            if not self._v5:
                await self._read_back(listener)

    async def _side_by_side(
        self, connection: BrokerClient, waiting: list[TrialMessage], under_way: dict[str, TrialMessage]
    ) -> None:
        async def go_on() -> None:
            while waiting:
                message = waiting.pop()
                under_way[message.topic] = message
                await self._one(connection, message)
                del under_way[message.topic]

        await asyncio.gather(*(go_on() for _ in range(connection.in_flight)))

    async def _one(self, connection: BrokerClient, message: TrialMessage) -> None:
        properties = None
        if self._v5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
            properties.PayloadFormatIndicator = 1
            properties.ContentType = "application/json" if message.json else "text/plain"
            properties.MessageExpiryInterval = _EXPIRY
        refused = await connection.publish_qos1(
            message.topic, message.payload, retain=False, properties=properties
        )
        self._outcome.tried.add(message.topic)
        if refused is not None:
            self._outcome.refused[refused.value, str(refused)].append(message)
        else:
            self._acknowledged.append(message)

    async def _read_back(self, listener: MessageListener) -> None:
        sent, outcome = self._acknowledged, self._outcome
        expected = {message.topic for message in sent}
        await listener.until(lambda: expected <= listener.heard.keys(), self._patience)
        outcome.lost += [m for m in sent if m.topic not in listener.heard]
        back = max((m.size for m in sent if m.topic in listener.heard), default=0)
        outcome.largest_back = max(outcome.largest_back, back)


class _Ended(Exception):
    """The broker ended the connection: at which message, and what is still to be tried, alone or together."""

    def __init__(
        self, culprit: TrialMessage | None, serial: Sequence[TrialMessage], rest: Sequence[TrialMessage]
    ) -> None:
        super().__init__(culprit)
        self.culprit = culprit
        self.serial = serial
        self.rest = rest


def _read_state(payload: bytes | None) -> _State | None:
    """What a daemon that is online has said; None if there is none."""
    try:
        state = msgspec.json.decode(payload or b"", type=_State)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return state if state.state == "online" else None


class _Undelivered(msgspec.Struct):
    topics: str


class _Health(msgspec.Struct):
    epoch: int
    undelivered: list[_Undelivered] = []


def _refused_to_it(payload: bytes | None, state: _State | None) -> frozenset[str]:
    """Topics and patterns that the broker does not take of the running daemon, by what that reports."""
    try:
        health = msgspec.json.decode(payload or b"", type=_Health)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return frozenset()
    if state is None or health.epoch != state.epoch:
        return frozenset()
    return frozenset(topic for group in health.undelivered for topic in group.topics.split())


class _OfEpoch(msgspec.Struct):
    epoch: int


def _fresh(payload: bytes, epoch: int) -> bool:
    """Whether a retained message is of the running daemon, as far as it shows; plain words do not."""
    if not payload.startswith(b"{"):
        return True
    try:
        return msgspec.json.decode(payload, type=_OfEpoch).epoch == epoch
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
