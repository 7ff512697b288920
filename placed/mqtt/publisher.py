"""The publisher's life: connect, say everything, go on saying what is new, and come back when it was cut off.

The board always knows what is true now, so nothing is kept for a broker that is away: with every
connection the outbox begins empty and is filled from the board.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import aiomqtt
import structlog

from placed.domain.delivery import Refused
from placed.domain.exit_errors import CannotStart, TakenOver
from placed.domain.liveness import Pulse
from placed.domain.problems import Problem
from placed.mqtt.backoff import Backoff
from placed.mqtt.client_factory import ClientFactory
from placed.mqtt.disconnect_causes import DisconnectCauses
from placed.mqtt.discovery.home_assistant import Discovery
from placed.mqtt.errors import BrokerLost, Trouble, why_lost
from placed.mqtt.messages import Message, offline
from placed.mqtt.refused_topics import Refusals
from placed.mqtt.retained_rooms import RetainedRooms
from placed.mqtt.session import Session
from placed.mqtt.session_context import SILENCE, Counters, SessionContext, Timing
from placed.mqtt.takeover import ReplacedByAnother, is_takeover
from placed.mqtt.topics import Topics
from placed.settings.schema import HomeAssistant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.delivery import Undelivered
    from placed.domain.room_events import Event
    from placed.domain.state_document import Statement
    from placed.mqtt.client import BrokerClient
    from placed.mqtt.disconnect_causes import SentMessage
    from placed.mqtt.messages import BridgeInfo
    from placed.settings.schema import Mqtt

_USUAL = Timing()
_UNTOLD = HomeAssistant()
_log = structlog.get_logger()


class _Leave(Enum):
    """How we part with the broker at the end."""

    OFFLINE = auto()  # it is said
    SILENTLY = auto()
    WILL = auto()  # it is said later, unless we are back


class Publisher:
    """Tells the broker what the board says. A listener of the board.

    Args:
        settings: the table `[mqtt]`.
        board: what is told, and who tells what is new.
        now: the clock on the wall.
        info: what it can not know by itself.
        home_assistant: the table `[home_assistant]`.
        login: what `login_options` gave, if it was asked already.
        timing: how often it speaks by itself.
        pulse: shows that it gets on.
        patient: tries again also where the first login is refused, instead of giving up.

    Raises:
        CannotStart: files that the settings name can not be used.
    """

    def __init__(  # noqa: PLR0913 - it is made once, in the daemon, of all that it has to know
        self,
        settings: Mqtt,
        board: Board,
        *,
        now: Callable[[], datetime],
        info: BridgeInfo,
        home_assistant: HomeAssistant = _UNTOLD,
        login: dict[str, Any] | None = None,
        timing: Timing = _USUAL,
        pulse: Pulse | None = None,
        patient: bool = False,
    ) -> None:
        self._patient = patient
        self.counters = Counters()
        self.first_published = asyncio.Event()
        self._idle = asyncio.Event()
        self._leave = _Leave.OFFLINE
        self.connected_since: datetime | None = None
        self._trouble: Trouble | None = None
        self._blamed = False  # a message, for the end of the last connection
        self._session: Session | None = None
        topics = Topics.of(settings, home_assistant)
        self._retained_rooms = RetainedRooms(topics, home_assistant.discovery_prefix)
        self._refusals = Refusals(topics, random.random)
        self._disconnect_causes = DisconnectCauses(topics.pattern_of)
        instance = secrets.token_hex(4)
        self._offline = offline(topics, board.epoch, instance)
        self._broker = ClientFactory(settings, self._offline, timing.will_delay, login)
        self._timing = timing
        self._now = now
        self._context = SessionContext(
            client_factory=self._broker,
            board=board,
            topics=topics,
            info=info,
            plain=settings.plain_topics,
            now=now,
            timing=timing,
            retained_rooms=self._retained_rooms,
            discovery=Discovery(topics, info, home_assistant.status_topic) if topics.discovery else None,
            counters=self.counters,
            refusals=self._refusals,
            disconnect_causes=self._disconnect_causes,
            delivery_changed=asyncio.Event(),
            first_published=self.first_published,
            instance=instance,
            idle=self._idle,
            pulse=pulse or Pulse("publisher"),
        )

    # --- for health and metrics ---

    @property
    def configured(self) -> bool:
        """There is a broker to publish to."""
        return True

    @property
    def messages_published(self) -> int:
        """Messages that the broker took."""
        return self.counters.published

    @property
    def messages_refused(self) -> Mapping[str, int]:
        """Messages that it did not take, or was not sent for that, by reason; each reason is there."""
        return {reason.value: self._refusals.counted[reason] for reason in Refused}

    @property
    def undelivered(self) -> tuple[Undelivered, ...]:
        """On which topics the broker does not hold what is true, and what to do about it."""
        return self._refusals.undelivered

    @property
    def all_acknowledged(self) -> bool:
        """Whether the broker has answered to everything that is published first over a connection.

        Not while it owes an answer to a later state for some seconds, either.
        """
        session = self._session
        return session is not None and session.all_acknowledged and not session.overdue

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in."""
        return self._session is not None

    @property
    def was_connected(self) -> bool:
        """Whether the broker has ever let us in."""
        return self.counters.connections > 0

    @property
    def reconnects(self) -> int:
        """How often a connection was made again."""
        return max(0, self.counters.connections - 1)

    @property
    def waiting(self) -> int:
        """How many messages and rooms wait for their turn."""
        return self._session.waiting if self._session else 0

    @property
    def last_error(self) -> str | None:
        """What is wrong now, in a short text without secrets."""
        if self._session is None and self._trouble is not None:
            return self._trouble.problem.text
        undelivered = self._refusals.undelivered
        return f"{undelivered[0].problem}; {undelivered[0].remedy}" if undelivered else None

    async def published(self) -> None:
        """Waits until the broker has taken every state that is known now, and answered to all else."""
        await self.first_published.wait()
        await self._idle.wait()

    def stop_without_offline(self) -> None:
        """At the end says nothing: another publisher follows at once with the same client id."""
        self._leave = _Leave.SILENTLY

    def stop_with_will(self) -> None:
        """At the end leaves it to the will to say `offline`: the program is about to be started again.

        The will comes after its delay, and not at all if we are back by then. MQTT 3.1.1 knows no delay, so
        there `offline` is said as ever.
        """
        if self._broker.v5:
            self._leave = _Leave.WILL

    # --- what the board tells ---

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        """A room has a new statement. Events are for those who listen now, so without a broker for nobody."""
        self._retained_rooms.room_present(statement.room.id)
        if self._session:
            self._session.stated(statement, urgent=urgent, events=events)

    def rooms_changed(self, removed: frozenset[str]) -> None:
        """Rooms were added, removed or renamed."""
        board = self._context.board
        gone = sorted(room_id for room_id in removed if board.statement(room_id) is None)
        topics = self._retained_rooms.rooms_removed(gone)
        if self._session:
            self._session.rooms_changed(gone, topics)

    def health_changed(self, health: ConnectionHealth) -> None:
        """A connection's health was told."""
        if self._session:
            self._session.health_changed(health)

    # --- its life ---

    async def run(self) -> None:
        """Publishes until it is cancelled; then it says `offline` and leaves.

        Raises:
            CannotStart: the first connection was refused for what only a person can mend.
            TakenOver: another client has connected with our client id.
        """
        loop, timing = asyncio.get_running_loop(), self._timing
        patience = Backoff(timing.first_pause, timing.longest_pause, random.random)
        while True:
            self._blamed = False
            began = None
            self._context.pulse.expect(SILENCE)
            try:
                async with self._broker.connect() as connection:
                    began = loop.time()
                    await self._serve(connection)
            except BrokerLost as lost:
                self._note(lost.trouble)
            if self._blamed or (began is not None and loop.time() - began > timing.stable_after):
                patience.restore()
            await asyncio.sleep(patience.pause())

    async def _serve(self, connection: BrokerClient) -> None:
        """One connection, from the first message until it is lost."""
        self._session = session = Session(self._context, connection)
        self.connected_since = self._now()
        self.counters.connections += 1
        self._trouble = None
        _log.info("broker.connected", broker=self._broker.address, connections=self.counters.connections)
        # A task of its own, since a task group that fails while it is cancelled tells only of one of both.
        serving = asyncio.create_task(session.serve())
        try:
            await asyncio.wait([serving])
        except asyncio.CancelledError:
            serving.cancel()
            # Before Python 3.12 a task may lose its cancellation: it then ends with the connection.
            await asyncio.wait([serving], timeout=self._timing.stop_timeout)
            serving.cancel()
            await self._take_leave(connection)
            raise
        finally:
            self._session = None
            self._idle.clear()
            self.connected_since = None
            error = None if serving.cancelled() or not serving.done() else serving.exception()
        if isinstance(error, BaseExceptionGroup):
            lost, bugs = error.split(aiomqtt.MqttError)
            if lost is not None and bugs is None:
                self._note_lost(_most_telling(lost))
                # What is blamed is left out over the next connection, so that may be at once.
                blamed = self._disconnect_causes.disconnected(
                    session.outstanding, finished=session.all_acknowledged, loaded=session.loaded
                )
                self._blame(blamed)
                return
        await self._take_leave(connection)
        raise error or RuntimeError("a session that ends by itself")

    def _blame(self, message: SentMessage | None) -> None:
        """A message ended the connection: it is left out over the next one, and is named at once."""
        self._blamed = message is not None
        if message is not None:
            self._refusals.add(
                Message(message.topic, b""),
                Refused.CONNECTION_ENDED,
                f"{message.size} bytes",
                number=self.counters.number,
                size=message.size,
                wall=self._now(),
                steady=asyncio.get_running_loop().time(),
                repeat=False,
            )
            self._context.delivery_changed.set()

    def _note_lost(self, error: BaseException) -> None:
        if is_takeover(error):
            text = (
                f"{self._broker.address}: another client has connected with our client id "
                f"{self._broker.client_id!r}"
            )
            remedy = "stop the other one, or set mqtt.client_id or mqtt.base_topic"
            raise TakenOver(Problem("mqtt.client_id", text, remedy)) from error
        self._note(why_lost(error))

    async def _take_leave(self, connection: BrokerClient) -> None:
        if self._leave is _Leave.SILENTLY:
            return
        with suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(self._timing.stop_timeout):
                if self._leave is _Leave.WILL:
                    await connection.disconnect_with_will()
                else:
                    await self._broker.publish(connection, self._offline, None)
        _log.info("broker.was_left", broker=self._broker.address)

    def _note(self, trouble: Trouble) -> None:
        """Logs trouble when it begins, and when a person turns out to be needed."""
        problem = trouble.problem
        if problem.lasting and not self.counters.connections and not self._patient:
            raise CannotStart(trouble.at(self._broker.address))
        before, self._trouble = self._trouble, trouble
        if before is None or (problem.remedy and trouble.event != before.event):
            _log.warning(
                trouble.event,
                broker=self._broker.address,
                problem=problem.text,
                remedy=problem.remedy or None,
            )


def _most_telling(group: BaseExceptionGroup[aiomqtt.MqttError]) -> BaseException:
    """The error that tells most: one that has the disconnect for its cause, if there is one."""
    errors: list[BaseException] = []
    waiting: list[BaseException] = [group]
    while waiting:
        error = waiting.pop(0)
        if isinstance(error, BaseExceptionGroup):
            waiting.extend(error.exceptions)
        else:
            errors.append(error)
    return next((e for e in errors if isinstance(e, ReplacedByAnother) or e.__cause__ is not None), errors[0])
