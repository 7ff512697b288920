"""Asks one connection's driver in time, and keeps a room's failure its own.

The planners decide which room is read when. When the connection as a whole fails, the poller waits: shortly
where time heals it, longer and longer where another person has to, and for five minutes where only a change
of the configuration does.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import structlog

from placed.board.board import KnownRoom
from placed.domain.model import Reason, Schedule, window
from placed.domain.problem import Problem
from placed.domain.room_readability import DOUBTED, ReadFailure
from placed.domain.task_heartbeat import Pulse
from placed.driver import (
    DriverError,
    Failed,
    NotPermitted,
    Query,
    Read,
    Refused,
    Unchanged,
    credential_expiry,
)
from placed.polling.adaptive import AdaptivePlanner, AdaptivePolicy
from placed.polling.connection_monitor import ConnectionMonitor
from placed.polling.credential_check import CredentialCheck
from placed.polling.fence_check import FenceCheck
from placed.polling.fixed_interval import SELDOM, FixedIntervalPlanner
from placed.polling.missing_rooms import MissingRooms
from placed.polling.round_log import RoundLog
from placed.store.in_memory_connection_store import ConnectionMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import timedelta

    from placed.board.board import Board
    from placed.domain.clock import Clock
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.model import Room
    from placed.driver import Answer, ConnectionSettings, Driver, FoundRoom
    from placed.polling.room_ids import RoomIds
    from placed.settings.schema import Polling

# Seconds without an answer after which something must have got stuck. A service that is down is no such
# thing: whatever is asked of it fails within a minute, and a list of rooms has some pages.
_SILENCE = 600.0
_FEW = 5  # room ids that are named in a line of the log
_SHORTEST_REST = 1.0  # seconds that a connection rests after a failure that time heals
_LONGEST_REST = 5.0, 60.0  # at the shortest and at the longest intervals

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
        pulse: reports liveness.
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
        pulse: Pulse | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connection = connection
        self._driver = driver
        self._board = board
        self._book = book
        self._clock = clock
        self._remember = remember
        self._pulse = pulse or Pulse(f"poller {connection.name}")
        self._jitter = jitter
        self._take_times(polling)
        self._planner = _planner(
            polling, longest or polling.longest_interval(board.policy.expire_after), jitter
        )
        self._changed: tuple[Polling, timedelta] | None = None  # what counts from the next step on
        self._budget_is_small = False
        self._notes = notes or ConnectionMemory()
        self._monitor = ConnectionMonitor(connection, driver, board, clock, self._notes.consent)
        self._fence = FenceCheck(connection.name, driver, clock)
        self._credential = CredentialCheck(connection.name)
        self._discovery_fails, self._failed_lists = False, 0
        self._missing = MissingRooms()
        self._ids: dict[str, str] = {}  # of rooms, by mailbox
        self._read_without_address: set[str] = set()  # ids of rooms
        self._empty_lists = 0  # in a row, with no room known
        self._failures = 0  # of the connection as a whole, in a row
        self._rest = 0.0
        self._next_discovery = 0.0
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
        rooms = self._rooms_of(room.listing for room in recalled.rooms)
        by_mailbox = {room.mailbox.lower(): room for room in rooms}
        for known in recalled.rooms:
            if believable and known.schedule is not None and known.changed_at is not None:
                room = by_mailbox.get(known.listing.mailbox.lower())
                if room is not None and self._board.statement(room.id) is None:
                    self._board.remember(
                        KnownRoom(room, known.schedule, known.failure, known.changed_at, known.noted_at)
                    )
        if rooms:
            self._missing.begin(known.listing for known in recalled.rooms)
            self._ids = {room.mailbox.lower(): room.id for room in rooms}
            readable = [k.listing for k in recalled.rooms if k.schedule and k.failure is None]
            self._planner.enroll(rooms, {self._id_of(listing.mailbox) for listing in readable})
            self._board.enroll(self._connection.name, rooms)
        return believable and any(known.schedule for known in recalled.rooms)

    async def run(self) -> None:
        """Polls until it is cancelled, or until the fence is breached and has to be enforced."""
        while not self._fence.enforcing:
            self._take_change()
            self._pulse.expect(_SILENCE)
            pause = await self.step()
            self.first.set()
            self._pulse.expect(pause + _SILENCE)
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
        self._take_times(polling)
        self._planner = _planner(polling, longest, self._jitter)
        self._planner.enroll(rooms, self._monitor.readability.readable)
        self._look_at_budget()
        self._next_discovery = 0.0

    def _take_times(self, polling: Polling) -> None:
        self._interval = polling.interval.total_seconds()
        self._days_ahead = polling.days_ahead
        self._rediscover = polling.rediscover_or_default.total_seconds()

    def hurry(self) -> None:
        """What failed is tried again at once: the machine's clock was set, which may have been the reason."""
        moment = self._clock.steady()
        well = self.problem is None and len(self._monitor.readability.readable) >= self.rooms
        if not well and moment >= self._hurry_from:
            self._hurry_from = moment + _SHORTEST_REST * 5
            self._planner.restart()
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
        try:
            # The rooms first: if the connection is refused or the fence breached, each of them shows it.
            self._credential.look(credential_expiry(self._driver), self._clock.now())
            await self._discover()
            await self._look_at_fence()
            if not self._fence.enforcing:
                await self._read_due()
            if self._fence.enforcing:
                return 0.0
        except DriverError as error:
            self._monitor.failed(error, self.rooms)
            return self._rest_after(error)
        self._rest, self._failures = 0.0, 0
        self._monitor.read(self.rooms)
        self._fence.observe(self._monitor.circumstances)
        upcoming = min(self._planner.next, self._next_discovery, self._fence.next)
        return max(0.0, upcoming - self._clock.steady())

    # --- rooms ---

    async def _discover(self) -> None:
        moment = self._clock.steady()
        if moment < self._next_discovery:
            return
        try:
            found = await self._driver.find_rooms()
        except Refused:
            raise
        except DriverError as error:
            if not self._planner:
                raise
            # The rooms that are known can be read all the same.
            self._next_discovery = moment + self._list_again_in(error)
            if not self._discovery_fails:
                log.warning(
                    "rooms.were_not_found",
                    connection=self._connection.name,
                    problem=str(error),
                    remedy=error.problem.remedy or None,
                )
            self._discovery_fails = True
            return
        self._discovery_fails, self._failed_lists = False, 0
        before = self._missing.mailboxes
        found = self._missing.compare(found, self._is_gone)
        ids = self._book.remembered
        rooms = self._rooms_of(found)
        self._ids = {room.mailbox.lower(): room.id for room in rooms}
        self._note_missing(before)
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
        self._look_at_budget()
        if self._book.remembered != ids:
            self._remember()
        self._notes.listed(found)
        self._next_discovery = moment + self._next_list_in(len(rooms))
        for table in self._book.listed(self._connection.name):
            log.warning(
                "rooms.settings_fit_no_room",
                table=f'[rooms."{table}"]',
                remedy="correct the address in the table, or give the room's object id; or remove the table",
            )

    def _is_gone(self, listing: FoundRoom) -> bool:
        return self._monitor.readability.is_gone(self._id_of(listing.mailbox))

    def _id_of(self, mailbox: str) -> str:
        """The id of a mailbox's room; "" if it has none."""
        return self._ids.get(mailbox.lower(), "")

    def _note_missing(self, before: Mapping[str, bool]) -> None:
        """The log hears once of each room that the list lacks, and that it keeps being read."""
        new = sorted(self._id_of(mailbox) for mailbox in self._missing.mailboxes.keys() - before.keys())
        if new:
            log.warning(
                "rooms.are_missing",
                connection=self._connection.name,
                count=len(new),
                rooms=new[:_FEW],
                remedy="if they were not removed, put them back into the group or list; until a second list "
                "lacks them and they cannot be read any more, they are kept",
            )

    def _next_list_in(self, rooms: int) -> float:
        """Seconds until the list is asked for again: soon where one is to be doubted."""
        if not rooms:
            self._empty_lists += 1
            return min(self._rediscover, self._interval * 2.0 ** min(self._empty_lists - 1, 16))
        self._empty_lists = 0
        doubted = any(
            not lacking or self._is_failing(mailbox) for mailbox, lacking in self._missing.mailboxes.items()
        )
        return min(self._rediscover, self._interval) if doubted else self._rediscover

    def _list_again_in(self, error: DriverError) -> float:
        """The same after a list that failed."""
        self._failed_lists += 1
        if error.problem.lasting:
            return SELDOM
        rest = self._interval * 2.0 ** min(self._failed_lists - 1, 16)
        return max(min(rest, self._rediscover, SELDOM), error.problem.retry_after or 0.0)

    def _is_failing(self, mailbox: str) -> bool:
        failure = self._monitor.readability.failing.get(self._id_of(mailbox))
        return failure is not None and failure.reason in (Reason.FORBIDDEN, Reason.NOT_FOUND)

    def _rooms_of(self, found: Iterable[FoundRoom]) -> tuple[Room, ...]:
        return self._book.rooms(self._connection.name, self._connection.time_zone, found, self._was_read)

    def _was_read(self, mailbox: str) -> bool:
        return self._id_of(mailbox) in self._read_without_address

    def _look_at_budget(self) -> None:
        needed = self._planner.budget_needed
        if needed is not None and not self._budget_is_small:
            log.warning(
                "polling.budget_is_small",
                connection=self._connection.name,
                rooms=self.rooms,
                needed=needed,
                remedy=f"set polling.budget to {needed} at least; until then rooms are read less often",
            )
        self._budget_is_small = needed is not None

    # --- reading ---

    async def _look_at_fence(self) -> None:
        if await self._fence.look():
            fence, enforcing = self._fence.fence, self._fence.enforcing
            self._notes.tried(fence)
            self._monitor.fenced(fence, enforcing=enforcing, rooms=self.rooms)

    async def _read_due(self) -> None:
        due = self._planner.take_due(self._clock.steady())
        if not due:
            return
        now = self._clock.now()
        policy = self._board.policy
        at_least = policy.freshness_budget + policy.lead  # no schedule ends before its time
        zones = {room.time_zone for room in due}
        windows = {zone: window(now, zone, self._days_ahead, at_least) for zone in zones}
        queries = [
            Query(room, *windows[room.time_zone], known=self._board.has_schedule(room.id)) for room in due
        ]
        changes = RoundLog()
        held: list[Read | Unchanged] = []  # rooms that are readable, where none was when the fence was tried
        self.answered = 0

        def take(answer: Answer) -> None:
            self.answered += 1
            self._pulse.expect(_SILENCE)
            if self.progress is not None:
                self.progress()
            if self._fence.fence.awaits_rooms and not isinstance(answer, Failed):
                held.append(answer)
            else:
                self._take(answer, changes)

        try:
            try:
                async for answer in self._driver.read(queries):
                    take(answer)
            except DriverError:
                await self._release(held, changes)
                raise
            await self._release(held, changes)
        except DriverError as error:
            for query in queries:
                if query.room.id not in changes.answered:
                    self._board.fail(query.room.id, error.reason)
            raise
        finally:
            self._planner.over(self._clock.steady())
            readability = self._monitor.readability
            changes.write(
                self._connection.name, others_readable=bool(readability.readable), outside=readability.outside
            )

    async def _release(self, held: Sequence[Read | Unchanged], changes: RoundLog) -> None:
        """Rooms became readable since the fence was tried: it is tried again before they are published."""
        if not held:
            return
        self._fence.demand()
        try:
            await self._look_at_fence()
        finally:
            for answer in () if self._fence.enforcing else held:
                self._take(answer, changes)

    def _take(self, answer: Answer, changes: RoundLog) -> None:
        query = answer.query
        room_id = query.room.id
        changes.answered.add(room_id)
        if room_id not in self._planner:
            return
        if isinstance(answer, Unchanged) and not self._board.has_schedule(room_id):
            # Believed, the room would count as readable and stay unknown.
            answer = Failed(
                query, Reason.UNAVAILABLE, Problem("", "reported as unchanged, but nothing is known of it")
            )
        if isinstance(answer, Failed):
            self._take_failure(answer, changes)
            return
        again_within = self._planner.succeeded(answer, self._clock.steady())
        if self._monitor.readability.succeeded(room_id, answer.asked_at):
            changes.recovered.append(room_id)
        self._monitor.read_at = answer.asked_at
        if query.room.address == query.room.object_id and room_id not in self._read_without_address:
            self._read_without_address.add(room_id)
            self._next_discovery = 0.0  # what reports its calendar may report its address
        match answer:
            case Read():
                schedule = Schedule(answer.meetings, query.since, query.until, answer.asked_at, again_within)
                self._board.learn(room_id, schedule)
                self._monitor.count_impossible(answer)
            case Unchanged():
                self._board.confirm(room_id, query.since, query.until, answer.asked_at, again_within)

    def _take_failure(self, answer: Failed, changes: RoundLog) -> None:
        room_id, reason = answer.query.room.id, answer.reason
        problem = answer.problem
        self._planner.failed(
            room_id, reason, problem.retry_after, self._clock.steady(), lasting=problem.lasting
        )
        failure = ReadFailure(reason, self._clock.now(), problem, answer.consent)
        if self._monitor.readability.failed(room_id, failure):
            changes.failed[reason, problem.text].append(room_id)
        self._board.fail(room_id, reason)
        mailbox = answer.query.room.mailbox
        if mailbox in self._missing.mailboxes and self._is_failing(mailbox):
            self._next_discovery = min(self._next_discovery, self._clock.steady() + self._interval)

    # --- when the connection as a whole fails ---

    def _rest_after(self, error: DriverError) -> float:
        """For how many seconds nothing is asked."""
        self._failures += 1
        doubted = self._monitor.read_at is not None and self._failures <= DOUBTED
        if doubted and not error.certain and (error.problem.lasting or isinstance(error, NotPermitted)):
            self._rest = rest = min(self._interval, SELDOM)  # it was readable a moment ago
        elif error.problem.lasting:
            rest = SELDOM
        elif isinstance(error, NotPermitted):
            self._rest = rest = min(max(self._interval, self._rest * 2), SELDOM)
        else:
            # No longer than from poll to poll, so that all is right again one interval after the service is.
            longest = min(max(self._interval, _LONGEST_REST[0]), _LONGEST_REST[1])
            self._rest = rest = min(max(_SHORTEST_REST, self._rest * 2), longest)
        self._planner.restart()  # as soon as the rest is over
        return max(rest, error.problem.retry_after or 0.0) * (1 + 0.1 * self._jitter())


def _planner(
    polling: Polling, longest: timedelta, jitter: Callable[[], float]
) -> FixedIntervalPlanner | AdaptivePlanner:
    """All rooms once an interval, or each by its need where readings have a budget."""
    interval = polling.interval.total_seconds()
    if polling.budget is None:
        return FixedIntervalPlanner(interval, jitter)
    return AdaptivePlanner(
        AdaptivePolicy(polling.budget, interval, longest.total_seconds(), polling.hours), jitter
    )
