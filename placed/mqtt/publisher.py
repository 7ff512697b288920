"""The publisher's life: connect, say everything, go on saying what is new, and come back when it was cut off.

The board always knows what is true now, so nothing is kept for a broker that is away: with every
connection the outbox begins empty and is filled from the board.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import aiomqtt
import structlog

from placed.errors import CannotStart, TakenOver
from placed.mqtt.broker import Broker
from placed.mqtt.leftovers import Leftovers
from placed.mqtt.messages import offline
from placed.mqtt.patience import Patience
from placed.mqtt.session import Session, Setup, Tally, Timing
from placed.mqtt.topics import Topics
from placed.mqtt.trouble import TAKEN_OVER, BrokerLost, Trouble, reason, why_lost

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.board import Board
    from placed.document import Statement
    from placed.events import Event
    from placed.health import ConnectionHealth
    from placed.mqtt.connection import Connection
    from placed.mqtt.messages import BridgeInfo
    from placed.settings import Mqtt

_USUAL = Timing()
_log = structlog.get_logger()


class Publisher:
    """Tells the broker what the board says. A listener of the board.

    Args:
        settings: the table `[mqtt]`.
        board: what is told, and who tells what is new.
        now: the clock on the wall.
        info: what it can not know by itself.
        timing: how often it speaks by itself.

    Raises:
        CannotStart: files that the settings name can not be used.
    """

    def __init__(
        self,
        settings: Mqtt,
        board: Board,
        *,
        now: Callable[[], datetime],
        info: BridgeInfo,
        timing: Timing = _USUAL,
    ) -> None:
        self.tally = Tally()
        self.first_published = asyncio.Event()
        self.connected_since: datetime | None = None
        self._trouble: Trouble | None = None
        self._session: Session | None = None
        self._leftovers = Leftovers(topics := Topics(settings.base_topic))
        self._offline = offline(topics, board.epoch)
        self._broker = Broker(settings, self._offline, timing.will_delay)
        self._timing = timing
        self._now = now
        self._setup = Setup(
            broker=self._broker,
            board=board,
            topics=topics,
            info=info,
            plain=settings.plain_topics,
            now=now,
            timing=timing,
            leftovers=self._leftovers,
            tally=self.tally,
            first_published=self.first_published,
        )

    # --- for health and metrics ---

    @property
    def connected(self) -> bool:
        """Whether the broker has let us in."""
        return self._session is not None

    @property
    def reconnects(self) -> int:
        """How often a connection was made again."""
        return max(0, self.tally.connections - 1)

    @property
    def waiting(self) -> int:
        """Messages that wait for their turn."""
        return self._session.waiting if self._session else 0

    @property
    def last_error(self) -> str | None:
        """What is wrong now, in a short text without secrets."""
        if self._session:
            return self._session.refused
        return self._trouble.text if self._trouble else None

    # --- what the board tells ---

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        """A room has a new statement. Events are for those who listen now, so without a broker for nobody."""
        self._leftovers.returned(statement.room.id)
        if self._session:
            self._session.stated(statement, urgent=urgent, events=events)

    def rooms_changed(self, removed: frozenset[str]) -> None:
        """Rooms were added, removed or renamed."""
        board = self._setup.board
        topics = self._leftovers.left(sorted(r for r in removed if board.statement(r) is None))
        if self._session:
            self._session.rooms_left(topics)
            self._session.rooms_changed()

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
        patience = Patience(timing.first_pause, timing.longest_pause, random.random)
        while True:
            began = None
            try:
                async with self._broker.connected() as connection:
                    began = loop.time()
                    await self._serve(connection)
            except BrokerLost as lost:
                self._note(lost.trouble)
            if began is not None and loop.time() - began > timing.steady:
                patience.restore()
            await asyncio.sleep(patience.pause())

    async def _serve(self, connection: Connection) -> None:
        """One connection, from the first message to its end, which is an error in any case."""
        self._session = Session(self._setup, connection)
        self.connected_since = self._now()
        self.tally.connections += 1
        self._trouble = None
        _log.info("broker.connected", broker=self._broker.address, connections=self.tally.connections)
        try:
            await self._session.serve()
        except asyncio.CancelledError:
            await self._take_leave(connection)
            raise
        except BaseExceptionGroup as group:
            lost, bugs = group.split(aiomqtt.MqttError)
            if bugs is not None:
                await self._take_leave(connection)
                raise
            self._judge(_first(lost))
        finally:
            self._session = None
            self.connected_since = None

    def _judge(self, error: BaseException) -> None:
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise asyncio.CancelledError  # a task group that has errors to tell forgets to tell this
        if TAKEN_OVER in (reason(error), reason(error.__cause__)):
            _log.error("broker.gave_our_place_away", broker=self._broker.address)
            raise TakenOver(
                f"mqtt.client_id: {self._broker.address}: another client has connected with our client id "
                f"{self._broker.client_id!r}; stop the other one, or set mqtt.client_id or mqtt.base_topic"
            ) from error
        raise BrokerLost(why_lost(error)) from error

    async def _take_leave(self, connection: Connection) -> None:
        with suppress(aiomqtt.MqttError, TimeoutError):
            async with asyncio.timeout(self._timing.goodbye):
                await self._broker.publish(connection, self._offline, None)
        _log.info("broker.was_left", broker=self._broker.address)

    def _note(self, trouble: Trouble) -> None:
        """Logs trouble when it begins, and when a person turns out to be needed."""
        if trouble.lasting and not self.tally.connections:
            raise CannotStart(f"mqtt.{trouble.key}: {self._broker.address}: {trouble.text}; {trouble.remedy}")
        before, self._trouble = self._trouble, trouble
        if before is None or (trouble.lasting and trouble.event != before.event):
            _log.warning(
                trouble.event, broker=self._broker.address, problem=trouble.text, remedy=trouble.remedy
            )


def _first(group: BaseExceptionGroup[aiomqtt.MqttError] | None) -> BaseException:
    """The error that tells most: one that has the disconnect for its cause, if there is one."""
    errors: list[BaseException] = []
    waiting: list[BaseException] = [group] if group else []
    while waiting:
        error = waiting.pop(0)
        if isinstance(error, BaseExceptionGroup):
            waiting.extend(error.exceptions)
        else:
            errors.append(error)
    return next((error for error in errors if error.__cause__ is not None), errors[0])
