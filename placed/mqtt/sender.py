"""Sends the messages of the outbox over one connection, as many at once as the broker allows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.mqtt.message_delivery import Delivery
from placed.mqtt.outbox import InitialPublication, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from placed.domain.state_document import Statement
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.messages import Message
    from placed.mqtt.publisher_context import PublisherContext


class Sender:
    """The outbox of one connection, and what empties it.

    Args:
        context: of the session.
        client: the connected client.
        messages_of: makes the messages of a statement when the room's turn comes.

    Attributes:
        drained: set while every message is sent and acknowledged, except those that clear topics.
        delivery: of single messages.
    """

    def __init__(
        self,
        context: PublisherContext,
        client: BrokerClient,
        messages_of: Callable[[Statement], Sequence[Message]],
    ) -> None:
        self.drained = asyncio.Event()
        self.delivery = Delivery(context, client, self._sent)
        topics = context.topics
        self._context = context
        self._client = client
        self._messages_of = messages_of
        self._outbox = Outbox(self._start_room, self._topics_of)
        self._wake = asyncio.Event()  # something may be sent, or the connection may have become idle
        self._initial = InitialPublication((topics.bridge_info, topics.bridge_health, topics.rooms))
        self._initial_queued = False
        self._active = 0  # messages of the outbox in flight, except those that clear a topic
        self._alone = False  # whether a suspected message is in flight, which must be alone
        self._held: Message | None = None  # a suspected one that waits until nothing is in flight
        self._running = False
        client.writable = self._continue

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
        self._wake.set()

    def put_row(self, messages: Iterable[Message]) -> None:
        """Queues messages that go out next, one right after the other."""
        self._outbox.put_row(messages)
        self._wake.set()

    def put_room(self, statement: Statement, *, urgent: bool = False) -> None:
        """Queues all messages of a room."""
        self._outbox.put_room(statement, urgent=urgent)
        self._not_idle()
        self._wake.set()

    def put_initial_room(self, statement: Statement) -> None:
        """Queues all messages of a room as part of the initial publication."""
        self._initial.add_room(statement.room.id)
        self.put_room(statement)

    def initial_publication_queued(self) -> None:
        """The whole initial publication is queued or sent."""
        self._initial_queued = True
        self._wake.set()  # there may be no room at all

    def drop_room(self, room_id: str) -> None:
        """A room was removed: its queued messages are not sent."""
        self._outbox.drop_room(room_id)
        self._initial.drop_room(room_id)

    # --- sending ---

    async def run(self) -> None:
        """Sends what is queued, as much at once as the broker allows, until it is cancelled.

        Raises:
            MqttError: the connection is lost.
        """
        causes = self._context.disconnect_causes
        self._running = True
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                if not (interval := causes.send_interval):
                    self._send_while_possible()
                elif self._send_next(self._context.now()):
                    await asyncio.sleep(interval)
                    self._wake.set()
        finally:
            self._running = False

    def _continue(self) -> None:
        """The client takes messages again: they go out in this turn, so that the broker need not wait."""
        if self._running and not self._context.disconnect_causes.send_interval:
            self._send_while_possible()
        else:
            self._wake.set()

    def _send_while_possible(self) -> None:
        """Sends as many messages as the broker allows, in one write."""
        now = self._context.now()  # one time for all of this turn, which takes a few milliseconds
        self._client.hold()
        try:
            while self._send_next(now):
                pass
        finally:
            self._client.flush()

    def _send_next(self, now: datetime) -> bool:
        """Sends one message, if one may be sent now; returns whether it did."""
        client, in_flight = self._client, self.delivery.in_flight
        if self._alone or client.congested or len(in_flight) >= client.in_flight:
            return False
        message = self._held or self._next(now)
        if message is None:
            self._check_idle()
            return False
        causes = self._context.disconnect_causes
        if causes.active and causes.is_suspect(self.delivery.kind_of(message)):
            if in_flight:
                self._held = message
                return False
            self._alone = True
        self._held = None
        self._active += bool(message.payload)
        self.delivery.send(message, now)
        return True

    def _next(self, now: datetime) -> Message | None:
        message, expired = self._outbox.take(now)
        if expired:
            self._context.counters.expired += len(expired)
            for old in expired:
                self._settle(old)
        return message

    def _sent(self, message: Message) -> None:
        """A message that was queued is acknowledged, or left out."""
        self._alone = False
        self._active -= bool(message.payload)
        self._settle(message)

    async def publish(self, message: Message) -> None:
        """Publishes a message at once, unless it is left out, and waits for the PUBACK.

        It waits for ever if the connection is lost before.

        Raises:
            MqttError: the connection is lost.
        """
        done = asyncio.Event()
        self.delivery.send(message, self._context.now(), done.set)
        await done.wait()

    # --- bookkeeping ---

    def check_first_published(self) -> None:
        """Sets `first_published` once the initial publication is acknowledged and no state is refused."""
        if self._context.first_published.is_set():
            return
        if self.all_acknowledged and not self._context.refusals.includes_state:
            self._context.first_published.set()

    def _topics_of(self, room_id: str) -> Iterable[str]:
        return self._context.topics.statement_topics(room_id, plain=self._context.plain)

    def _start_room(self, statement: Statement) -> Sequence[Message]:
        messages = self._messages_of(statement)
        if self._initial:
            self._initial.start_room(statement.room.id, (message.topic for message in messages))
        return messages

    def _not_idle(self) -> None:
        self.drained.clear()
        self._context.idle.clear()

    def _check_idle(self) -> None:
        if self._initial_queued and not self._active and not self._held and not self._outbox.pressing:
            self.drained.set()
            if not self._context.refusals.includes_state:
                self._context.idle.set()

    def _settle(self, message: Message) -> None:
        """A message was acknowledged, left out or has expired."""
        if not message.payload and message.topic not in self._context.refusals:
            self._context.retained_rooms.cleared(message.topic)
        if self._initial:
            self._initial.acknowledge(message.topic)
        if not self._context.first_published.is_set():
            self.check_first_published()
        if not self._active and not self._outbox.pressing:
            self._check_idle()
