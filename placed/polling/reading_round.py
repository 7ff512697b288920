"""Reads the rooms that are due, and passes each answer to the board; a room's failure affects no other room.

At the end it logs which rooms became unreadable or readable: one line per kind, not per room.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import structlog

from placed.domain.model import Reason, Schedule, window
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure
from placed.driver import DriverError, Failed, Query, Read, StillHolds, Unchanged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from placed.board.board import Board
    from placed.domain.clock import Clock
    from placed.domain.model import Room
    from placed.driver import Answer, Driver, Success
    from placed.polling.connection_monitor import ConnectionMonitor
    from placed.polling.fence_check import FenceCheck
    from placed.polling.reading_planner import ReadingPlanner
    from placed.polling.room_discovery import RoomDiscovery

_SLICE = 1000  # queries that are made before other tasks get a turn on the event loop
_HELD = Unchanged, StillHolds  # of a room whose meetings are known

log = structlog.get_logger("placed.polling.poller")


class RoundReader:
    """Reads the rooms of one connection.

    Args:
        connection: its name.
        driver: the connection, opened.
        board: receives what was read.
        clock: what time it is.
        monitor: receives how each room is read.
        discovery: receives the same, since it may show that the list of rooms is outdated.
        fence: whether the fence is enforced, or has to be checked before rooms are published.
        check_fence: checks it if that is due.
        answered: called at every answer.
    """

    def __init__(  # noqa: PLR0913 - what reading needs
        self,
        *,
        connection: str,
        driver: Driver,
        board: Board,
        clock: Clock,
        monitor: ConnectionMonitor,
        discovery: RoomDiscovery,
        fence: FenceCheck,
        check_fence: Callable[[], Awaitable[None]],
        answered: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._driver = driver
        self._board = board
        self._clock = clock
        self._monitor = monitor
        self._discovery = discovery
        self._fence = fence
        self._check_fence = check_fence
        self._answered = answered

    async def read(self, due: Sequence[Room], planner: ReadingPlanner[Any], days_ahead: int) -> None:
        """Reads rooms.

        Args:
            due: the rooms that the planner has returned.
            planner: learns how each reading ended.
            days_ahead: how many days after today are read.

        Raises:
            DriverError: the connection as a whole cannot be read.
        """
        queries = await self._queries(due, days_ahead)
        changes = _Changes()
        awaits_rooms = self._fence.fence.awaits_rooms  # none was readable when the fence was tried
        held: list[Success] = []  # rooms that are readable now
        try:
            try:
                async for answer in self._driver.read(queries):
                    self._answered()
                    if awaits_rooms and not isinstance(answer, Failed):
                        held.append(answer)
                    else:
                        self._take(answer, planner, changes)
            except DriverError:
                await self._release(held, planner, changes)
                raise
            await self._release(held, planner, changes)
        except DriverError as error:
            for query in queries:
                if query.room.id not in changes.answered:
                    self._board.fail(query.room.id, error.reason)
            raise
        finally:
            planner.over(self._clock.steady())
            readability = self._monitor.readability
            changes.log(
                self._connection, others_readable=bool(readability.readable), outside=readability.outside
            )

    async def _queries(self, due: Sequence[Room], days_ahead: int) -> list[Query]:
        """Made in slices, between which edges have their turn: 50,000 at once take 70 ms."""
        now = self._clock.now()
        policy = self._board.policy
        at_least = policy.freshness_budget + policy.lead  # no schedule ends before its time
        zones = {room.time_zone for room in due}
        windows = {zone: window(now, zone, days_ahead, at_least) for zone in zones}
        has_schedule = self._board.has_schedule
        queries: list[Query] = []
        for start in range(0, len(due), _SLICE):
            queries += [
                Query(room, *windows[room.time_zone], known=has_schedule(room.id))
                for room in due[start : start + _SLICE]
            ]
            await asyncio.sleep(0)
        return queries

    async def _release(
        self, held: Sequence[Success], planner: ReadingPlanner[Any], changes: _Changes
    ) -> None:
        """Rooms became readable since the fence was tried: it is tried again before they are published."""
        if not held:
            return
        self._fence.demand()
        try:
            await self._check_fence()
        finally:
            for answer in () if self._fence.enforcing else held:
                self._take(answer, planner, changes)

    def _take(self, answer: Answer, planner: ReadingPlanner[Any], changes: _Changes) -> None:
        query = answer.query
        room_id = query.room.id
        changes.answered.add(room_id)
        if room_id not in planner:
            return
        if isinstance(answer, _HELD) and not self._board.has_schedule(room_id):
            # Believed, the room would count as readable and stay unknown.
            answer = Failed(
                query, Reason.UNAVAILABLE, Problem("", "reported as unchanged, but nothing is known of it")
            )
        if isinstance(answer, Failed):
            self._take_failure(answer, planner, changes)
            return
        again_within = planner.succeeded(answer, self._clock.steady())
        if self._monitor.readability.succeeded(room_id, answer.asked_at):
            changes.recovered.append(room_id)
        self._monitor.read_at = answer.asked_at
        self._discovery.room_was_read(query.room)
        match answer:
            case Read():
                schedule = Schedule(answer.meetings, query.since, query.until, answer.asked_at, again_within)
                self._board.learn(room_id, schedule)
                self._monitor.count_impossible(room_id, schedule.impossible)
            case Unchanged() | StillHolds():
                self._board.confirm(room_id, query.since, query.until, answer.asked_at, again_within)

    def _take_failure(self, answer: Failed, planner: ReadingPlanner[Any], changes: _Changes) -> None:
        room, reason, problem = answer.query.room, answer.reason, answer.problem
        planner.failed(room.id, reason, problem.retry_after, self._clock.steady(), lasting=problem.lasting)
        failure = ReadFailure(reason, self._clock.now(), problem, answer.consent)
        if self._monitor.readability.failed(room.id, failure):
            changes.failed[reason, problem.text, problem.remedy].append(room.id)
        self._board.fail(room.id, reason)
        self._discovery.room_failed(room)


class _Changes:
    """The rooms of one round that answered, and those that became unreadable or readable."""

    def __init__(self) -> None:
        self.answered: set[str] = set()
        self.failed: defaultdict[tuple[Reason, str, str], list[str]] = defaultdict(list)
        self.recovered: list[str] = []

    def log(self, connection: str, *, others_readable: bool, outside: str) -> None:
        """Logs the changes, if there are any.

        A room that is refused while others are readable is no error: it is outside the fence. `outside` is
        what to do if that is not wanted.
        """
        for (reason, detail, remedy), rooms in self.failed.items():
            if reason is Reason.FORBIDDEN and others_readable:
                log.info(
                    "rooms.are_outside_the_fence",
                    connection=connection,
                    detail=detail,
                    count=len(rooms),
                    rooms=_some(rooms),
                    remedy=outside,
                )
                continue
            log.warning(
                "rooms.became_unreadable",
                connection=connection,
                reason=reason.value,
                detail=detail,
                count=len(rooms),
                rooms=_some(rooms),
                remedy=remedy or None,
            )
        if self.recovered:
            log.info(
                "rooms.became_readable",
                connection=connection,
                count=len(self.recovered),
                rooms=_some(self.recovered),
            )


def _some(rooms: Sequence[str]) -> list[str]:
    return [*rooms[:10], *(["…"] if len(rooms) > 10 else [])]  # noqa: PLR2004 - enough to begin to look
