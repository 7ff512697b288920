"""The MQTT publisher: connects, publishes everything, then every change, and reconnects when it was cut off.

The board always knows what is true now, so no message is kept for a broker that is away: over each new
connection everything is published again.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING

import structlog

from placed.domain.exit_errors import CannotStart, TakenOver
from placed.domain.mqtt_delivery_status import Refused
from placed.domain.problem import Problem
from placed.domain.task_heartbeat import TaskHeartbeat
from placed.mqtt.backoff import Backoff
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.connection_problems import BrokerLost, why_lost
from placed.mqtt.messages import Message, properties_of
from placed.mqtt.publisher_context import SILENCE, PublisherContext, Timing
from placed.mqtt.publisher_status import PublisherStatus
from placed.mqtt.session import Session
from placed.mqtt.takeover import is_takeover, most_specific
from placed.settings.output_settings import HomeAssistant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.calendar_event_detection import Event
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.state_document import Statement
    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.connection_problems import Trouble
    from placed.mqtt.messages import BridgeInfo
    from placed.mqtt.suspect_messages import SentMessage
    from placed.settings.output_settings import Mqtt

_DEFAULT_TIMING = Timing()
_NO_DISCOVERY = HomeAssistant()
_log = structlog.get_logger()


class _Stop(Enum):
    """How the publisher disconnects at the end."""

    OFFLINE = auto()  # `offline` is published
    WITHOUT_OFFLINE = auto()
    WITH_WILL = auto()  # the broker publishes `offline` after the will's delay, unless we are back


class Publisher(PublisherStatus):
    """Publishes to the broker what the board holds. A listener of the board.

    Args:
        settings: the table `[mqtt]`.
        board: what is published.
        now: the wall clock.
        info: what `bridge/info` contains besides.
        home_assistant: the table `[home_assistant]`.
        login: the result of `login_options`, if it was called before.
        timing: intervals and limits.
        heartbeat: the publisher's liveness, for the watchdog.
        patient: whether a refused first login is tried again instead of ending the program.

    Attributes:
        first_published: set when the broker has taken the first initial publication.

    Raises:
        CannotStart: files that the settings name cannot be used.
    """

    def __init__(  # noqa: PLR0913 - it is made once, in the daemon
        self,
        settings: Mqtt,
        board: Board,
        *,
        now: Callable[[], datetime],
        info: BridgeInfo,
        home_assistant: HomeAssistant = _NO_DISCOVERY,
        login: ConnectOptions | None = None,
        timing: Timing = _DEFAULT_TIMING,
        heartbeat: TaskHeartbeat | None = None,
        patient: bool = False,
    ) -> None:
        super().__init__(
            PublisherContext.of(
                settings,
                board,
                now=now,
                info=info,
                home_assistant=home_assistant,
                login=login,
                timing=timing,
                heartbeat=heartbeat or TaskHeartbeat("publisher"),
            )
        )
        self._client_factory = self._context.client_factory
        self._timing = timing
        self._patient = patient
        self._stop = _Stop.OFFLINE
        self._blamed = False  # whether a message is blamed for the end of the last connection
        self.first_published = self._context.first_published

    async def published(self) -> None:
        """Waits until the broker has taken every state that is known now, and acknowledged all messages."""
        await self.first_published.wait()
        await self._context.idle.wait()

    def stop_without_offline(self) -> None:
        """Publishes no `offline` at the end: another publisher follows at once with the same client id."""
        self._stop = _Stop.WITHOUT_OFFLINE

    def stop_with_will(self) -> None:
        """Has the will publish `offline` at the end: the program is about to be restarted.

        The broker publishes the will after its delay, and not at all if we are back by then. MQTT 3.1.1 has
        no delay, so there `offline` is published as usual.
        """
        if self._client_factory.v5:
            self._stop = _Stop.WITH_WILL

    # --- changes of the board ---

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        """A room has a new statement. Without a connection its events are dropped: nobody hears them."""
        self._context.retained_rooms.room_present(statement.room.id)
        if self._session:
            self._session.stated(statement, urgent=urgent, events=events)

    def rooms_changed(self, removed: frozenset[str]) -> None:
        """Rooms were added, removed or renamed."""
        board = self._context.board
        gone = sorted(room_id for room_id in removed if board.statement(room_id) is None)
        to_clear = self._context.retained_rooms.rooms_removed(gone)
        if self._session:
            self._session.rooms_changed(gone, to_clear)

    def health_changed(self, health: ConnectionHealth) -> None:
        """A connection reported its health."""
        if self._session:
            self._session.health_changed(health)

    def connection_removed(self, connection: str) -> None:
        """A connection is not in the settings any more."""
        if self._session:
            self._session.connection_removed(connection)

    def change_info(self, info: BridgeInfo) -> None:
        """Publishes other general information from now on; nothing else is repeated."""
        self._context.info = info
        if self._session:
            self._session.info_changed()

    # --- connecting and disconnecting ---

    async def run(self) -> None:
        """Publishes until it is cancelled; then publishes `offline` and disconnects.

        Raises:
            CannotStart: the first connection was refused for a reason that only a person can fix.
            TakenOver: another client has connected with our client id.
        """
        loop, timing = asyncio.get_running_loop(), self._timing
        backoff = Backoff(timing.first_pause, timing.longest_pause, random.random)
        while True:
            self._blamed = False
            began = None
            self._context.heartbeat.expect(SILENCE)
            try:
                async with self._client_factory.connect() as client:
                    began = loop.time()
                    await self._serve(client)
            except BrokerLost as lost:
                self._report(lost.trouble)
            if self._blamed or (began is not None and loop.time() - began > timing.stable_after):
                backoff.reset()
            await asyncio.sleep(backoff.next_pause())

    async def _serve(self, client: BrokerClient) -> None:
        """Runs the session of one connection until it is lost."""
        self._session = session = Session(self._context, client)
        self.counters.connections += 1
        self._trouble = None
        _log.info(
            "broker.connected", broker=self._client_factory.address, connections=self.counters.connections
        )
        # A task of its own: a task group that fails while it is cancelled reports only one of both.
        serving = asyncio.create_task(session.serve())
        try:
            await asyncio.wait([serving])
        except asyncio.CancelledError:
            serving.cancel()
            await asyncio.wait([serving], timeout=self._timing.stop_timeout)
            await self._disconnect(client)
            raise
        finally:
            self._session = None
            self._context.idle.clear()
            error = None if serving.cancelled() or not serving.done() else serving.exception()
        if isinstance(error, BaseExceptionGroup):
            lost, bugs = error.split(MqttError)
            if lost is not None and bugs is None:
                cause = most_specific(lost)
                self._report_lost(cause)
                # A blamed message is left out over the next connection, which may be made at once.
                blamed = self._context.disconnect_causes.disconnected(
                    session.outstanding if _may_be_about_a_message(cause) else (),
                    finished=session.all_acknowledged,
                    loaded=session.loaded,
                )
                self._blame(blamed)
                return
        await self._disconnect(client)
        raise error or RuntimeError("the session ended by itself")

    def _blame(self, message: SentMessage | None) -> None:
        """Reports the message that made the broker end the connection; it is left out over the next one."""
        self._blamed = message is not None
        if message is not None:
            self._context.refusals.add(
                Message(message.topic, b""),
                Refused.CONNECTION_ENDED,
                f"{message.size} bytes",
                number=self.counters.number,
                size=message.size,
                wall=self._context.now(),
                steady=asyncio.get_running_loop().time(),
                repeat=False,
            )
            self._context.delivery_changed.set()

    def _report_lost(self, error: BaseException) -> None:
        if is_takeover(error):
            text = (
                f"{self._client_factory.address}: another client has connected with our client id "
                f"{self._client_factory.client_id!r}"
            )
            remedy = "stop the other one, or set mqtt.client_id or mqtt.base_topic"
            raise TakenOver(Problem("mqtt.client_id", text, remedy)) from error
        self._report(why_lost(error))

    async def _disconnect(self, client: BrokerClient) -> None:
        if self._stop is _Stop.WITHOUT_OFFLINE:
            return
        with suppress(MqttError, TimeoutError):
            async with asyncio.timeout(self._timing.stop_timeout):
                if self._stop is _Stop.WITH_WILL:
                    await client.disconnect_with_will()
                else:
                    offline = self._context.offline
                    await client.publish(
                        offline.topic, offline.payload, retain=True, properties=properties_of(offline)
                    )
        _log.info("broker.was_left", broker=self._client_factory.address)

    def _report(self, trouble: Trouble) -> None:
        """Keeps the trouble, and logs it if it is news."""
        problem = trouble.problem
        if problem.lasting and not self.counters.connections and not self._patient:
            raise CannotStart(trouble.at(self._client_factory.address))
        before, self._trouble = self._trouble, trouble
        if trouble.is_news_after(before):
            _log.warning(
                trouble.event,
                broker=self._client_factory.address,
                problem=problem.text,
                remedy=problem.remedy or None,
            )


def _may_be_about_a_message(error: BaseException) -> bool:
    reason = error.reason if isinstance(error, MqttError) else None
    return reason is None or reason.may_be_about_a_message
