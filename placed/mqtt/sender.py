"""Sends over one connection what waits in the outbox, and again what the broker refused."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

import aiomqtt
import structlog

from placed.domain.delivery import Refused
from placed.mqtt.disconnect_causes import SentMessage
from placed.mqtt.messages import clear, packet_size
from placed.mqtt.outbox import InitialPublication, Outbox
from placed.mqtt.refused_topics import TICK, reason_for
from placed.mqtt.session_context import SILENCE
from placed.mqtt.topics import Importance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from placed.domain.state_document import Statement
    from placed.mqtt.client import BrokerClient
    from placed.mqtt.messages import Message
    from placed.mqtt.refused_topics import Refusal
    from placed.mqtt.session_context import SessionContext

_LOAD = 32  # messages within `_LOADED` seconds, from which a broker may end the connection for their number
_LOADED = 5.0
_OVERDUE = 3.0  # seconds without an answer to a state, after which panels may show an older one
_log = structlog.get_logger()


class MakeAgain(Protocol):
    """Makes the messages that are true now for a topic, after one that clears it where that is wanted."""

    def __call__(self, topic: str, *, cleared: bool) -> Iterable[Message]:
        """Nothing if there is nothing to be said there."""
        ...


class Sender:
    """One connection's outbox, and the tasks that empty it.

    Args:
        context: of the session.
        connection: to the broker.
        write_up: makes the messages of a statement, when its turn comes.
        make_again: makes what is true now for a topic.
        reported: called when something is refused, or all is taken again.
    """

    def __init__(
        self,
        context: SessionContext,
        connection: BrokerClient,
        write_up: Callable[[Statement], Iterable[Message]],
        make_again: MakeAgain,
        reported: Callable[[], None],
    ) -> None:
        self.drained = asyncio.Event()  # set while all but what clears topics is sent and acknowledged
        topics = context.topics
        self._context = context
        self._connection = connection
        self._write_up = write_up
        self._make_again = make_again
        self._reported = reported
        self._outbox = Outbox(self._have_turn, self._topics_of)
        self._filled = asyncio.Event()
        self._owed = InitialPublication((topics.bridge_info, topics.bridge_health, topics.rooms))
        self._all_owed = False
        self._sent: dict[int, SentMessage] = {}  # by number, until the broker has answered
        self._unanswered: dict[int, float] = {}  # of these, since when what readiness depends on waits
        self._lost: list[SentMessage] = []
        self._latest: deque[float] = deque(maxlen=_LOAD)  # when the latest messages were sent
        self._under_way = 0  # of these, what is not late
        self._alone = asyncio.Lock()  # held while a message is under way that has to be alone there
        self._pacing = asyncio.Lock()
        self._quiet = asyncio.Event()  # nothing is under way
        self._quiet.set()
        self._cleared: set[str] = set()  # topics of states that cannot be sent as they are
        self._refused = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many messages and rooms wait for their turn."""
        return len(self._outbox)

    @property
    def outstanding(self) -> list[SentMessage]:
        """What was sent and not acknowledged, in this order."""
        return self._lost or list(self._sent.values())

    @property
    def loaded(self) -> bool:
        """Whether so many messages were sent lately that the broker may have ended the connection for it."""
        return len(self._latest) == _LOAD and self._latest[-1] - self._latest[0] < _LOADED

    @property
    def all_acknowledged(self) -> bool:
        """Whether the broker has answered to everything that is published first over a connection."""
        return self._all_owed and not self._owed

    @property
    def overdue(self) -> bool:
        """Whether the broker has not answered to a state for so long that it counts as owed."""
        since = next(iter(self._unanswered.values()), None)
        return since is not None and asyncio.get_running_loop().time() - since > _OVERDUE

    # --- what is to be sent ---

    def put(self, messages: Iterable[Message], *, urgent: bool = False, late: bool = False) -> None:
        """Messages; what clears a topic, or is late, waits for all else."""
        disconnect_causes = self._context.disconnect_causes
        for message in messages:
            first = urgent or disconnect_causes.goes_first(message.topic)
            self._outbox.put(message, urgent=first, late=late)
            if self._outbox.pressing:
                self._not_idle()
        self._filled.set()

    def put_room(self, statement: Statement, *, urgent: bool = False) -> None:
        """All that is published of a room."""
        self._outbox.put_room(statement, urgent=urgent)
        self._not_idle()
        self._filled.set()

    def owe_room(self, statement: Statement) -> None:
        """The same, of what is published first over a connection."""
        self._owed.add_room(statement.room.id)
        self.put_room(statement)

    def all_is_owed(self) -> None:
        """Everything that is published first over a connection waits or is sent."""
        self._all_owed = True
        self._filled.set()  # there may be no room at all

    def drop_room(self, room_id: str) -> None:
        """A room is gone: what was to be sent of it is not."""
        self._outbox.drop_room(room_id)
        self._owed.drop_room(room_id)

    # --- the tasks ---

    async def run(self) -> None:
        """Sends one message after another; there are as many of it as messages may be under way."""
        while True:
            if pace := self._context.disconnect_causes.pace:
                async with self._pacing:
                    await asyncio.sleep(pace)
            await self._send_next()

    async def repeat(self) -> None:
        """Puts what was refused into the outbox again when it is time, and tries what was left out."""
        loop, refusals, disconnect_causes = (
            asyncio.get_running_loop(),
            self._context.refusals,
            self._context.disconnect_causes,
        )
        refusals.restart(loop.time())
        while True:
            if not refusals.waits() and not disconnect_causes.any:
                self._refused.clear()
                await self._refused.wait()
            await asyncio.sleep(TICK)
            for refusal in refusals.due(loop.time()):
                self._put_again(refusal)
            if disconnect_causes.any and self.all_acknowledged and not self._sent and not self.waiting:
                topic = disconnect_causes.trial(loop.time())
                if topic is not None and "+" not in topic:  # of events the next one is the trial
                    self._try(topic)

    async def report(self) -> None:
        """Logs what the broker refuses when that begins, and when it is over."""
        news = self._context.delivery_news
        try:
            while True:
                await news.wait()
                await asyncio.sleep(self._context.timing.calm)  # there may be more of the kind
                news.clear()
                self._report()
        finally:
            self._report()

    def _report(self) -> None:
        began, over = self._context.refusals.news()
        for group in began:
            _log.warning(
                "broker.refused_messages",
                topics=group.topics,
                reason=group.reason.value,
                problem=group.problem,
                remedy=group.remedy,
            )
        if began or over:
            self._reported()
        if over:
            _log.info("broker.takes_messages_again")

    async def publish(self, message: Message) -> None:
        """Publishes at once, and waits for the broker's answer.

        Raises:
            aiomqtt.MqttError: the connection was lost.
        """
        number, sent = self._number(), self._sent_of(message)
        reason = self._reason_to_leave_out(sent)
        if reason is None:
            if await self._transmit(message, sent, number):
                self._cleared.discard(message.topic)
            return
        most = self._connection.max_packet_size
        words = f"{sent.size} bytes"
        if reason is Refused.TOO_LARGE:
            words += f", and it takes {most} bytes at most"
        self._refuse(message, reason, words, number, sent.size, repeat=False)
        if message.payload:
            await self._clear_old_state(message.topic)

    async def _clear_old_state(self, topic: str) -> None:
        """Panels are to show nothing rather than an old state, where the new one cannot be sent."""
        if topic in self._cleared or self._context.topics.importance_of(topic) is not Importance.STATE:
            return
        empty = clear(topic)
        sent = self._sent_of(empty)
        if self._context.disconnect_causes.may_clear(topic, sent.size):
            self._cleared.add(topic)
            await self._transmit(empty, sent, self._number(), stands_in=True)

    def _reason_to_leave_out(self, sent: SentMessage) -> Refused | None:
        if self._connection.max_packet_size is not None and sent.size > self._connection.max_packet_size:
            return Refused.TOO_LARGE
        disconnect_causes = self._context.disconnect_causes
        return (
            Refused.CONNECTION_ENDED
            if disconnect_causes.any and disconnect_causes.leaves_out(sent.topic, sent.size)
            else None
        )

    def _sent_of(self, message: Message) -> SentMessage:
        topics = self._context.topics
        topic = message.topic if message.retain else topics.pattern_of(message.topic)
        return SentMessage(topic, packet_size(message, v5=self._context.client_factory.v5))

    def _number(self) -> int:
        """Of the message that is sent next."""
        self._context.counters.number += 1
        return self._context.counters.number

    # --- one message ---

    async def _send_next(self) -> None:
        """In a call of its own: who waits for a message holds none that was sent; an index has a megabyte."""
        message = await self._next()
        late = not message.payload
        self._under_way += not late
        try:
            if self._is_suspect(message):
                async with self._alone:
                    await self._quiet.wait()
                    await self.publish(message)
            else:
                await self.publish(message)  # without a wait before: what is chosen now goes out now
        finally:
            self._under_way -= not late
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
            self._note_idleness()
            self._filled.clear()
            await self._filled.wait()

    def _is_suspect(self, message: Message) -> bool:
        context = self._context
        if not context.disconnect_causes.any:
            return False
        topic = message.topic if message.retain else context.topics.pattern_of(message.topic)
        return context.disconnect_causes.suspected(topic)

    async def _transmit(
        self, message: Message, sent: SentMessage, number: int, *, stands_in: bool = False
    ) -> bool:
        """Whether the broker took it. Where it stands in for another, that one stays refused."""
        context, connection = self._context, self._connection
        self._sent[number] = sent
        self._quiet.clear()
        sent_at = asyncio.get_running_loop().time()
        self._latest.append(sent_at)
        if context.topics.importance_of(message.topic) is not Importance.OPTIONAL:
            self._unanswered[number] = sent_at
        try:
            code = await context.client_factory.publish(connection, message, message.expiry(context.now()))
        except aiomqtt.MqttError:
            self._lost = self._lost or list(self._sent.values())  # before others go on
            raise
        del self._sent[number]  # where the connection is lost it stays
        self._unanswered.pop(number, None)
        if not self._sent:
            self._quiet.set()
        context.pulse.expect(SILENCE)
        connection.refusals.clear()
        steady = asyncio.get_running_loop().time()
        if context.disconnect_causes.took(sent.topic, sent.size):
            context.refusals.hurry(Refused.CONNECTION_ENDED, steady)
            if "+" in sent.topic:
                context.refusals.drop(sent.topic)
                context.delivery_news.set()
        if code is None:
            context.counters.published += 1
            if not stands_in and context.refusals.took(message, number, steady):
                context.delivery_news.set()
            return True
        if not stands_in:
            words = f"{code} (0x{code.value:02x})"
            self._refuse(message, reason_for(code.value), words, number, sent.size, repeat=True)
        return False

    def _refuse(  # noqa: PLR0913 - what is known of it
        self, message: Message, reason: Refused, words: str, number: int, size: int, *, repeat: bool
    ) -> None:
        context = self._context
        context.refusals.refuse(
            message,
            reason,
            words,
            number=number,
            size=size,
            wall=context.now(),
            steady=asyncio.get_running_loop().time(),
            repeat=repeat,
        )
        self._refused.set()
        context.delivery_news.set()

    def _put_again(self, refusal: Refusal) -> None:
        """What is true now for the topic, or the event if it still is one."""
        context, topic, now = self._context, refusal.topic, self._context.now()
        if "+" in topic:  # of events the next one is the trial
            return
        if refusal.event is not None:
            again = [refusal.event]
        else:
            again = list(self._make_again(topic, cleared=refusal.clears))
        again = [message for message in again if not message.expired(now)]
        urgent = context.topics.importance_of(topic) is not Importance.OPTIONAL
        if not again:
            context.refusals.drop(refusal.key)
            context.delivery_news.set()
            self._note_first_published()
        elif refusal.clears:
            self._outbox.put_row(again)
        self.put([] if refusal.clears else again, urgent=urgent)

    def _try(self, topic: str) -> None:
        """What is left out, once."""
        again = list(self._make_again(topic, cleared=False))
        if not again:
            self._context.disconnect_causes.forget(topic)
        self.put(again, urgent=True)

    # --- small parts ---

    def _topics_of(self, room_id: str) -> Iterable[str]:
        return self._context.topics.told(room_id, plain=self._context.plain)

    def _have_turn(self, statement: Statement) -> Iterator[Message]:
        """A room's turn has come."""
        messages = list(self._write_up(statement))
        self._owed.turn(statement.room.id, (message.topic for message in messages))
        return iter(messages)

    def _not_idle(self) -> None:
        self.drained.clear()
        self._context.idle.clear()

    def _note_idleness(self) -> None:
        if self._all_owed and not self._under_way and not self._outbox.pressing:
            self.drained.set()
            if not self._context.refusals.owes_required:
                self._context.idle.set()

    def _settle(self, message: Message) -> None:
        if not message.payload and message.topic not in self._context.refusals:
            self._context.retained_rooms.cleared(message.topic)
        self._owed.settle(message.topic)
        self._note_first_published()
        if not self._outbox.pressing:
            self._note_idleness()

    def _note_first_published(self) -> None:
        if self.all_acknowledged and not self._context.refusals.owes_required:
            self._context.first_published.set()
