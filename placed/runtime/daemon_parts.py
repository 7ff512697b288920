"""The parts of the daemon, made from a configuration: board, pollers, publisher, status endpoint and more."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from placed.actions.connection_actions import ConnectionActions
from placed.actions.service import ActionService
from placed.board.board import Board
from placed.board.edge_timer import EdgeTimer
from placed.board.judging_before_showing import CatchUp
from placed.domain.fence_result import UNTRIED
from placed.domain.task_heartbeat import TaskHeartbeat
from placed.http.server import StatusServer
from placed.mqtt.messages import BridgeInfo
from placed.mqtt.publisher import Publisher
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed.runtime.connections import Connection
from placed.runtime.current_commands import CurrentCommands
from placed.runtime.current_no_shows import CurrentNoShows
from placed.runtime.current_publisher import CurrentPublisher, NoBroker
from placed.runtime.current_sensors import CurrentSensors
from placed.runtime.endpoint import Endpoint
from placed.runtime.polled_connections import PolledConnections
from placed.runtime.writer_fence import WriterFence
from placed.store import Memory, PeriodicWriter, next_epoch
from placed.store.command_store import CommandStore

if TYPE_CHECKING:
    from placed.domain.corrected_clock import CorrectedClock
    from placed.runtime.prepared_configuration import Prepared
    from placed.store import Journal

_LAST_WORDS = 10.0  # seconds to publish that a breach made everything unknown


class DaemonParts:
    """Every part, connected with the others; none of them runs yet.

    Args:
        prepared: what they begin with.
        clock: the corrected clock.
        journal: what the run before knew, and where this one stores its state.
        version: of the program.

    Attributes:
        board: the board.
        book: the ids of the rooms.
        heartbeats: of all tasks.
        edge_timer: has the board judge its rooms in time.
        store_writer: copies the board to the store.
        connections: what is polled.
        actions: carries out what panels ask for.
        publisher: what publishes over MQTT.
        commands: what panels ask for over MQTT.
        sensors: the presence sensors.
        no_shows: judges meetings to which nobody checks in.
        endpoint: the status endpoint.
    """

    def __init__(self, prepared: Prepared, clock: CorrectedClock, journal: Journal, version: str) -> None:
        self._clock = clock
        self._journal = journal
        self._version = version
        settings, remembered = prepared.settings, journal.load()
        self._secret = journal.secret()
        self.book = RoomIds(settings.rooms, remembered.room_ids, remembered.objects)
        self.board = Board(
            settings.policy,
            settings.privacy.show,
            clock.now,
            next_epoch(remembered, clock.now().timestamp()),
            believable=lambda: clock.believable,
        )
        self.heartbeats: list[TaskHeartbeat] = []
        self.edge_timer = EdgeTimer(self.board, clock, self._heartbeat("board"))
        self._publisher_heartbeat = self._heartbeat("publisher")
        self.store_writer = PeriodicWriter(self.board, journal, clock)
        self.connections = PolledConnections(
            self._make_connection, self.board, self.heartbeats, prepared, self._publish_last_words
        )
        self.actions = ActionService(
            board=self.board,
            clock=clock,
            store=CommandStore(journal),
            connections=lambda: {name: c.actions for name, c in self.connections.by_name.items()},
            read_soon=self._read_soon,
            believable=lambda: clock.believable,
        )
        self.publisher = CurrentPublisher(self._make_publisher, self.board, prepared)
        self.sensors = CurrentSensors(self.board, clock.now, prepared.sensors)
        self.no_shows = CurrentNoShows(
            self.board,
            clock,
            journal,
            actions=self.actions,
            sensor_links=lambda: self.sensors.links,
            read_soon=self._read_soon,
        )
        self.commands = CurrentCommands(self.actions, self.board, self.no_shows)
        self.endpoint = Endpoint(self._make_server, self.board, prepared)

    def remember(self) -> None:
        """Stores the epoch and the ids of the rooms."""
        self._journal.save(Memory(self.board.epoch, *self.book.remembered))

    def _make_connection(self, name: str, prepared: Prepared) -> Connection:
        origin, driver, settings = prepared.origins[name], prepared.drivers[name], prepared.settings
        heartbeat = self._heartbeat(f"poller of {name}")
        poller = Poller(
            connection=origin.settings,
            driver=driver,
            board=self.board,
            book=self.book,
            polling=settings.polling,
            clock=self._clock,
            longest=settings.longest_interval,
            remember=self.remember,
            notes=self._journal.notes(origin.settings, show=settings.privacy.show),
            heartbeat=heartbeat,
        )
        writer = prepared.writers.get(name)
        fence = WriterFence(name, writer, self.board, self._clock) if writer is not None else None
        self.board.report_writer_fence(name, UNTRIED if writer is not None else None)
        actions = ConnectionActions(origin.settings, writer, fence)
        return Connection(origin, driver, poller, heartbeat, actions)

    def _read_soon(self, connection: str, room_id: str) -> None:
        polled = self.connections.by_name.get(connection)
        if polled is not None:
            polled.poller.read_soon(room_id)

    def _make_publisher(self, prepared: Prepared, patient: bool) -> Publisher | NoBroker:  # noqa: FBT001
        settings = prepared.settings
        if settings.mqtt is None:
            return NoBroker()
        return Publisher(
            settings.mqtt,
            self.board,
            now=self._clock.now,
            info=BridgeInfo.of(settings, self._version),
            home_assistant=settings.home_assistant,
            login=prepared.login.options if prepared.login else None,
            patient=patient,
            heartbeat=self._publisher_heartbeat,
        )

    def _make_server(self, prepared: Prepared) -> StatusServer | None:
        if prepared.listen is None:
            return None
        return StatusServer(
            prepared.settings.http,
            self.board,
            now=self._clock.now,
            publisher=self.publisher,
            version=self._version,
            options=prepared.listen,
            catch_up=CatchUp(self.board, self._clock.now, self.edge_timer.settle),
            webhooks=self.sensors,
            sensors=self.sensors,
            actions=self.actions,
            commands=lambda: self.actions.counts,
            command_messages=lambda: self.commands.unused,
            secret=self._secret,
            signs=self.no_shows,
            no_shows=self.no_shows,
        )

    async def _publish_last_words(self) -> None:
        """Waits until the broker knows that everything is unknown now, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                await self.publisher.now.published()

    def _heartbeat(self, name: str) -> TaskHeartbeat:
        heartbeat = TaskHeartbeat(name)
        self.heartbeats.append(heartbeat)
        return heartbeat
