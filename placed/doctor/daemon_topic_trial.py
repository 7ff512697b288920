"""Tries every topic that the daemon will publish on, with messages of the size that they will have there.

Nothing is retained, so nothing stays at the broker.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from placed.doctor.daemon_topic_trial_messages import TrialMessage, trial_messages
from placed.doctor.message_listener import listening
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client.publish_properties import PublishProperties

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from placed.doctor.message_listener import MessageListener
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.messages import Message
    from placed.mqtt.topics import Topics

_EXPIRY = 30  # seconds
_MOST_ENDS = 8  # connections that the broker may end; then the rest is not tried
_ERRORS = (MqttError, OSError, ValueError)


@dataclass(slots=True)
class TopicTrialResult:
    """The result of the trial.

    Attributes:
        tried: the topics on which a message was published.
        working: how many topics were not tried, since a running daemon publishes there.
        largest: bytes of the largest packet.
        too_large: messages that exceed the limit that the broker announces.
        refused: messages that the broker refused, by the number and the words of its reason.
        ended: messages at which it ended the connection.
        lost: messages that it acknowledged and did not send back; in MQTT 3.1.1, which reports no refusals.
        largest_back: bytes of the largest packet that it sent back; in MQTT 3.1.1.
        untried: how many messages were not tried, since it ended too many connections.
    """

    tried: set[str] = field(default_factory=set)
    working: int = 0
    largest: int = 0
    too_large: list[TrialMessage] = field(default_factory=list)
    refused: defaultdict[tuple[int, str], list[TrialMessage]] = field(
        default_factory=lambda: defaultdict(list)
    )
    ended: list[TrialMessage] = field(default_factory=list)
    lost: list[TrialMessage] = field(default_factory=list)
    largest_back: int = 0
    untried: int = 0


class TopicTrial:
    """One trial.

    Attributes:
        topics: of the daemon.

    Args:
        messages: those that the daemon will publish, one for each topic.
        v5: whether MQTT 5 is used, which reports refusals.
        connect: makes another connection like the first one, when that was ended.
        wait: seconds for the broker to forward a message that it has acknowledged.
    """

    def __init__(
        self,
        topics: Topics,
        messages: Iterable[Message],
        *,
        v5: bool,
        connect: Callable[[], Awaitable[BrokerClient]],
        wait: float,
    ) -> None:
        self.topics = topics
        self._messages = list(messages)
        self._v5 = v5
        self._connect = connect
        self._wait = wait
        self._outcome = TopicTrialResult()
        self._acknowledged: list[TrialMessage] = []  # over this connection

    async def run(self, connection: BrokerClient) -> TopicTrialResult:
        """Tries everything. It closes the connection.

        Raises:
            MqttError: another connection could not be made.
        """
        outcome = self._outcome
        retained = await self._retained(connection)
        planned, outcome.working = trial_messages(self.topics, self._messages, retained, v5=self._v5)
        outcome.largest = max((p.size for p in planned), default=0)
        if connection.max_packet_size is not None:
            outcome.too_large = [p for p in planned if p.size > connection.max_packet_size]
            planned = [p for p in planned if p.size <= connection.max_packet_size]
        await self._try_all(planned, connection)
        return outcome

    async def _retained(self, connection: BrokerClient) -> dict[str, bytes]:
        """Returns the retained messages by topic; the broker sends them before it answers the UNSUBSCRIBE."""
        await self._subscribe(connection)
        await connection.unsubscribe(self._filters)
        retained: dict[str, bytes] = {}
        for _ in range(len(connection.messages)):
            message = await anext(connection.messages)
            if message.retain:
                retained[message.topic] = message.payload
        return retained

    @property
    def _filters(self) -> list[str]:
        patterns = {self.topics.pattern_of(message.topic) for message in self._messages}
        return sorted(patterns | {self.topics.bridge_state})

    async def _subscribe(self, connection: BrokerClient) -> None:
        """Subscribes with QoS 0: with QoS 1 brokers send only some messages until they are acknowledged."""
        await connection.subscribe(self._filters, qos=0)

    # --- publishing ---

    async def _try_all(self, planned: Sequence[TrialMessage], connection: BrokerClient) -> None:
        """Publishes the largest message of each kind alone, in case it ends the connection; then the rest."""
        kinds: dict[str, TrialMessage] = {}
        for message in sorted(planned, key=lambda p: -p.size):
            kinds.setdefault(self.topics.pattern_of(message.topic), message)
        serial = list(kinds.values())
        alone = {message.topic for message in serial}
        rest = [message for message in planned if message.topic not in alone]
        while (end := await self._publish_over(connection, serial, rest)) is not None:
            serial, rest = list(end.serial), list(end.rest)
            if not self._v5:
                rest += self._acknowledged  # it is not known whether these would come back
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

    async def _publish_over(
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
        """Publishes over one connection.

        Raises:
            _Ended: the broker ended the connection.
        """
        self._acknowledged = []
        async with listening(connection) as listener:
            if not self._v5:
                await self._subscribe(connection)
            for place, message in enumerate(serial):
                try:
                    await listener.unless_ended(self._publish_one(connection, message))
                except _ERRORS as error:
                    raise _Ended(message, serial[place + 1 :], rest) from error
            waiting = list(reversed(rest))
            in_flight: dict[str, TrialMessage] = {}
            try:
                await listener.unless_ended(self._publish_together(connection, waiting, in_flight))
            except _ERRORS as error:
                # It was one of these, so they are published again, one by one.
                raise _Ended(None, list(in_flight.values()), list(reversed(waiting))) from error
            if not self._v5:
                await self._read_back(listener)

    async def _publish_together(
        self, connection: BrokerClient, waiting: list[TrialMessage], in_flight: dict[str, TrialMessage]
    ) -> None:
        async def work() -> None:
            while waiting:
                message = waiting.pop()
                in_flight[message.topic] = message
                await self._publish_one(connection, message)
                del in_flight[message.topic]

        await asyncio.gather(*(work() for _ in range(connection.in_flight)))

    async def _publish_one(self, connection: BrokerClient, message: TrialMessage) -> None:
        properties = PublishProperties(_EXPIRY, "application/json" if message.json else "text/plain")
        refused = await connection.publish(
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
        await listener.wait_until(lambda: expected <= listener.received.keys(), self._wait)
        outcome.lost += [m for m in sent if m.topic not in listener.received]
        back = max((m.size for m in sent if m.topic in listener.received), default=0)
        outcome.largest_back = max(outcome.largest_back, back)


class _Ended(Exception):
    """The broker ended the connection: at `culprit`; `serial` and `rest` are still to be tried."""

    def __init__(
        self, culprit: TrialMessage | None, serial: Sequence[TrialMessage], rest: Sequence[TrialMessage]
    ) -> None:
        super().__init__(culprit)
        self.culprit = culprit
        self.serial = serial
        self.rest = rest
