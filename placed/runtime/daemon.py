"""Start, run, stop: the only place where the parts are put together."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import structlog

from placed.board.board import Board
from placed.board.edge_timer import AT_ONCE, EdgeTimer
from placed.board.status_log import StatusLog
from placed.domain.connection_health import ConnectionState
from placed.domain.corrected_clock import CorrectedClock, ServiceTimes
from placed.domain.exit_errors import CannotStart
from placed.domain.liveness import Pulse
from placed.driver import Refused
from placed.http.listen import ListenOptions, bind_sockets
from placed.http.server import StatusServer
from placed.mqtt.client_options import Login
from placed.mqtt.messages import BridgeInfo
from placed.mqtt.publisher import Publisher
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed.runtime.connections import Problems, breach, open_drivers, refusal, take_over_sign_ins
from placed.runtime.status_line import StatusLine
from placed.runtime.watchdog import show_life
from placed.store import Journal, Memory, StoreWriter, next_epoch

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence

    from placed.domain.clock import Clock
    from placed.domain.delivery import Undelivered
    from placed.driver import Driver
    from placed.runtime.systemd import Supervisor
    from placed.settings.loader import Configuration
    from placed.settings.schema import Settings

_LAST_WORDS = 10.0  # seconds for the broker to be told that a breach made everything unknown
READY_WITHIN = 15.0  # seconds after which a start counts as done, whatever the network does
_LAST_NOTES = 2.0  # seconds for the journal to be written at the end

log = structlog.get_logger("placed.runtime.daemon")


class NoBroker:
    """Stands for the publisher where no broker is configured. Does nothing."""

    configured = False
    connected = False
    last_error: str | None = None
    messages_published = 0
    messages_refused: Mapping[str, int] = MappingProxyType({})
    undelivered: Sequence[Undelivered] = ()
    all_acknowledged = True
    reconnects = 0
    was_connected = False

    async def run(self) -> None:
        """Nothing is published."""
        await asyncio.Event().wait()

    async def published(self) -> None:
        """There is nobody to wait for."""

    def stop_without_offline(self) -> None:
        """There is nobody to leave."""

    def stop_with_will(self) -> None:
        """There is nobody to leave."""


@dataclass(slots=True)
class Around:
    """What the daemon is given of the world around it."""

    clock: Clock
    supervisor: Supervisor
    journal: Journal
    version: str
    times: ServiceTimes = field(default_factory=ServiceTimes)  # what services reported; outlives a reload
    progress: Callable[[int, int], None] = field(default=lambda _done, _all: None)  # of the first round
    ready_within: float = READY_WITHIN
    announce: Callable[[Daemon], None] = field(default=lambda _daemon: None)  # called when all is up


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a daemon ran with before a reload, until what follows has proven itself."""

    configuration: Configuration
    login: Login | None


class Daemon:
    """One life of the program, from a configuration to its end.

    Making one reads the files that the settings name.

    Args:
        configuration: what it runs with.
        around: the world.
        login: of the broker, if it was read from its files before.
        patient: whether a refusal by the broker or a calendar service is waited out instead of ending the
            program, as it is once the daemon has run for a while.

    Raises:
        CannotStart: only a person can mend it.
    """

    def __init__(
        self,
        configuration: Configuration,
        around: Around,
        *,
        login: Login | None = None,
        patient: bool = False,
    ) -> None:
        settings = configuration.settings
        self.configuration = configuration
        self._patient = patient
        self.settings = settings
        self._around = around
        self._clock = CorrectedClock(around.clock, around.times)
        self._pulses: list[Pulse] = []
        remembered = around.journal.load()
        epoch = next_epoch(remembered, self._clock.now().timestamp())
        self._book = RoomIds(settings.rooms, remembered.room_ids, remembered.objects)
        self._book.keep(connection.name for connection in settings.connections)
        self.board = Board(
            settings.policy,
            settings.privacy.show,
            self._clock.now,
            epoch,
            believable=lambda: self._clock.believable,
        )
        self._edge_timer = EdgeTimer(self.board, self._clock, self._pulse("board"))
        self.is_ready = False
        self.publisher: Publisher | NoBroker = NoBroker()  # until there is one, see `_open_ways_out`
        self.server: StatusServer | None = None  # the same
        self._store_writer = StoreWriter(self.board, around.journal, self._clock)
        self._let_in = asyncio.Event()
        problems = Problems()
        with problems:
            drivers = open_drivers(configuration, self._clock, around.version)
        with problems:
            self.login = login or Login.of(settings.mqtt) if settings.mqtt else None
        with problems:
            self._listen_options = ListenOptions.of(settings.http) if settings.http.listen else None
        problems.tell()
        self.drivers: dict[str, Driver] = {
            connection.name: driver for connection, driver in zip(settings.connections, drivers, strict=True)
        }
        self.pollers = [
            Poller(
                connection=connection,
                driver=self.drivers[connection.name],
                board=self.board,
                book=self._book,
                polling=settings.polling,
                clock=self._clock,
                longest=settings.longest_interval,
                remember=self._remember,
                notes=around.journal.notes(connection, show=settings.privacy.show),
                pulse=self._pulse(f"poller of {connection.name}"),
            )
            for connection in settings.connections
        ]
        self.status = StatusLine(around.supervisor, self.pollers, lambda: self.publisher, self._clock)
        self.board.listeners.append(StatusLog())

    async def run(self, stop: asyncio.Event) -> None:
        """Lives until `stop` is set.

        Raises:
            CannotStart: only a person can mend it.
        """
        async with AsyncExitStack() as stack:
            for driver in self.drivers.values():
                stack.push_async_callback(driver.close)
            listeners: list[socket.socket] = []
            if self._listen_options is not None:
                listeners = await bind_sockets(self.settings.http.listen)
                stack.push_async_callback(self._close_endpoint, listeners)
            self._remember()
            self._around.journal.keep(connection.name for connection in self.settings.connections)
            self._around.times.keep([connection.name for connection in self.settings.connections])
            self._clock.news = self._follow_services()
            self._edge_timer.was_set = self._hurry
            self._around.journal.permit(self.settings.privacy.show)
            recalled = [poller.recall(believable=self._clock.believable) for poller in self.pollers]
            stack.push_async_callback(self._write_last_notes)
            await self._live(stop, listeners, all_recalled=all(recalled))
        log.info("daemon.stopped")

    @property
    def proven(self) -> bool:
        """Whether a calendar service and the broker, if there is one, have let it in."""
        return self._let_in.is_set() and (not self.publisher.configured or self.publisher.was_connected)

    @property
    def readable(self) -> frozenset[str]:
        """The names of the connections that are read now."""
        healths = (poller.health for poller in self.pollers)
        return frozenset(health.name for health in healths if health.state is ConnectionState.OK)

    def follow(self, before: Daemon) -> None:
        """Begins with the readings and the sign-ins of the daemon before it in this process."""
        self.board.take_over(before.board)
        take_over_sign_ins(self.drivers, before.drivers)

    def hand_over(self, following: Settings) -> None:
        """Another daemon follows in this process; where it speaks in our place, panels hear nothing of it."""
        if following.mqtt == self.settings.mqtt:
            self.publisher.stop_without_offline()

    def pause(self) -> None:
        """The program ends to be started again at once: panels are to hear nothing of it."""
        self.publisher.stop_with_will()

    def _hurry(self) -> None:
        for poller in self.pollers:
            poller.hurry()

    def _follow_services(self) -> Callable[[], None]:
        """What is done at once, from any thread, when a service has reported the time."""
        loop, thread = asyncio.get_running_loop(), threading.get_ident()

        def follow() -> None:
            if threading.get_ident() == thread:
                self._edge_timer.check(AT_ONCE)
                return
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._edge_timer.check, AT_ONCE)

        return follow

    def _remember(self) -> None:
        """Writes down what the next start has to know."""
        self._around.journal.save(Memory(self.board.epoch, *self._book.remembered))

    async def _write_last_notes(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_NOTES):
                await self._store_writer.write_all()

    # --- the parts ---

    def _pulse(self, name: str) -> Pulse:
        pulse = Pulse(name)
        self._pulses.append(pulse)
        return pulse

    async def _open_ways_out(self, listeners: list[socket.socket]) -> None:
        """Makes those who tell what the board says; they begin with all that it says already.

        What only a person can mend was found before; see `__init__` and `bind_sockets`.
        """
        self.publisher = self._make_publisher()
        self.server = self._make_server()
        if not isinstance(self.publisher, NoBroker):
            self.board.listeners.append(self.publisher)
        else:
            log.warning("mqtt.is_off", remedy="set mqtt.url")
            if self.settings.home_assistant.discovery:
                log.warning("home_assistant.is_not_told", remedy="set mqtt.url to the broker that it uses")
        if self.server is not None:
            self.board.listeners.append(self.server)
            await self.server.start(listeners)
            log.info("http.is_listening", url=self.server.url)
        else:
            log.warning("http.is_off", remedy='set http.listen, for example to "127.0.0.1:8620"')

    async def _close_endpoint(self, listeners: list[socket.socket]) -> None:
        if self.server is not None:
            await self.server.stop()
        for listener in listeners:
            listener.close()

    def _make_publisher(self) -> Publisher | NoBroker:
        if self.settings.mqtt is None:
            return NoBroker()
        return Publisher(
            self.settings.mqtt,
            self.board,
            now=self._clock.now,
            info=BridgeInfo.of(self.settings, self._around.version),
            home_assistant=self.settings.home_assistant,
            login=self.login.options if self.login else None,
            patient=self._patient,
            pulse=self._pulse("publisher"),
        )

    def _make_server(self) -> StatusServer | None:
        if self._listen_options is None:
            return None
        return StatusServer(
            self.settings.http,
            self.board,
            now=self._clock.now,
            publisher=self.publisher,
            version=self._around.version,
            options=self._listen_options,
            catch_up=self._edge_timer.catch_up,
        )

    # --- life ---

    async def _live(self, stop: asyncio.Event, listeners: list[socket.socket], *, all_recalled: bool) -> None:
        async with asyncio.TaskGroup() as group:
            asking = [
                group.create_task(self._poll(), name="pollers"),
                group.create_task(self._see_that_any_is_let_in(), name="first round"),
            ]
            await self._open_ways_out(listeners)
            tasks = [
                group.create_task(self._edge_timer.run(), name="edge_timer"),
                group.create_task(self.publisher.run(), name="publisher"),
                group.create_task(self._store_writer.run(), name="scribe"),
                group.create_task(self.status.run(), name="status"),
                group.create_task(self._tell_when_ready(all_recalled=all_recalled), name="readiness"),
                group.create_task(
                    show_life(self._around.supervisor, self._pulses, self._clock), name="watchdog"
                ),
                *asking,
            ]
            await stop.wait()
            self._around.supervisor.stopping()
            for task in tasks:
                task.cancel()

    async def _poll(self) -> None:
        """Polls every connection; ends only when there is none left that may be read."""
        async with asyncio.TaskGroup() as group:
            for poller in self.pollers:
                poller.progress = self._progress
                group.create_task(poller.run(), name=f"poller {poller.health.name}")
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await self.publisher.published()  # that everything is unknown now
        raise CannotStart(*(breach(poller.health.name, poller.health.fence) for poller in self.pollers))

    async def _see_that_any_is_let_in(self) -> None:
        """After the first round: where every connection is refused for good, only a person can help."""
        for poller in self.pollers:
            await poller.first.wait()
        for poller in self.pollers:
            poller.progress = None
        refused = [refusal(p.health.name, p.problem) for p in self.pollers if isinstance(p.problem, Refused)]
        if len(refused) == len(self.pollers) and not self._patient:
            raise CannotStart(*refused)
        self._let_in.set()

    async def _tell_when_ready(self, *, all_recalled: bool) -> None:
        """Once panels have what is true: what is remembered of the rooms, or was read. Or after some seconds.

        A service or a broker that is away must not keep the machine from finishing its start.
        """
        waits_for: dict[str, str] = {}
        try:
            async with asyncio.timeout(self._around.ready_within):
                if not all_recalled:
                    await self._let_in.wait()
                await self.publisher.published()
        except TimeoutError:
            waits_for = {"waits_for": self.status.text()}
        self.is_ready = True
        self.status.show()
        self._around.supervisor.ready()
        log.info("daemon.became_ready", rooms=len(self.board.rooms), epoch=self.board.epoch, **waits_for)
        self._around.announce(self)

    def _progress(self) -> None:
        done = sum(poller.answered for poller in self.pollers)
        self._around.progress(done, sum(poller.rooms for poller in self.pollers))
