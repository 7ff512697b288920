"""Asks one connection's driver in time, and keeps a room's failure its own.

What is read when is the rota's business. When the connection as a whole fails, it rests: shortly where time
heals it, longer and longer where another person has to, and for five minutes where only a change of the
configuration does.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from placed.consents import ConsentMemory
from placed.credential_watch import CredentialWatch
from placed.driver import Consent, DriverError, Failed, NotPermitted, Query, Read, Refused, Unchanged
from placed.fence_watch import FenceWatch
from placed.health import ConnectionHealth, ConnectionState
from placed.model import Reason, Schedule, window
from placed.rota import SELDOM, Rota
from placed.round_log import RoundLog
from placed.standing import Standings, WholeProblem

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.board import Board
    from placed.clock import Clock
    from placed.driver import Answer, ConnectionSettings, Driver
    from placed.rooms import RoomBook
    from placed.settings import Polling

_SHORTEST_REST = 1.0  # seconds
_LONGEST_REST = 60.0

log = structlog.get_logger("placed.poller")


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
        consent: keeps what is known of the administrator's consent.
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
        consent: ConsentMemory | None = None,
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
        self._rota = Rota(self._interval, jitter)
        self._impossible: dict[str, int] = {}  # meetings that end no later than they start, by room
        self._standings = Standings()
        self._consent = consent or ConsentMemory()
        self._fence = FenceWatch(connection.name, driver, clock)
        self._credential = CredentialWatch(connection.name)
        self._discovery_fails = False
        self._read_at: datetime | None = None
        self._rest = 0.0
        self._next_discovery = 0.0
        self.answered = 0  # rooms answered in this round
        self.progress: Callable[[], None] | None = None  # called at every answer
        self.first = asyncio.Event()  # set after the first try, however it ended
        self.problem: DriverError | None = None  # what ails the connection as a whole
        known = self._consent.load()
        self.health = ConnectionHealth(
            connection.name,
            connection.driver,
            consent=known.state,
            consent_since=known.since,
            consent_until=known.until,
            credential_expires_at=driver.credential_expires_at,
            standings=self._standings,
        )
        board.report(self.health)

    @property
    def rooms(self) -> int:
        """How many rooms are polled."""
        return len(self._rota)

    async def run(self) -> None:
        """Polls until it is cancelled, or until the fence is breached and has to be enforced."""
        while not self._fence.enforcing:
            pause = await self.step()
            self.first.set()
            await self._clock.sleep(pause)

    async def step(self) -> float:
        """Does what is due, and tells in how many seconds the next is."""
        try:
            # The rooms first: should the connection be refused or the fence breached, that is said of each.
            self._credential.look(self._driver.credential_expires_at, self._clock.now())
            await self._discover()
            await self._look_at_fence()
            if self._fence.enforcing:
                return 0.0
            await self._read_due()
        except DriverError as error:
            return self._failed(error)
        self._recovered()
        upcoming = min(self._rota.next, self._next_discovery, self._fence.next)
        return max(0.0, upcoming - self._clock.steady())

    # --- the fence ---

    async def _look_at_fence(self) -> None:
        if not await self._fence.look():
            return
        self.health = replace(self.health, fence=self._fence.fence)
        if self._fence.enforcing:
            self._board.forget(self._connection.name, Reason.BREACHED)
            problem = "a mailbox outside of the fence is readable"
            remedy = (
                "mend the access policy or the RBAC scope (placed setup writes the scripts), then start again"
            )
            whole = WholeProblem(Reason.BREACHED, self._clock.now(), problem, remedy)
            self._tell(ConnectionState.BREACHED, problem=problem, remedy=remedy, whole=whole)
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
            if not self._rota:
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
        added, gone = self._rota.enroll(rooms)
        if added or gone or not self.health.rooms:
            log.info(
                "rooms.were_found",
                connection=self._connection.name,
                count=len(rooms),
                added=len(added),
                removed=len(gone),
            )
        if gone:
            self._standings.keep({room.id for room in rooms})
        for room_id in gone:
            self._impossible.pop(room_id, None)
        self._board.enroll(self._connection.name, rooms)
        if added:
            self._remember()
        self._next_discovery = moment + self._rediscover

    # --- reading ---

    async def _read_due(self) -> None:
        due = self._rota.take_due(self._clock.steady())
        if not due:
            return
        now = self._clock.now()
        windows = {zone: window(now, zone, self._days_ahead) for zone in {room.time_zone for room in due}}
        queries = [Query(room, *windows[room.time_zone]) for room in due]
        changes = RoundLog()
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
            changes.write(self._connection.name, others_readable=bool(self._standings.readable))

    def _take(self, answer: Answer, changes: RoundLog) -> None:
        query = answer.query
        room_id = query.room.id
        changes.answered.add(room_id)
        if room_id not in self._rota:
            return
        if isinstance(answer, Failed):
            self._take_failure(answer, changes)
            return
        self._rota.succeeded(room_id)
        if self._standings.succeeded(room_id, answer.asked_at):
            changes.recovered.append(room_id)
        self._read_at = answer.asked_at
        match answer:
            case Read():
                schedule = Schedule(answer.meetings, query.since, query.until, answer.asked_at)
                self._board.learn(room_id, schedule)
                self._count_impossible(answer)
            case Unchanged():
                self._board.confirm(room_id, query.since, query.until, answer.asked_at)

    def _take_failure(self, answer: Failed, changes: RoundLog) -> None:
        room_id, reason = answer.query.room.id, answer.reason
        self._rota.failed(room_id, reason, answer.retry_after, self._clock.steady(), lasting=answer.lasting)
        if self._standings.failed(room_id, answer, self._clock.now()):
            changes.failed[reason, answer.detail].append(room_id)
        self._board.fail(room_id, reason)

    def _count_impossible(self, answer: Read) -> None:
        room_id = answer.query.room.id
        count = sum(meeting.end <= meeting.start for meeting in answer.meetings)
        if count and count != self._impossible.get(room_id):
            log.warning("meetings.were_impossible", room=room_id, count=count)
        self._impossible[room_id] = count

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
        self._standings.interrupt()
        since = self.health.whole.since if self.health.whole else self._clock.now()
        self._tell(
            state,
            problem=str(error),
            remedy=error.remedy or None,
            consent=error.consent,
            whole=WholeProblem.of(error, since),
        )
        if error.lasting:
            rest = SELDOM
        elif isinstance(error, NotPermitted):
            self._rest = rest = min(max(self._interval, self._rest * 2), SELDOM)
        else:
            self._rest = rest = min(max(_SHORTEST_REST, self._rest * 2), _LONGEST_REST)
        rest = max(rest, error.retry_after or 0.0) * (1 + 0.1 * self._jitter())
        self._rota.restart()  # as soon as the rest is over
        return rest

    def _recovered(self) -> None:
        if self.problem is not None:
            log.info("connection.recovered", connection=self._connection.name)
        self.problem = None
        self._rest = 0.0
        failing = self._standings.failing
        consent = self._standings.consent
        if len(failing) < len(self._rota) or not self._rota:
            self._tell(ConnectionState.OK, consent=consent)
        elif not self._standings.forbidden:
            detail = next(iter(failing.values())).detail
            self._tell(ConnectionState.FAILING, problem=f"no room can be read: {detail}")
        elif consent is Consent.GRANTED:
            self._tell(
                ConnectionState.FAILING,
                problem="every room is refused, though the administrator has consented",
                remedy="are the rooms in the fence's group? That takes up to two hours to be in effect",
                consent=consent,
            )
        else:
            self._tell(
                ConnectionState.FAILING,
                problem="every room is refused",
                remedy="has the administrator consented (placed consent), and are the rooms in the fence's "
                "group? Both take up to two hours to be in effect",
                consent=consent,
            )

    def _tell(
        self,
        state: ConnectionState,
        *,
        problem: str | None = None,
        remedy: str | None = None,
        consent: Consent = Consent.UNKNOWN,
        whole: WholeProblem | None = None,
    ) -> None:
        known = self._consent.observe(consent, self._clock.now())
        if known.state is not self.health.consent:
            log.info(
                "consent.changed",
                connection=self._connection.name,
                before=self.health.consent.value,
                after=known.state.value,
            )
        changed = self.health.state is not state
        self.health = replace(
            self.health,
            state=state,
            since=self._clock.now() if changed else self.health.since,
            rooms=len(self._rota),
            failing=dict(self._standings.failing),
            last_success=self._read_at,
            problem=problem,
            remedy=remedy,
            consent=known.state,
            consent_since=known.since,
            consent_until=known.until,
            whole=whole,
            impossible_meetings=sum(self._impossible.values()),
            credential_expires_at=self._driver.credential_expires_at,
        )
        self._board.report(self.health)
