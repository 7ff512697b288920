"""Sends over one connection what waits in the outbox, and again what the broker refused."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

import aiomqtt
import structlog

from placed.domain.delivery import Refused
from placed.mqtt.disconnect_causes import Sent
from placed.mqtt.messages import clear, packet_size
from placed.mqtt.outbox import InitialPublication, Outbox
from placed.mqtt.refused_topics import TICK, reason_for
from placed.mqtt.session_context import SILENCE
from placed.mqtt.topics import Importance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from placed.domain.state_document import Statement
    from placed.mqtt.client import Connection
    from placed.mqtt.messages import Message
    from placed.mqtt.refused_topics import Refusal
    from placed.mqtt.session_context import Setup

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
        setup: of the session.
        connection: to the broker.
        write_up: makes the messages of a statement, when its turn comes.
        make_again: makes what is true now for a topic.
        reported: called when something is refused, or all is taken again.
    """

    def __init__(
        self,
        setup: Setup,
        connection: Connection,
        write_up: Callable[[Statement], Iterable[Message]],
        make_again: MakeAgain,
        reported: Callable[[], None],
    ) -> None:
        self.drained = asyncio.Event()  # set while all but what clears topics is sent and acknowledged
        topics = setup.topics
        self._setup = setup
        self._connection = connection
        self._write_up = write_up
        self._make_again = make_again
        self._reported = reported
        self._outbox = Outbox(self._have_turn, self._topics_of)
        self._filled = asyncio.Event()
        self._owed = InitialPublication((topics.bridge_info, topics.bridge_health, topics.rooms))
        self._all_owed = False
        self._sent: dict[int, Sent] = {}  # by number, until the broker has answered
        self._unanswered: dict[int, float] = {}  # of these, since when what readiness depends on waits
        self._lost: list[Sent] = []
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
    def outstanding(self) -> list[Sent]:
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
        hang_ups = self._setup.hang_ups
        for message in messages:
            first = urgent or hang_ups.goes_first(message.topic)
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
            if pace := self._setup.hang_ups.pace:
                async with self._pacing:
                    await asyncio.sleep(pace)
            await self._send_next()

    async def repeat(self) -> None:
        """Puts what was refused into the outbox again when it is time, and tries what was left out."""
        loop, refusals, hang_ups = asyncio.get_running_loop(), self._setup.refusals, self._setup.hang_ups
        refusals.restart(loop.time())
        while True:
            if not refusals.waits() and not hang_ups.any:
                self._refused.clear()
                await self._refused.wait()
            await asyncio.sleep(TICK)
            for refusal in refusals.due(loop.time()):
                self._put_again(refusal)
            if hang_ups.any and self.all_acknowledged and not self._sent and not self.waiting:
                topic = hang_ups.trial(loop.time())
                if topic is not None and "+" not in topic:  # of events the next one is the trial
                    self._try(topic)

    async def report(self) -> None:
        """Logs what the broker refuses when that begins, and when it is over."""
        news = self._setup.delivery_news
        try:
            while True:
                await news.wait()
                await asyncio.sleep(self._setup.timing.calm)  # there may be more of the kind
                news.clear()
                self._report()
        finally:
            self._report()

    def _report(self) -> None:
        began, over = self._setup.refusals.news()
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
        most = self._connection.largest
        words = f"{sent.size} bytes"
        if reason is Refused.TOO_LARGE:
            words += f", and it takes {most} bytes at most"
        self._refuse(message, reason, words, number, sent.size, repeat=False)
        if message.payload:
            await self._clear_old_state(message.topic)

    async def _clear_old_state(self, topic: str) -> None:
        """Panels are to show nothing rather than an old state, where the new one cannot be sent."""
        if topic in self._cleared or self._setup.topics.importance_of(topic) is not Importance.STATE:
            return
        empty = clear(topic)
        sent = self._sent_of(empty)
        if self._setup.hang_ups.may_clear(topic, sent.size):
            self._cleared.add(topic)
            await self._transmit(empty, sent, self._number(), stands_in=True)

    def _reason_to_leave_out(self, sent: Sent) -> Refused | None:
        if self._connection.largest is not None and sent.size > self._connection.largest:
            return Refused.TOO_LARGE
        hang_ups = self._setup.hang_ups
        return (
            Refused.CONNECTION_ENDED if hang_ups.any and hang_ups.leaves_out(sent.topic, sent.size) else None
        )

    def _sent_of(self, message: Message) -> Sent:
        topics = self._setup.topics
        topic = message.topic if message.retain else topics.pattern_of(message.topic)
        return Sent(topic, packet_size(message, v5=self._setup.broker.v5))

    def _number(self) -> int:
        """Of the message that is sent next."""
        self._setup.tally.number += 1
        return self._setup.tally.number

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
            message, outlived = self._outbox.take(self._setup.now())
            self._setup.tally.outlived += len(outlived)
            for old in outlived:
                self._settle(old)
            if message is not None:
                return message
            self._note_idleness()
            self._filled.clear()
            await self._filled.wait()

    def _is_suspect(self, message: Message) -> bool:
        setup = self._setup
        if not setup.hang_ups.any:
            return False
        topic = message.topic if message.retain else setup.topics.pattern_of(message.topic)
        return setup.hang_ups.suspected(topic)

    async def _transmit(self, message: Message, sent: Sent, number: int, *, stands_in: bool = False) -> bool:
        """Whether the broker took it. Where it stands in for another, that one stays refused."""
        setup, connection = self._setup, self._connection
        self._sent[number] = sent
        self._quiet.clear()
        sent_at = asyncio.get_running_loop().time()
        self._latest.append(sent_at)
        if setup.topics.importance_of(message.topic) is not Importance.OPTIONAL:
            self._unanswered[number] = sent_at
        try:
            code = await setup.broker.publish(connection, message, message.expiry(setup.now()))
        except aiomqtt.MqttError:
            self._lost = self._lost or list(self._sent.values())  # before others go on
            raise
        del self._sent[number]  # where the connection is lost it stays
        self._unanswered.pop(number, None)
        if not self._sent:
            self._quiet.set()
        setup.pulse.expect(SILENCE)
        connection.refusals.clear()
        steady = asyncio.get_running_loop().time()
        if setup.hang_ups.took(sent.topic, sent.size):
            setup.refusals.hurry(Refused.CONNECTION_ENDED, steady)
            if "+" in sent.topic:
                setup.refusals.drop(sent.topic)
                setup.delivery_news.set()
        if code is None:
            setup.tally.published += 1
            if not stands_in and setup.refusals.took(message, number, steady):
                setup.delivery_news.set()
            return True
        if not stands_in:
            words = f"{code} (0x{code.value:02x})"
            self._refuse(message, reason_for(code.value), words, number, sent.size, repeat=True)
        return False

    def _refuse(  # noqa: PLR0913 - what is known of it
        self, message: Message, reason: Refused, words: str, number: int, size: int, *, repeat: bool
    ) -> None:
        setup = self._setup
        setup.refusals.refuse(
            message,
            reason,
            words,
            number=number,
            size=size,
            wall=setup.now(),
            steady=asyncio.get_running_loop().time(),
            repeat=repeat,
        )
        self._refused.set()
        setup.delivery_news.set()

    def _put_again(self, refusal: Refusal) -> None:
        """What is true now for the topic, or the event if it still is one."""
        setup, topic, now = self._setup, refusal.topic, self._setup.now()
        if "+" in topic:  # of events the next one is the trial
            return
        if refusal.event is not None:
            again = [refusal.event]
        else:
            again = list(self._make_again(topic, cleared=refusal.clears))
        again = [message for message in again if not message.outlived(now)]
        urgent = setup.topics.importance_of(topic) is not Importance.OPTIONAL
        if not again:
            setup.refusals.drop(refusal.key)
            setup.delivery_news.set()
            self._note_first_published()
        elif refusal.clears:
            self._outbox.put_row(again)
        self.put([] if refusal.clears else again, urgent=urgent)

    def _try(self, topic: str) -> None:
        """What is left out, once."""
        again = list(self._make_again(topic, cleared=False))
        if not again:
            self._setup.hang_ups.forget(topic)
        self.put(again, urgent=True)

    # --- small parts ---

    def _topics_of(self, room_id: str) -> Iterable[str]:
        return self._setup.topics.told(room_id, plain=self._setup.plain)

    def _have_turn(self, statement: Statement) -> Iterator[Message]:
        """A room's turn has come."""
        messages = list(self._write_up(statement))
        self._owed.turn(statement.room.id, (message.topic for message in messages))
        return iter(messages)

    def _not_idle(self) -> None:
        self.drained.clear()
        self._setup.idle.clear()

    def _note_idleness(self) -> None:
        if self._all_owed and not self._under_way and not self._outbox.pressing:
            self.drained.set()
            if not self._setup.refusals.owes_required:
                self._setup.idle.set()

    def _settle(self, message: Message) -> None:
        if not message.payload and message.topic not in self._setup.refusals:
            self._setup.leftovers.cleared(message.topic)
        self._owed.settle(message.topic)
        self._note_first_published()
        if not self._outbox.pressing:
            self._note_idleness()

    def _note_first_published(self) -> None:
        if self.all_acknowledged and not self._setup.refusals.owes_required:
            self._setup.first_published.set()
