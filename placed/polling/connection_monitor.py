"""Derives a connection's health from the results of polling, and warns that its credential expires.

The poller keeps it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from placed.domain.connection_health import ConnectionHealth, ConnectionState
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure, within
from placed.domain.timestamps import timestamp
from placed.driver import Consent, FenceState, Refused, credential_expiry, grant_delay
from placed.polling.readability_tracker import ReadabilityTracker

if TYPE_CHECKING:
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.clock import Clock
    from placed.domain.consent_record import ConsentMemory
    from placed.driver import ConnectionSettings, Driver, DriverError, Fence

_BREACH = "a mailbox outside of the fence is readable"
_NOT_SINCE_START = Problem(
    "",
    "it held when it was last tried, before this start",
    "no action, it is tried as soon as the service answers",
    joint=": ",
)
_FENCED = "every room is refused, though the administrator has consented"
_ASK_GROUP = "check that the rooms are in the fence's group"
_NO_CONSENT = Problem(
    "",
    "every room is refused",
    "has the administrator consented (placed consent), and are the rooms in the fence's group?",
)
NOTICE = timedelta(days=30)  # before a credential expires
_EVERY = timedelta(days=1)

log = structlog.get_logger("placed.polling.poller")
_credential_log = structlog.get_logger("placed.credential")


class ConnectionMonitor:
    """Monitors one connection. It reports changes to the board, and logs what a person has to fix.

    Args:
        connection: its settings, as every driver has them.
        driver: may report when the credential expires.
        board: receives the health.
        clock: what time it is.
        consent: keeps what is known of the administrator's consent.
    """

    def __init__(
        self,
        connection: ConnectionSettings,
        driver: Driver,
        board: Board,
        clock: Clock,
        consent: ConsentMemory,
    ) -> None:
        self._name = connection.name
        self._driver = driver
        self._board = board
        self._clock = clock
        self._consent = consent
        self._grant_delay = grant_delay(driver)
        self.readability = ReadabilityTracker(self._grant_delay)
        self.problem: DriverError | None = None  # what ails the connection as a whole
        self.read_at: datetime | None = None  # when a calendar was last read
        self._impossible: dict[str, int] = {}  # meetings that end no later than they start, by room
        known = consent.load()
        self.health = ConnectionHealth(
            connection.name,
            connection.driver,
            consent=known.state,
            consent_since=known.since,
            consent_until=known.until,
            credential_expires_at=credential_expiry(driver),
            readability=self.readability.snapshot,
        )
        board.report(self.health)

    def keep(self, room_ids: set[str]) -> None:
        """Forgets all other rooms."""
        self.readability.keep(room_ids)
        self._impossible = {room_id: n for room_id, n in self._impossible.items() if room_id in room_ids}

    def count_impossible(self, room_id: str, count: int) -> None:
        """Notes how many meetings of a room end no later than they start, and so occupy nothing."""
        if count and count != self._impossible.get(room_id):
            log.warning("meetings.were_impossible", room=room_id, count=count)
        if count:
            self._impossible[room_id] = count
        else:
            self._impossible.pop(room_id, None)

    @property
    def circumstances(self) -> tuple[Consent, bool, frozenset[str]]:
        """Consent, and which rooms are refused: if it changes, other mailboxes may be readable, too."""
        failing = self.readability.failing.items()
        refused = frozenset(room_id for room_id, failure in failing if failure.reason is Reason.FORBIDDEN)
        return self.health.consent, bool(self.readability.readable), refused

    def recalled(self, fence: Fence) -> None:
        """Takes in the fence as the last start knew it. A verification of that time is no proof now."""
        if fence.state is FenceState.VERIFIED:
            fence = replace(fence, state=FenceState.UNPROVEN, warnings=(*fence.warnings, _NOT_SINCE_START))
        self.health = replace(self.health, fence=fence)
        self._board.report(self.health)

    def fenced(self, fence: Fence, *, enforcing: bool, rooms: int) -> None:
        """Takes in a fence check; an enforced breach discards everything known of the rooms."""
        self.health = replace(self.health, fence=fence)
        if not enforcing:
            self._board.report(self.health)
            return
        self._board.forget(self._name, Reason.BREACHED)
        problem = Problem("", _BREACH, f"{fence.limit_with_setup}, and start again")
        whole = ReadFailure(Reason.BREACHED, self._clock.now(), problem)
        self._update(ConnectionState.BREACHED, rooms, problem=problem, whole=whole)

    def failed(self, error: DriverError, rooms: int) -> None:
        """Takes in a failure of the connection as a whole; it is logged once."""
        if self.problem is None or str(self.problem) != str(error):
            log.error(
                "connection.failed",
                connection=self._name,
                reason=error.reason.value,
                problem=error.problem.text,
                remedy=error.problem.remedy or None,
            )
        self.problem = error
        refused = isinstance(error, Refused)
        if refused:
            self._board.forget(self._name, error.reason)
        self.readability.interrupt()
        since = self.health.whole.since if self.health.whole else self._clock.now()
        self._update(
            ConnectionState.REFUSED if refused else ConnectionState.FAILING,
            rooms,
            problem=error.problem,
            consent=error.consent,
            whole=ReadFailure(error.reason, since, error.problem),
        )

    def found_rooms(self, *, sure: bool) -> None:
        """Takes in whether rooms of an earlier run that were not found were removed."""
        if self.health.rooms_are_sure is not sure:
            self.health = replace(self.health, rooms_are_sure=sure)

    def read(self, rooms: int) -> None:
        """Takes in a reading of so many rooms in all; some or all of them may have failed."""
        if self.problem is not None:
            log.info("connection.recovered", connection=self._name)
        self.problem = None
        readability = self.readability.snapshot
        failing, consent = readability.failing, readability.consent
        if len(failing) < rooms or not rooms:
            self._update(ConnectionState.OK, rooms, consent=consent)
        elif not readability.forbidden:
            text = next(iter(failing.values())).problem.text
            self._update(ConnectionState.FAILING, rooms, problem=Problem("", f"no room can be read: {text}"))
        else:
            problem = _NO_CONSENT
            if consent is Consent.GRANTED:
                problem = Problem("", _FENCED, _ASK_GROUP + within(self._grant_delay))
            self._update(ConnectionState.FAILING, rooms, problem=problem, consent=consent)

    def _update(
        self,
        state: ConnectionState,
        rooms: int,
        *,
        problem: Problem | None = None,
        consent: Consent = Consent.UNKNOWN,
        whole: ReadFailure | None = None,
    ) -> None:
        known = self._consent.observe(consent, self._clock.now(), self._grant_delay)
        if known.state is not self.health.consent:
            before, after = self.health.consent.value, known.state.value
            log.info("consent.changed", connection=self._name, before=before, after=after)
        changed = self.health.state is not state
        readability = self.readability.snapshot
        self.health = replace(
            self.health,
            state=state,
            since=self._clock.now() if changed else self.health.since,
            rooms=rooms,
            failing=readability.failing,
            readability=readability,
            last_success=self.read_at,
            problem=problem,
            consent=known.state,
            consent_since=known.since,
            consent_until=known.until,
            whole=whole,
            impossible_meetings=sum(self._impossible.values()),
            credential_expires_at=credential_expiry(self._driver),
        )
        self._board.report(self.health)


class CredentialCheck:
    """Warns that a connection's credential expires: once a day from thirty days before."""

    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._warned_at: datetime | None = None

    def look(self, expires_at: datetime | None, moment: datetime) -> None:
        """Logs a warning if it is due. None means that the expiry is not known."""
        if expires_at is None or expires_at - moment > NOTICE:
            self._warned_at = None
            return
        if self._warned_at is not None and timedelta(0) <= moment - self._warned_at < _EVERY:
            return
        self._warned_at = moment
        _credential_log.warning(
            "credential.runs_out" if moment < expires_at else "credential.ran_out",
            connection=self._connection,
            expires_at=timestamp(expires_at),
            days_left=max(0, (expires_at - moment).days),
            remedy="make another beside it (placed setup --renew), register it, and name it in the settings",
        )
