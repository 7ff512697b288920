"""Polls one connection: its rooms are found, its fence is checked, and the rooms that are due are read."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import structlog

from placed.board.room_entry import KnownRoom
from placed.domain.task_heartbeat import TaskHeartbeat
from placed.driver import DriverError, credential_expiry, shortest_interval
from placed.polling.connection_monitor import ConnectionMonitor, CredentialCheck
from placed.polling.connection_pause import SHORTEST, ConnectionPause
from placed.polling.fence_check import FenceCheck
from placed.polling.pace_log import PaceLog
from placed.polling.planner_factory import planner_for
from placed.polling.reading_round import RoundReader
from placed.polling.requested_readings import RequestedReadings
from placed.polling.room_discovery import RoomDiscovery
from placed.store.in_memory_connection_store import ConnectionMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from placed.board.board import Board
    from placed.domain.clock import Clock
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.model import Room
    from placed.driver import ConnectionSettings, Driver
    from placed.polling.reading_planner import ReadingPlanner
    from placed.polling.room_ids import RoomIds
    from placed.settings.polling_settings import Polling

# Seconds without an answer after which something must have got stuck. A service that is down is no such
# thing: whatever is asked of it fails within a minute, and a list of rooms has some pages.
_SILENCE = 600.0
_SOON = (1.5, 4.0, 10.0)  # seconds; `Date` has whole ones, and has to show another than before

log = structlog.get_logger("placed.polling.poller")


class Poller:
    """Polls one connection.

    Args:
        connection: its settings, as every driver has them.
        driver: the connection, opened.
        board: where readings go.
        book: gives the rooms their ids.
        polling: how often, how far ahead.
        clock: what time it is.
        longest: how seldom a room may be read where a budget is set; see `Settings.longest_interval`.
        remember: called when rooms were given ids.
        notes: the store of the connection, for the next start.
        heartbeat: reports liveness.
        jitter: a number from [0, 1), so that several daemons do not ask in step.
    """

    def __init__(  # noqa: PLR0913 - what polling needs
        self,
        *,
        connection: ConnectionSettings,
        driver: Driver,
        board: Board,
        book: RoomIds,
        polling: Polling,
        clock: Clock,
        longest: timedelta | None = None,
        remember: Callable[[], None] = lambda: None,
        notes: ConnectionMemory | None = None,
        heartbeat: TaskHeartbeat | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connection = connection
        self._driver = driver
        self._board = board
        self._clock = clock
        self._heartbeat = heartbeat or TaskHeartbeat(f"poller {connection.name}")
        self._jitter = jitter
        self._interval = polling.interval_of(connection.usual_interval).total_seconds()
        self._days_ahead = polling.days_ahead
        self._planner = self._planner_for(
            polling, longest or polling.longest_interval(board.policy.expire_after)
        )
        self._changed: tuple[Polling, timedelta] | None = None  # what counts from the next step on
        self._pace_log = PaceLog(connection.name)
        self._notes = notes or ConnectionMemory()
        self._monitor = ConnectionMonitor(connection, driver, board, clock, self._notes.consent)
        self._fence = FenceCheck(connection.name, driver, clock)
        self._credential = CredentialCheck(connection.name)
        self._discovery = RoomDiscovery(
            connection=connection,
            driver=driver,
            book=book,
            clock=clock,
            readability=self._monitor.readability,
            notes=self._notes,
            remember=remember,
            take_up=self._take_up,
        )
        self._discovery.take_times(polling)
        self._monitor.found_rooms(sure=self._discovery.is_sure)
        self._reader = RoundReader(
            connection=connection.name,
            driver=driver,
            board=board,
            clock=clock,
            monitor=self._monitor,
            discovery=self._discovery,
            fence=self._fence,
            check_fence=self._look_at_fence,
            answered=self._on_answer,
        )
        self._pause = ConnectionPause(jitter)
        self._requested = RequestedReadings()
        self._asks_for_time = self._reads_again = False
        self._hurried = asyncio.Event()
        self._hurry_from = 0.0  # a clock that is set again and again causes no storm of requests
        self.answered = 0  # rooms answered in this round
        self.progress: Callable[[], None] | None = None  # called at every answer
        self.first = asyncio.Event()  # set after the first try, however it ended

    @property
    def health(self) -> ConnectionHealth:
        """How the connection is."""
        return self._monitor.health

    @property
    def problem(self) -> DriverError | None:
        """What ails the connection as a whole."""
        return self._monitor.problem

    @property
    def rooms(self) -> int:
        """How many rooms are polled."""
        return len(self._planner)

    def recall(self, *, believable: bool = True) -> bool:
        """Restores what was known of the rooms at the last start; returns whether anything was.

        Its age is kept and judged as always. The fence counts as it was until it is checked.

        Args:
            believable: whether the time is known; if not, nothing shows how old it is, and only the rooms'
                names are recalled.
        """
        recalled = self._notes.recall(self._clock.now(), self._clock.steady())
        if recalled.fence is not None:
            self._monitor.recalled(recalled.fence)
        rooms = self._discovery.recall([room.listing for room in recalled.rooms])
        by_mailbox = {room.mailbox.lower(): room for room in rooms}
        for known in recalled.rooms:
            if believable and known.schedule is not None and known.changed_at is not None:
                room = by_mailbox.get(known.listing.mailbox.lower())
                if room is not None and self._board.statement(room.id) is None:
                    self._board.remember(
                        KnownRoom(
                            room,
                            known.schedule,
                            known.failure,
                            known.changed_at,
                            known.noted_at,
                            known.presence,
                        )
                    )
        if rooms:
            readable = [k.listing for k in recalled.rooms if k.schedule and k.failure is None]
            self._planner.enroll(rooms, {self._discovery.id_of(listing.mailbox) for listing in readable})
            self._board.enroll(self._connection.name, rooms)
        return believable and any(known.schedule for known in recalled.rooms)

    async def run(self) -> None:
        """Polls until it is cancelled, or until the fence is breached and has to be enforced."""
        while not self._fence.enforcing:
            self._take_change()
            self._heartbeat.expect(_SILENCE)
            pause = await self.step()
            self.first.set()
            self._heartbeat.expect(pause + _SILENCE)
            if self._changed is None:
                await self._sleep(pause)

    def change(self, polling: Polling, longest: timedelta) -> None:
        """Polls by other settings from now on; the list of rooms and all rooms are read again at once."""
        self._changed = polling, longest
        self._hurried.set()

    def _take_change(self) -> None:
        if self._changed is None:
            return
        (polling, longest), self._changed = self._changed, None
        rooms = [room for room in self._board.rooms if room.id in self._planner]
        self._interval = polling.interval_of(self._connection.usual_interval).total_seconds()
        self._days_ahead = polling.days_ahead
        self._planner = self._planner_for(polling, longest)
        self._planner.enroll(rooms, self._monitor.readability.readable)
        self._pace_log.look(self._planner, self._interval, self._shortest(self.rooms))
        self._discovery.take_times(polling)

    def hurry(self) -> None:
        """What failed is tried again at once: the machine's clock was set, which may have been the reason."""
        well = self.problem is None and len(self._monitor.readability.readable) >= self.rooms
        if not well:
            self.read_again()

    def read_again(self) -> None:
        """All rooms are read at once: the time is known now, and the days that were read may be others."""
        moment = self._clock.steady()
        if moment >= self._hurry_from:
            self._hurry_from = moment + SHORTEST * 5
            self._reads_again = True  # after the answers that are on their way
            self._hurried.set()

    def read_soon(self, room_id: str) -> None:
        """Reads a room now and several times within the next half minute: its calendar was written to.

        While the connection as a whole cannot be read, that changes nothing.
        """
        self._requested.add(room_id, self._clock.steady())
        if self.problem is None:
            self._hurried.set()

    async def _sleep(self, seconds: float) -> None:
        self._hurried.clear()
        sleeping = asyncio.create_task(self._clock.sleep(seconds))
        hurried = asyncio.create_task(self._hurried.wait())
        try:
            await asyncio.wait([sleeping, hurried], return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            hurried.cancel()
        if sleeping.done() and not sleeping.cancelled():
            sleeping.result()

    async def step(self) -> float:
        """Does what is due, and returns in how many seconds the next is due."""
        self._restart_if_wanted()
        try:
            # The rooms first: if the connection is refused or the fence breached, each of them shows it.
            self._credential.look(credential_expiry(self._driver), self._clock.now())
            await self._discovery.look()
            self._monitor.found_rooms(sure=self._discovery.is_sure)
            await self._look_at_fence()
            if not self._fence.enforcing:
                await self._read_due()
            if self._fence.enforcing:
                return 0.0
        except DriverError as error:
            self._monitor.failed(error, self.rooms)
            self._planner.restart()  # as soon as the pause is over
            was_readable = self._monitor.read_at is not None
            return self._pause.after(error, self._interval, was_readable=was_readable)
        self._pause.succeeded()
        self._restart_if_wanted()
        self._ask_for_the_time()
        self._monitor.read(self.rooms)
        self._fence.observe(self._monitor.circumstances)
        upcoming = min(self._planner.next, self._discovery.next, self._fence.next, self._requested.next)
        return max(0.0, upcoming - self._clock.steady())

    # --- its parts ---

    def _planner_for(self, polling: Polling, longest: timedelta) -> ReadingPlanner[Any]:
        usual = self._connection.usual_interval
        return planner_for(polling, longest, self._jitter, self._shortest, usual)

    def _shortest(self, rooms: int) -> float:
        return shortest_interval(self._driver, rooms).total_seconds()

    def _take_up(self, rooms: Sequence[Room]) -> None:
        """Polls these rooms from now on."""
        added, gone = self._planner.enroll(rooms)
        if added or gone or not self.health.rooms:
            log.info(
                "rooms.were_found",
                connection=self._connection.name,
                count=len(rooms),
                added=len(added),
                removed=len(gone),
            )
        if gone:
            self._monitor.keep({room.id for room in rooms})
        self._board.enroll(self._connection.name, rooms)
        self._pace_log.look(self._planner, self._interval, self._shortest(self.rooms))

    def _restart_if_wanted(self) -> None:
        if self._reads_again:
            self._reads_again = False
            self._planner.restart()

    def _ask_for_the_time(self) -> None:
        """Reads a room soon while the time is not known: answers show it, and one is not enough."""
        if self._board.time_is_known:
            self._asks_for_time = False
            return
        room = next((room for room in self._board.rooms if room.id in self._planner), None)
        if room is not None and not self._asks_for_time:
            self._requested.add(room.id, self._clock.steady(), _SOON)
        self._asks_for_time = room is not None

    async def _look_at_fence(self) -> None:
        if await self._fence.look():
            fence, enforcing = self._fence.fence, self._fence.enforcing
            self._notes.tried(fence)
            self._monitor.fenced(fence, enforcing=enforcing, rooms=self.rooms)

    async def _read_due(self) -> None:
        moment = self._clock.steady()
        for room_id in self._requested.take(moment):
            self._planner.demand(room_id, moment)
        due = self._planner.take_due(moment)
        if due:
            self.answered = 0
            await self._reader.read(due, self._planner, self._days_ahead)

    def _on_answer(self) -> None:
        self.answered += 1
        self._heartbeat.expect(_SILENCE)
        if self.progress is not None:
            self.progress()
