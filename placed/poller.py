"""Asks one connection's driver in time, and keeps a room's failure its own.

A round reads every room once an interval. A room that the service asked to be left alone for a while is read
again when that while is over; a room that is refused or does not exist is read more and more seldom, until it
is every five minutes. When the connection as a whole fails, it rests: shortly where time heals it, longer and
longer where another person has to, and for five minutes where only a change of the configuration does.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from placed.driver import (
    DriverError,
    Failed,
    Fence,
    FenceState,
    NotPermitted,
    Query,
    Read,
    Refused,
    Unavailable,
    Unchanged,
)
from placed.health import ConnectionHealth, ConnectionState, Consent, RoomFailure
from placed.model import Reason, Room, Schedule, window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from placed.board import Board
    from placed.clock import Clock
    from placed.driver import Answer, ConnectionSettings, Driver
    from placed.rooms import RoomBook
    from placed.settings import Polling

SELDOM = 300.0  # seconds between tries where only a person can mend it
_SHORTEST_REST = 1.0
_LONGEST_REST = 60.0
_FENCE_EVERY = 3600.0
_PATIENT = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND, Reason.MALFORMED})  # not healed by asking often

log = structlog.get_logger("placed.poller")


@dataclass(slots=True)
class _Track:
    """When a room is read again. `again_at` is on the steady clock."""

    room: Room
    sits_out: int = 0  # rounds
    again_at: float | None = None  # not before this; the service asked for it
    failures: int = 0  # in a row
    impossible: int = 0  # meetings that end before they start


class Poller:
    """Polls one connection.

    Args:
        connection: its settings, as every driver has them.
        driver: the connection, opened.
        board: where readings go.
        book: gives the rooms their ids.
        polling: how often, how far ahead.
        clock: what time it is.
        remember: called when rooms were given ids.
        jitter: a number from [0, 1), so that several daemons do not ask in step.
    """

    def __init__(  # noqa: PLR0913 - what polling needs
        self,
        *,
        connection: ConnectionSettings,
        driver: Driver,
        board: Board,
        book: RoomBook,
        polling: Polling,
        clock: Clock,
        remember: Callable[[], None] = lambda: None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connection = connection
        self._driver = driver
        self._board = board
        self._book = book
        self._clock = clock
        self._remember = remember
        self._jitter = jitter
        self._interval = polling.interval.total_seconds()
        self._days_ahead = polling.days_ahead
        self._rediscover = polling.rediscover_or_default.total_seconds()
        self._tracks: dict[str, _Track] = {}
        self._failing: dict[str, RoomFailure] = {}
        self._discovery_fails = False
        self._read_at: datetime | None = None
        self._rest = 0.0
        self._next_round = 0.0
        self._next_discovery = 0.0
        self._next_fence = 0.0
        self.answered = 0  # rooms answered in this round
        self.progress: Callable[[], None] | None = None  # called at every answer
        self.first = asyncio.Event()  # set after the first try, however it ended
        self.problem: DriverError | None = None  # what ails the connection as a whole
        self.health = ConnectionHealth(
            connection.name, connection.driver, credential_expires_at=driver.credential_expires_at
        )
        board.report(self.health)

    @property
    def rooms(self) -> int:
        """How many rooms are polled."""
        return len(self._tracks)

    async def run(self) -> None:
        """Polls until it is cancelled, or until the fence is breached and has to be enforced."""
        while not self._enforcing:
            pause = await self.step()
            self.first.set()
            await self._clock.sleep(pause)

    async def step(self) -> float:
        """Does what is due, and tells in how many seconds the next is."""
        try:
            # The rooms first: should the connection be refused or the fence breached, that is said of each.
            await self._discover()
            await self._try_fence()
            if self._enforcing:
                return 0.0
            await self._read_due()
        except DriverError as error:
            return self._failed(error)
        self._recovered()
        again = [t.again_at for t in self._tracks.values() if t.again_at is not None]
        upcoming = min(self._next_round, self._next_discovery, self._next_fence, *again)
        return max(0.0, upcoming - self._clock.steady())

    # --- the fence ---

    @property
    def _enforcing(self) -> bool:
        return self.health.fence.state is FenceState.BREACHED and self.health.fence.enforce

    async def _try_fence(self) -> None:
        if self._clock.steady() < self._next_fence:
            return
        before = self.health.fence.state
        try:
            fence = await self._driver.try_fence()
        except Unavailable as error:  # that is no answer, and no reason not to read
            self._next_fence = self._clock.steady() + _LONGEST_REST
            log.warning("fence.was_not_tried", connection=self._connection.name, problem=str(error))
            return
        self._next_fence = self._clock.steady() + _FENCE_EVERY
        if fence.state is FenceState.BREACHED:
            log.error("fence.was_breached", connection=self._connection.name, enforce=fence.enforce)
        elif fence.state is FenceState.UNPROVEN:
            log.warning("fence.is_unproven", connection=self._connection.name, remedy="set fence.canaries")
        elif before is not FenceState.VERIFIED:
            log.info("fence.was_verified", connection=self._connection.name)
        self._report_fence(fence)

    def _report_fence(self, fence: Fence) -> None:
        self.health = replace(self.health, fence=fence)
        if self._enforcing:
            self._board.forget(self._connection.name, Reason.BREACHED)
            self._tell(ConnectionState.BREACHED, problem="a mailbox outside of the fence is readable")
        else:
            self._board.report(self.health)

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
            if not self._tracks:
                raise
            # The rooms that are known can be read all the same.
            self._next_discovery = moment + min(self._rediscover, SELDOM)
            if not self._discovery_fails:
                log.warning(
                    "rooms.were_not_found",
                    connection=self._connection.name,
                    problem=str(error),
                    remedy=error.remedy or None,
                )
            self._discovery_fails = True
            return
        self._discovery_fails = False
        rooms = self._book.rooms(self._connection.name, self._connection.time_zone, found)
        known = {room.id for room in rooms}
        before = self._tracks.keys()
        if known != before or not self.health.rooms:
            log.info(
                "rooms.were_found",
                connection=self._connection.name,
                count=len(rooms),
                added=len(known - before),
                removed=len(before - known),
            )
        self._tracks = {room.id: self._tracks.get(room.id) or _Track(room) for room in rooms}
        if known - before:
            self._next_round = moment
        for room in rooms:
            self._tracks[room.id].room = room
        self._failing = {room_id: f for room_id, f in self._failing.items() if room_id in known}
        self._board.enroll(self._connection.name, rooms)
        if known - before:
            self._remember()
        self._next_discovery = moment + self._rediscover

    # --- reading ---

    async def _read_due(self) -> None:
        started = self._clock.steady()
        due = self._due(started)
        if not due:
            return
        now = self._clock.now()
        windows = {zone: window(now, zone, self._days_ahead) for zone in {t.room.time_zone for t in due}}
        queries = [Query(track.room, *windows[track.room.time_zone]) for track in due]
        changes = _Changes()
        self.answered = 0

        def take(answer: Answer) -> None:
            self.answered += 1
            if self.progress is not None:
                self.progress()
            self._take(answer, changes)

        try:
            await self._driver.read(queries, take)
        except DriverError as error:
            for query in queries:
                if query.room.id not in changes.answered:
                    self._board.fail(query.room.id, error.reason)
            raise
        finally:
            changes.tell(self._connection.name)

    def _due(self, moment: float) -> list[_Track]:
        """The rooms to read now: all of them in a round; else those that were to be left alone until now."""
        if moment < self._next_round:
            return [t for t in self._tracks.values() if t.again_at is not None and t.again_at <= moment]
        # A little early, so that an interval is never exceeded.
        self._next_round = moment + self._interval * (1 - 0.1 * self._jitter())
        due = []
        for track in self._tracks.values():
            if track.sits_out:
                track.sits_out -= 1
            elif track.again_at is None or track.again_at <= moment:
                due.append(track)
        return due

    def _take(self, answer: Answer, changes: _Changes) -> None:
        query = answer.query
        room_id = query.room.id
        track = self._tracks.get(room_id)
        changes.answered.add(room_id)
        if track is None:
            return
        if isinstance(answer, Failed):
            self._take_failure(answer, track, changes)
            return
        track.failures, track.again_at = 0, None
        if self._failing.pop(room_id, None):
            changes.recovered.append(room_id)
        self._read_at = answer.asked_at
        match answer:
            case Read():
                schedule = Schedule(answer.meetings, query.since, query.until, answer.asked_at)
                self._board.learn(room_id, schedule)
                self._count_impossible(track, answer)
            case Unchanged():
                self._board.confirm(room_id, query.since, query.until, answer.asked_at)

    def _take_failure(self, answer: Failed, track: _Track, changes: _Changes) -> None:
        room_id = track.room.id
        track.failures += 1
        track.again_at = None
        doubling = 2 ** min(track.failures - 1, 16)
        if answer.retry_after is not None or answer.reason is Reason.THROTTLED:
            rest = max(answer.retry_after or 0.0, min(doubling, _LONGEST_REST))
            track.again_at = self._clock.steady() + rest * (1 + 0.1 * self._jitter())
        elif answer.reason in _PATIENT:
            track.sits_out = min(doubling, max(1, int(SELDOM / self._interval))) - 1
        before = self._failing.get(room_id)
        if before is None or before.reason is not answer.reason:
            since = before.since if before else self._clock.now()
            self._failing[room_id] = RoomFailure(answer.reason, since, answer.detail)
            changes.failed[answer.reason, answer.detail].append(room_id)
        self._board.fail(room_id, answer.reason)

    def _count_impossible(self, track: _Track, answer: Read) -> None:
        impossible = sum(meeting.end <= meeting.start for meeting in answer.meetings)
        if impossible != track.impossible:
            self.health = replace(
                self.health,
                impossible_meetings=self.health.impossible_meetings + impossible - track.impossible,
            )
            track.impossible = impossible
            log.warning("meetings.were_impossible", room=track.room.id, count=impossible)

    # --- how the connection is ---

    def _failed(self, error: DriverError) -> float:
        """The connection as a whole failed: says so once, and tells how long to rest."""
        if self.problem is None or str(self.problem) != str(error):
            log.error(
                "connection.failed",
                connection=self._connection.name,
                reason=error.reason.value,
                problem=str(error),
                remedy=error.remedy or None,
            )
        self.problem = error
        if isinstance(error, Refused):
            self._board.forget(self._connection.name, error.reason)
        state = ConnectionState.REFUSED if isinstance(error, Refused) else ConnectionState.FAILING
        self._tell(state, problem=str(error), remedy=error.remedy or None)
        if isinstance(error, Refused):
            rest = SELDOM
        elif isinstance(error, NotPermitted):
            self._rest = rest = min(max(self._interval, self._rest * 2), SELDOM)
        else:
            self._rest = rest = min(max(_SHORTEST_REST, self._rest * 2), _LONGEST_REST)
        rest = max(rest, error.retry_after or 0.0) * (1 + 0.1 * self._jitter())
        self._next_round = 0.0  # as soon as the rest is over
        return rest

    def _recovered(self) -> None:
        if self.problem is not None:
            log.info("connection.recovered", connection=self._connection.name)
        self.problem = None
        self._rest = 0.0
        readable = len(self._tracks) - len(self._failing)
        reasons = {failure.reason for failure in self._failing.values()}
        if readable or not self._tracks:
            self._tell(ConnectionState.OK, consent=Consent.GRANTED if readable else self.health.consent)
        elif reasons == {Reason.FORBIDDEN}:
            self._tell(
                ConnectionState.FAILING,
                problem="every room is refused",
                remedy="has the administrator consented, and are the rooms in the fence's group? "
                "Both take up to two hours to be in effect",
                consent=Consent.MISSING,
            )
        else:
            detail = next(iter(self._failing.values())).detail
            self._tell(ConnectionState.FAILING, problem=f"no room can be read: {detail}")

    def _tell(
        self,
        state: ConnectionState,
        *,
        problem: str | None = None,
        remedy: str | None = None,
        consent: Consent | None = None,
    ) -> None:
        changed = self.health.state is not state
        self.health = replace(
            self.health,
            state=state,
            since=self._clock.now() if changed else self.health.since,
            rooms=len(self._tracks),
            failing=dict(self._failing),
            last_success=self._read_at,
            problem=problem,
            remedy=remedy,
            consent=consent or self.health.consent,
            credential_expires_at=self._driver.credential_expires_at,
        )
        self._board.report(self.health)


class _Changes:
    """What changed for rooms in one reading, for the log: a line a kind, not a line a room."""

    def __init__(self) -> None:
        self.answered: set[str] = set()
        self.failed: defaultdict[tuple[Reason, str], list[str]] = defaultdict(list)
        self.recovered: list[str] = []

    def tell(self, connection: str) -> None:
        for (reason, detail), rooms in self.failed.items():
            log.warning(
                "rooms.became_unreadable",
                connection=connection,
                reason=reason.value,
                detail=detail,
                count=len(rooms),
                rooms=_some(rooms),
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
