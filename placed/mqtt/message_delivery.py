"""Delivers single messages over one connection: sent, left out or refused, and acknowledged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from placed.domain.mqtt_delivery_status import Refused
from placed.mqtt.messages import Message, clear, largest_size, packet_size, properties_of
from placed.mqtt.publisher_context import SILENCE
from placed.mqtt.refused_topic_schedule import reason_for
from placed.mqtt.suspect_messages import SentMessage
from placed.mqtt.topics import Importance

if TYPE_CHECKING:
    from datetime import datetime

    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.client.reason_code import ReasonCode
    from placed.mqtt.publisher_context import PublisherContext

_LOAD = (
    32  # messages within `_LOAD_TIME` seconds, from which a broker may end the connection for their number
)
_LOAD_TIME = 5.0
_OVERDUE = 3.0  # seconds without a PUBACK for a state, after which panels may show an older one


class Flight(msgspec.Struct, gc=False):
    """A message that was sent.

    Attributes:
        number: of the message, counted over all connections.
        sent_at: the time of the event loop.
        done: called at the PUBACK; None for a message of the outbox.
        replaces_refused: it is sent in place of one that is refused and stays so.
    """

    message: Message
    number: int
    sent_at: float
    done: Callable[[], None] | None = None
    replaces_refused: bool = False


class InFlight:
    """Messages in flight, by their number.

    Args:
        is_required: returns whether readiness depends on a topic.
    """

    def __init__(self, is_required: Callable[[str], bool]) -> None:
        self._is_required = is_required
        self._messages: dict[int, Flight] = {}
        self._sent_at: deque[float] = deque(maxlen=_LOAD)  # of the latest messages

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def messages(self) -> list[Message]:
        """Messages in the order in which they were sent."""
        return [flight.message for flight in self._messages.values()]

    @property
    def loaded(self) -> bool:
        """Whether so many messages were sent lately that the broker may have ended the connection for it."""
        return len(self._sent_at) == _LOAD and self._sent_at[-1] - self._sent_at[0] < _LOAD_TIME

    @property
    def overdue(self) -> bool:
        """Whether the PUBACK of a message that readiness needs is late."""
        if not self._messages:
            return False
        before = asyncio.get_running_loop().time() - _OVERDUE
        return any(f.sent_at < before and self._is_required(f.message.topic) for f in self._messages.values())

    def add(self, flight: Flight) -> None:
        """A message was sent."""
        self._messages[flight.number] = flight
        self._sent_at.append(flight.sent_at)

    def acknowledge(self, number: int) -> None:
        """The broker has acknowledged a message, as taken or refused."""
        del self._messages[number]


class Delivery:
    """What becomes of each message that is sent over one connection.

    Args:
        context: of the session.
        client: the connected client.
        settled: called with a message that is acknowledged or left out.

    Attributes:
        in_flight: messages that lack their PUBACK.
        refused: set when a message is refused or left out.
    """

    def __init__(
        self, context: PublisherContext, client: BrokerClient, settled: Callable[[Message], None]
    ) -> None:
        self.refused = asyncio.Event()
        self.in_flight = InFlight(self._is_required)
        self._loop = asyncio.get_running_loop()
        self._context = context
        self._client = client
        self._settled = settled
        self._cleared: set[str] = set()  # topics of states that are cleared since they cannot be sent

    @property
    def outstanding(self) -> list[SentMessage]:
        """Messages that were sent and not acknowledged."""
        messages = self.in_flight.messages
        return [SentMessage(self.kind_of(message), self._size_of(message)) for message in messages]

    def send(self, message: Message, now: datetime, done: Callable[[], None] | None = None) -> None:
        """Sends a message, unless it is left out; calls `done` when it is acknowledged, or at once.

        Without `done`, `settled` is called with the message.

        Raises:
            MqttError: the connection is lost.
        """
        reason = self._reason_to_leave_out(message)
        if reason is None:
            if self._cleared:
                self._cleared.discard(message.topic)
            self._transmit(message, now, done)
            return
        size = self._size_of(message)
        words = f"{size} bytes"
        if reason is Refused.TOO_LARGE:
            words += f", and it takes {self._client.max_packet_size} bytes at most"
        self._refuse(message, reason, words, self._next_number(), repeat=False)
        done = done or partial(self._settled, message)
        if not message.payload or not self._clear_old_state(message.topic, now, done):
            done()

    def _clear_old_state(self, topic: str, now: datetime, done: Callable[[], None]) -> bool:
        """Clears a state that cannot be updated: panels show nothing rather than an old state.

        Returns whether something was sent.
        """
        if topic in self._cleared or self._context.topics.importance_of(topic) is not Importance.STATE:
            return False
        empty = clear(topic)
        if not self._context.disconnect_causes.may_clear(topic, self._size_of(empty)):
            return False
        self._cleared.add(topic)
        self._transmit(empty, now, done, replaces_refused=True)
        return True

    def _reason_to_leave_out(self, message: Message) -> Refused | None:
        limit, causes = self._client.max_packet_size, self._context.disconnect_causes
        if limit is not None and self._size_of(message) > limit:
            return Refused.TOO_LARGE
        if causes.active and causes.excludes(self.kind_of(message), self._size_of(message)):
            return Refused.CONNECTION_ENDED
        return None

    def kind_of(self, message: Message) -> str:
        """The topic; of an event, which no later message replaces, the pattern of its topic."""
        return message.topic if message.retain else self._context.topics.pattern_of(message.topic)

    def _size_of(self, message: Message) -> int:
        """The bytes of the whole packet."""
        return packet_size(message, v5=self._context.client_factory.v5)

    def _next_number(self) -> int:
        self._context.counters.number += 1
        return self._context.counters.number

    def _transmit(
        self,
        message: Message,
        now: datetime,
        done: Callable[[], None] | None,
        *,
        replaces_refused: bool = False,
    ) -> None:
        flight = Flight(message, self._next_number(), self._loop.time(), done, replaces_refused)
        self._client.send(
            message.topic,
            message.payload,
            partial(self._acknowledged, flight),
            retain=message.retain,
            properties=properties_of(message, message.expiry(now)) if message.payload else None,
        )
        self.in_flight.add(flight)

    def _acknowledged(self, flight: Flight, code: ReasonCode | None) -> None:
        """The broker took a message, or refused it for this reason."""
        context, message = self._context, flight.message
        causes, refusals = context.disconnect_causes, context.refusals
        self.in_flight.acknowledge(flight.number)
        context.heartbeat.expect(SILENCE)
        if causes.active or largest_size(message) > causes.taken:
            self._was_taken(message)
        if code is None:
            context.counters.published += 1
            ended = (
                refusals.any_left
                and not flight.replaces_refused
                and refusals.acknowledged(message, flight.number, self._loop.time())
            )
            if ended:
                context.delivery_changed.set()
        elif not flight.replaces_refused:
            self._refuse(message, reason_for(code.value), code.words, flight.number, repeat=True)
        if flight.done is None:
            self._settled(message)
        else:
            flight.done()

    def _was_taken(self, message: Message) -> None:
        """The broker did not end the connection at a message: messages that were left out may be sent now."""
        context, kind = self._context, self.kind_of(message)
        if context.disconnect_causes.acknowledged(kind, self._size_of(message)):
            context.refusals.repeat_now(Refused.CONNECTION_ENDED, self._loop.time())
            if "+" in kind:
                context.refusals.remove(kind)
                context.delivery_changed.set()

    def _refuse(self, message: Message, reason: Refused, words: str, number: int, *, repeat: bool) -> None:
        self._context.refusals.add(
            message,
            reason,
            words,
            number=number,
            size=self._size_of(message),
            wall=self._context.now(),
            steady=self._loop.time(),
            repeat=repeat,
        )
        self.refused.set()
        self._context.delivery_changed.set()

    def _is_required(self, topic: str) -> bool:
        """Whether readiness depends on the topic; that of an event may be a pattern."""
        return self._context.topics.importance_of(topic) is not Importance.OPTIONAL
