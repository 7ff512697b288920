"""The daemon: start, serve, stop, and the change to other settings while it serves."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import structlog

from placed.actions.connection_actions import check_in_rules
from placed.board.edge_timer import AT_ONCE
from placed.board.status_log import StatusLog
from placed.domain.corrected_clock import CorrectedClock, ServiceTimes
from placed.domain.exit_errors import CannotStart, TakenOver
from placed.runtime.connections import take_over_sign_ins
from placed.runtime.daemon_parts import DaemonParts
from placed.runtime.endpoint import report_certificate
from placed.runtime.prepared_configuration import Prepared
from placed.runtime.replaceable_tasks import ReplaceableTasks
from placed.runtime.status_line import StatusLine
from placed.runtime.systemd import show_life

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.domain.clock import Clock
    from placed.http.server import StatusServer
    from placed.mqtt.publisher import Publisher
    from placed.polling.poller import Poller
    from placed.runtime.current_publisher import NoBroker
    from placed.runtime.systemd import Supervisor
    from placed.settings.loader import Configuration
    from placed.settings.schema import Settings
    from placed.store import Journal

# Seconds after which a start counts as done, whatever the network does. The whole start has to end within
# 20 s, and a machine with much to do at its boot may take ten to import the program.
READY_WITHIN = 10.0
_USUAL_IMPORT = 6.0  # seconds; what it takes longer is taken from these ten
_AT_LEAST = 1.0  # seconds that are left, in which a broker that is there gets the first states
LAST_NOTES = 10.0  # seconds to write the journal at the end: an overloaded machine may need them

log = structlog.get_logger("placed.runtime.daemon")


@dataclass(slots=True)
class DaemonSurroundings:
    """What the daemon is given by the machine and by the command."""

    clock: Clock
    supervisor: Supervisor
    journal: Journal
    version: str
    times: ServiceTimes = field(default_factory=ServiceTimes)  # what services reported
    progress: Callable[[int, int], None] = field(default=lambda _done, _all: None)  # of the first round
    ready_within: float = READY_WITHIN
    imported_within: float = 0.0  # seconds from the start of the process until now
    announce: Callable[[Daemon], None] = field(default=lambda _daemon: None)  # called when all is up

    @property
    def seconds_to_be_ready(self) -> float:
        """How long the start may wait for the network."""
        late = max(0.0, self.imported_within - _USUAL_IMPORT)
        return max(self.ready_within - late, min(self.ready_within, _AT_LEAST))


class Daemon:
    """One life of the program.

    Making one reads the files that the settings name, and touches no network.

    Args:
        configuration: what it runs with.
        surroundings: what the daemon is given.

    Raises:
        CannotStart: only a person can fix it.
    """

    def __init__(self, configuration: Configuration, surroundings: DaemonSurroundings) -> None:
        self._surroundings = surroundings
        self._clock = CorrectedClock(surroundings.clock, surroundings.times)
        self.prepared = prepared = Prepared.of(configuration, self._clock, surroundings.version, {})
        self._earlier: Prepared | None = None  # what it ran with before the last change
        self._parts = parts = DaemonParts(prepared, self._clock, surroundings.journal, surroundings.version)
        self.board, self.connections, self.sensors = parts.board, parts.connections, parts.sensors
        self.actions = parts.actions
        self.status = StatusLine(surroundings.supervisor, self.pollers, lambda: parts.publisher, self._clock)
        self._tasks = ReplaceableTasks(self._shows_that_a_change_failed)
        self._all_recalled = False
        self.serving = asyncio.Event()
        self.is_ready = False

    @property
    def settings(self) -> Settings:
        """What it runs with."""
        return self.prepared.settings

    @property
    def pollers(self) -> list[Poller]:
        """The poller of every connection."""
        return self.connections.pollers

    @property
    def publisher(self) -> Publisher | NoBroker:
        """The publisher that is used now."""
        return self._parts.publisher.now

    @property
    def server(self) -> StatusServer | None:
        """The server of the status endpoint, if that is on."""
        return self._parts.endpoint.server

    # --- its life ---

    async def run(self, stop: asyncio.Event) -> None:
        """Lives until `stop` is set.

        Raises:
            CannotStart: only a person can fix it.
        """
        try:
            await self.start()
            await self.serve(stop)
        finally:
            await self.stop()
        log.info("daemon.stopped")

    async def start(self) -> None:
        """Takes the address, recalls what the run before knew, and answers over HTTP."""
        sockets = await self._parts.endpoint.bind()
        self._parts.book.share_out(self.settings.connections)
        self._keep_to_settings()
        self._surroundings.journal.permit(self.settings.privacy.show)
        self.board.change_show_presence(self.settings.privacy.presence)
        self.board.set_check_in_rules(check_in_rules(self.settings.connections))
        self._parts.actions.restore()
        self._parts.no_shows.begin(self.settings)
        self._clock.news = self._follow_services()
        self._parts.edge_timer.was_set = self.connections.hurry
        self._parts.edge_timer.became_known = self.connections.read_again
        self.board.listeners.append(StatusLog())
        self.sensors.enroll()
        self._all_recalled = self.connections.recall(believable=self._clock.believable)
        await self._parts.endpoint.start(sockets)
        if self.prepared.listen is not None and self._clock.believable:
            report_certificate(self.prepared.listen, self._clock.now())

    async def serve(self, stop: asyncio.Event) -> None:
        """Polls and publishes until `stop` is set."""
        supervisor = self._surroundings.supervisor
        async with self._tasks as tasks:
            self.connections.start(tasks, self._surroundings.progress)
            self._parts.publisher.start(tasks, self.settings)
            self._parts.commands.start(self.prepared, tasks)
            self.sensors.start(tasks)
            tasks.begin("edge timer", self._parts.edge_timer.run)
            tasks.begin("actions", self._parts.actions.run)
            self._parts.no_shows.start(tasks)
            tasks.begin("store writer", self._parts.store_writer.run)
            tasks.begin("status", self.status.run)
            tasks.begin("readiness", self._report_when_ready)
            tasks.begin("watchdog", partial(show_life, supervisor, self._parts.heartbeats, self._clock))
            self.serving.set()
            await stop.wait()
            supervisor.stopping()
            tasks.cancel()

    async def stop(self) -> None:
        """Writes the journal, and closes what is open."""
        if self.serving.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_NOTES):
                    await self._parts.store_writer.write_all()
        self._parts.no_shows.close()
        await self._parts.actions.close()
        await self._parts.endpoint.stop()
        await self.connections.close()

    def pause(self) -> None:
        """The program ends to be started again at once: panels are to notice nothing."""
        self.publisher.stop_with_will()

    # --- other settings ---

    def prepare(self, configuration: Configuration) -> Prepared:
        """Reads the files of another configuration, and opens the connections that would change.

        A connection that is not read now counts as changed: a reload has it tried again at once.

        Raises:
            CannotStart: the files are invalid.
        """
        return Prepared.of(configuration, self._clock, self._surroundings.version, self.connections.read)

    async def change(self, to: Prepared, *, patient: bool = False) -> None:
        """Takes up another configuration: starts, stops and changes what differs, and nothing else.

        Args:
            to: made by `prepare`.
            patient: whether a refusal by the broker or a calendar service is waited out from now on.

        Raises:
            CannotStart: the endpoint cannot listen there; everything is as it was.
        """
        before, version = self.prepared, self._surroundings.version
        try:
            await self._parts.endpoint.change(before, to)
            if self._earlier is None or self.proven:
                self._earlier = None if patient else before
            self.prepared, self._all_recalled = to, False
            self._change_rules(before.settings, to.settings)
            self._parts.book.share_out(to.settings.connections)
            await self.connections.change(
                before.settings, to, self._tasks, patient=patient, believable=self._clock.believable
            )
            self._keep_to_settings()
            await self.sensors.change(to.sensors, self._tasks)
            await self._parts.publisher.change(before, to, self._tasks, version=version, patient=patient)
            await self._parts.commands.change(to, self._tasks)
            self._parts.no_shows.change(to.settings)
            self.status.refused_reload = None
        finally:
            await self._tasks.end("readiness")
            self._tasks.begin("readiness", self._report_when_ready)

    async def refused(self) -> CannotStart:
        """Waits for what shows that the last change of the settings does not work; then `go_back` is next."""
        return await self._tasks.refused.get()

    async def go_back(self) -> None:
        """Takes up the configuration before the last change again, as its files were read then.

        Raises:
            CannotStart: that is not possible.
        """
        while not self._tasks.refused.empty():  # one is enough
            self._tasks.refused.get_nowait()
        earlier, self._earlier = self._earlier, None
        if earlier is not None:
            running = self.connections.by_name
            origins = {name: connection.origin for name, connection in running.items()}
            again = earlier.again(self._clock, self._surroundings.version, origins)
            take_over_sign_ins(again.drivers, {name: c.driver for name, c in running.items()})
            await self.change(again, patient=True)

    @property
    def proven(self) -> bool:
        """Whether a calendar service and the broker, if there is one, have let it in."""
        publisher = self.publisher
        return self.connections.let_in.is_set() and (not publisher.configured or publisher.was_connected)

    def _shows_that_a_change_failed(self, error: CannotStart) -> bool:
        return not isinstance(error, TakenOver) and self._earlier is not None and not self.proven

    def _change_rules(self, before: Settings, to: Settings) -> None:
        self.board.set_check_in_rules(check_in_rules(to.connections))
        if before.rooms != to.rooms:
            self._parts.book.change(to.rooms)
        if before.policy != to.policy:
            self.board.change_policy(to.policy)
        if before.privacy != to.privacy:
            self.board.change_show(to.privacy.show)
            self.board.change_show_presence(to.privacy.presence)
            self._surroundings.journal.permit(to.privacy.show)

    def _keep_to_settings(self) -> None:
        """Forgets connections that are not in the settings, and notes what the next start has to know."""
        names = [connection.name for connection in self.settings.connections]
        self._parts.book.keep(names)
        self._surroundings.journal.keep(names)
        self._surroundings.times.keep(names)
        self._parts.remember()

    # --- what it reports ---

    async def _report_when_ready(self) -> None:
        """Once panels have what is true: what is remembered of the rooms, or was read. Or after some seconds.

        A service or a broker that is away must not keep the machine from finishing its start.
        """
        waits_for: dict[str, str] = {}
        try:
            async with asyncio.timeout(self._surroundings.seconds_to_be_ready):
                if not self._all_recalled:
                    await self.connections.let_in.wait()
                    await self._parts.edge_timer.not_doubted.wait()
                await self.publisher.published()
        except TimeoutError:
            waits_for = {"waits_for": self.status.text()}
        self.is_ready = True
        self.status.show()
        self._surroundings.supervisor.ready()
        log.info("daemon.became_ready", rooms=len(self.board.rooms), epoch=self.board.epoch, **waits_for)
        self._surroundings.announce(self)

    def _follow_services(self) -> Callable[[], None]:
        """What is done at once, from any thread, when a service has reported the time."""
        loop, thread = asyncio.get_running_loop(), threading.get_ident()

        def follow() -> None:
            if threading.get_ident() == thread:
                self._parts.edge_timer.check(AT_ONCE)
                return
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(self._parts.edge_timer.check, AT_ONCE)

        return follow
