"""Sends the messages of the outbox over one connection, as many at once as the broker allows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiomqtt

from placed.domain.publisher_status import Refused
from placed.mqtt.in_flight import InFlight
from placed.mqtt.messages import clear, packet_size
from placed.mqtt.outbox import InitialPublication, Outbox
from placed.mqtt.refused_topics import reason_for
from placed.mqtt.session_context import SILENCE
from placed.mqtt.suspect_messages import SentMessage
from placed.mqtt.topics import Importance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from placed.domain.state_document import Statement
    from placed.mqtt.client import BrokerClient
    from placed.mqtt.messages import Message
    from placed.mqtt.session_context import SessionContext


class Sender:
    """The outbox of one connection, and the workers that empty it.

    Args:
        context: of the session.
        client: the connected client.
        messages_of: makes the messages of a statement when the room's turn comes.

    Attributes:
        drained: set while every message is sent and acknowledged, except those that clear topics.
        refused: set when a message is refused or left out.
        in_flight: messages that lack their PUBACK.
    """

    def __init__(
        self,
        context: SessionContext,
        client: BrokerClient,
        messages_of: Callable[[Statement], Iterable[Message]],
    ) -> None:
        self.drained = asyncio.Event()
        self.refused = asyncio.Event()
        self.in_flight = InFlight()
        topics = context.topics
        self._context = context
        self._client = client
        self._messages_of = messages_of
        self._outbox = Outbox(self._start_room, self._topics_of)
        self._filled = asyncio.Event()
        self._initial = InitialPublication((topics.bridge_info, topics.bridge_health, topics.rooms))
        self._initial_queued = False
        self._active_workers = 0  # that send something else than a message that clears a topic
        self._alone = asyncio.Lock()  # held while a suspected message is sent, which must be alone in flight
        self._pacing = asyncio.Lock()
        self._cleared: set[str] = set()  # topics of states that are cleared since they cannot be sent

    @property
    def waiting(self) -> int:
        """How many messages and rooms wait for their turn."""
        return len(self._outbox)

    @property
    def all_acknowledged(self) -> bool:
        """Whether the broker has acknowledged the whole initial publication."""
        return self._initial_queued and not self._initial

    # --- what is to be sent ---

    def put(self, messages: Iterable[Message], *, urgent: bool = False, late: bool = False) -> None:
        """Queues messages; those that clear a topic, or are `late`, wait for all others."""
        causes = self._context.disconnect_causes
        for message in messages:
            first = urgent or causes.goes_first(message.topic)
            self._outbox.put(message, urgent=first, late=late)
            if self._outbox.pressing:
                self._not_idle()
        self._filled.set()

    def put_row(self, messages: Iterable[Message]) -> None:
        """Queues messages that go out next, one right after the other."""
        self._outbox.put_row(messages)
        self._filled.set()

    def put_room(self, statement: Statement, *, urgent: bool = False) -> None:
        """Queues all messages of a room."""
        self._outbox.put_room(statement, urgent=urgent)
        self._not_idle()
        self._filled.set()

    def put_initial_room(self, statement: Statement) -> None:
        """Queues all messages of a room as part of the initial publication."""
        self._initial.add_room(statement.room.id)
        self.put_room(statement)

    def initial_publication_queued(self) -> None:
        """The whole initial publication is queued or sent."""
        self._initial_queued = True
        self._filled.set()  # there may be no room at all

    def drop_room(self, room_id: str) -> None:
        """A room was removed: its queued messages are not sent."""
        self._outbox.drop_room(room_id)
        self._initial.drop_room(room_id)

    # --- the workers ---

    async def run(self) -> None:
        """Sends one message after another. Runs once for each message that may be in flight."""
        while True:
            if interval := self._context.disconnect_causes.send_interval:
                async with self._pacing:
                    await asyncio.sleep(interval)
            await self._send_next()

    async def _send_next(self) -> None:
        """A call of its own, so that a waiting worker holds no message that was sent: an index has 1 MB."""
        message = await self._next()
        clears = not message.payload
        self._active_workers += not clears
        try:
            if self._is_suspect(message):
                async with self._alone:
                    await self.in_flight.empty.wait()
                    await self.publish(message)
            else:
                await self.publish(message)  # without a wait before it: what is chosen now goes out now
        finally:
            self._active_workers -= not clears
        self._settle(message)

    async def _next(self) -> Message:
        while True:
            while self._alone.locked():
                async with self._alone:
                    pass
            message, expired = self._outbox.take(self._context.now())
            self._context.counters.expired += len(expired)
            for old in expired:
                self._settle(old)
            if message is not None:
                return message
            self._check_idle()
            self._filled.clear()
            await self._filled.wait()

    def _is_suspect(self, message: Message) -> bool:
        causes = self._context.disconnect_causes
        return causes.active and causes.is_suspect(self._kind_of(message))

    # --- one message ---

    async def publish(self, message: Message) -> None:
        """Publishes a message at once, unless it is left out, and waits for the PUBACK.

        Raises:
            aiomqtt.MqttError: the connection was lost.
        """
        number, sent = self._next_number(), self._sent_message(message)
        reason = self._reason_to_leave_out(sent)
        if reason is None:
            if await self._transmit(message, sent, number):
                self._cleared.discard(message.topic)
            return
        words = f"{sent.size} bytes"
        if reason is Refused.TOO_LARGE:
            words += f", and it takes {self._client.max_packet_size} bytes at most"
        self._refuse(message, reason, words, number, sent.size, repeat=False)
        if message.payload:
            await self._clear_old_state(message.topic)

    async def _clear_old_state(self, topic: str) -> None:
        """Clears a state that cannot be updated: panels show nothing rather than an old state."""
        if topic in self._cleared or self._context.topics.importance_of(topic) is not Importance.STATE:
            return
        empty = clear(topic)
        sent = self._sent_message(empty)
        if self._context.disconnect_causes.may_clear(topic, sent.size):
            self._cleared.add(topic)
            await self._transmit(empty, sent, self._next_number(), replaces_refused=True)

    def _reason_to_leave_out(self, sent: SentMessage) -> Refused | None:
        limit, causes = self._client.max_packet_size, self._context.disconnect_causes
        if limit is not None and sent.size > limit:
            return Refused.TOO_LARGE
        if causes.active and causes.excludes(sent.topic, sent.size):
            return Refused.CONNECTION_ENDED
        return None

    def _kind_of(self, message: Message) -> str:
        """The topic; of an event, which no later message replaces, the pattern of its topic."""
        return message.topic if message.retain else self._context.topics.pattern_of(message.topic)

    def _sent_message(self, message: Message) -> SentMessage:
        return SentMessage(self._kind_of(message), packet_size(message, v5=self._context.client_factory.v5))

    def _next_number(self) -> int:
        self._context.counters.number += 1
        return self._context.counters.number

    async def _transmit(
        self, message: Message, sent: SentMessage, number: int, *, replaces_refused: bool = False
    ) -> bool:
        """Returns whether the broker took the message.

        `replaces_refused`: the message is sent in place of one that is refused and stays so.
        """
        context, client = self._context, self._client
        required = context.topics.importance_of(message.topic) is not Importance.OPTIONAL
        self.in_flight.add(number, sent, required=required)
        try:
            code = await context.client_factory.publish(client, message, message.expiry(context.now()))
        except aiomqtt.MqttError:
            self.in_flight.connection_lost()  # before others go on
            raise
        self.in_flight.acknowledge(number)
        context.pulse.expect(SILENCE)
        client.refusals.clear()
        steady = asyncio.get_running_loop().time()
        if context.disconnect_causes.acknowledged(sent.topic, sent.size):
            context.refusals.repeat_now(Refused.CONNECTION_ENDED, steady)
            if "+" in sent.topic:
                context.refusals.remove(sent.topic)
                context.delivery_changed.set()
        if code is None:
            context.counters.published += 1
            if not replaces_refused and context.refusals.acknowledged(message, number, steady):
                context.delivery_changed.set()
            return True
        if not replaces_refused:
            words = f"{code} (0x{code.value:02x})"
            self._refuse(message, reason_for(code.value), words, number, sent.size, repeat=True)
        return False

    def _refuse(  # noqa: PLR0913 - what is known of the refusal
        self, message: Message, reason: Refused, words: str, number: int, size: int, *, repeat: bool
    ) -> None:
        self._context.refusals.add(
            message,
            reason,
            words,
            number=number,
            size=size,
            wall=self._context.now(),
            steady=asyncio.get_running_loop().time(),
            repeat=repeat,
        )
        self.refused.set()
        self._context.delivery_changed.set()

    # --- bookkeeping ---

    def check_first_published(self) -> None:
        """Sets `first_published` once the initial publication is acknowledged and no state is refused."""
        if self.all_acknowledged and not self._context.refusals.includes_state:
            self._context.first_published.set()

    def _topics_of(self, room_id: str) -> Iterable[str]:
        return self._context.topics.statement_topics(room_id, plain=self._context.plain)

    def _start_room(self, statement: Statement) -> Iterator[Message]:
        messages = list(self._messages_of(statement))
        self._initial.start_room(statement.room.id, (message.topic for message in messages))
        return iter(messages)

    def _not_idle(self) -> None:
        self.drained.clear()
        self._context.idle.clear()

    def _check_idle(self) -> None:
        if self._initial_queued and not self._active_workers and not self._outbox.pressing:
            self.drained.set()
            if not self._context.refusals.includes_state:
                self._context.idle.set()

    def _settle(self, message: Message) -> None:
        """A message was acknowledged, left out or has expired."""
        if not message.payload and message.topic not in self._context.refusals:
            self._context.retained_rooms.cleared(message.topic)
        self._initial.acknowledge(message.topic)
        self.check_first_published()
        if not self._outbox.pressing:
            self._check_idle()
