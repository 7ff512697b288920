"""Stores one connection's state in the journal: consent, fence, rooms, and restores it at a start."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec
import structlog
from msgspec.structs import replace

from placed.domain.consent_record import ConsentMemory, ConsentRecord
from placed.domain.machine_clock_health import SET_CLOCK
from placed.domain.model import Reason, Schedule
from placed.domain.presence import LONGEST_GAP, Presence
from placed.domain.privacy import permitted_schedule
from placed.domain.service_time import TOLERANCE
from placed.driver import FenceState
from placed.store.in_memory_connection_store import ConnectionMemory, StoredConnection, StoredRoom
from placed.store.records import (
    Confirmed,
    FenceRecord,
    Key,
    Kind,
    Listing,
    Reading,
    Saved,
    checksum,
    decoded,
    encoded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from placed.domain.privacy import Show
    from placed.driver import ConnectionSettings, Fence, FoundRoom

_STEERING = 0.5  # seconds that two clocks may differ by themselves

log = structlog.get_logger("placed.store")


class Records(Protocol):
    """Reads and writes the records of connections; `placed.store.persistent_state` has them in a file.

    Attributes:
        saved: the readings that are in the file, by (connection, address).
    """

    saved: dict[tuple[str, str], Saved]

    def read(self, key: Key) -> bytes | None:
        """Returns the value of a record; None if there is none."""
        ...

    def all(self, kind: Kind, connection: str = "") -> Mapping[Key, bytes]:
        """Returns every record of a kind, of one connection or of all."""
        ...

    def write(self, records: Iterable[tuple[Key, bytes | None]]) -> None:
        """Writes records; one without a value is deleted."""
        ...


class StoredConsent(ConsentMemory):
    """The stored consent of one connection; commands and a daemon may share it."""

    def __init__(self, journal: Records, connection: str) -> None:
        super().__init__()
        self._journal = journal
        self._key = Key(Kind.CONSENT, connection)

    def load(self) -> ConsentRecord:
        """Returns the current record."""
        return decoded(self._journal.read(self._key), ConsentRecord) or ConsentRecord()

    def save(self, record: ConsentRecord) -> None:
        """Replaces the record."""
        self._journal.write([(self._key, encoded(record))])


class ConnectionStore(ConnectionMemory):
    """The state of one connection, which outlives the process.

    Args:
        journal: keeps it.
        connection: its settings. Rooms that were stored under other settings are not restored.
        show: what of a meeting may be shown; nothing else is restored.
    """

    def __init__(self, journal: Records, connection: ConnectionSettings, *, show: Show) -> None:
        super().__init__(StoredConsent(journal, connection.name))
        self._journal = journal
        self._name = connection.name
        self._mark = _mark(connection)
        self._show = show

    def listed(self, found: Sequence[FoundRoom]) -> None:
        """Stores the rooms of the connection."""
        self._note(Kind.ROOMS, encoded(Listing(self._mark, tuple(found))))

    def tried(self, fence: Fence) -> None:
        """Stores the result of a fence check."""
        self._note(Kind.FENCE, encoded(FenceRecord.of(fence)))

    def _note(self, kind: Kind, value: bytes) -> None:
        key = Key(kind, self._name)
        if self._journal.read(key) != value:
            self._journal.write([(key, value)])

    def recall(self, now: datetime, steady: float) -> StoredConnection:
        """Returns what was stored before this start: no rooms after a breach, or under other settings.

        If the wall clock contradicts the stored times, rooms are listed and nothing else is restored.
        """
        tried = decoded(self._journal.read(Key(Kind.FENCE, self._name)), FenceRecord)
        fence = tried.fence if tried is not None else None
        listing = decoded(self._journal.read(Key(Kind.ROOMS, self._name)), Listing)
        if listing is None or listing.mark != self._mark:
            return StoredConnection()
        if fence is not None and fence.state is FenceState.BREACHED and fence.enforce:
            return StoredConnection(fence=fence)
        confirmed = decoded(self._journal.read(Key(Kind.CONFIRMED, self._name)), Confirmed)
        older_by = _set_back(confirmed, now, steady) if confirmed else timedelta()
        if confirmed is not None and (
            older_by.total_seconds() > TOLERANCE or _may_be_ahead(confirmed, now, steady)
        ):
            # It was set, or was wrong all the time and corrected before: rooms judged by it would lie.
            return StoredConnection(tuple(StoredRoom(room) for room in listing.rooms), fence)
        readings = self._journal.all(Kind.SCHEDULE, self._name)
        rooms = []
        for room in listing.rooms:
            key = Key(Kind.SCHEDULE, self._name, room.address.lower())
            found = _reading(key, readings.get(key), confirmed)
            if found is not None:
                self._journal.saved[self._name, key.room] = found.saved
                schedule = replace(found.schedule, read_at=found.schedule.read_at - older_by)
                schedule = permitted_schedule(schedule, self._show)
                if schedule.read_at <= now:  # else its age is unknown
                    rooms.append(
                        StoredRoom(
                            room,
                            schedule,
                            found.failure,
                            found.saved.changed_at,
                            found.schedule.read_at,
                            _presence(confirmed, key.room, older_by),
                        )
                    )
                    continue
            rooms.append(StoredRoom(room))
        return StoredConnection(tuple(rooms), fence)


class _Found(msgspec.Struct, frozen=True):
    """The stored state of a room."""

    saved: Saved
    schedule: Schedule  # the same, with when it was last confirmed
    failure: Reason | None


def _reading(key: Key, value: bytes | None, confirmed: Confirmed | None) -> _Found | None:
    reading = decoded(value, Reading)
    if value is None or reading is None:
        return None
    schedule, failure, crc = reading.schedule, None, checksum(key, value)
    again = confirmed.rooms.get(key.room) if confirmed else None
    if again is not None and again.checksum == crc:
        schedule, failure = replace(schedule, read_at=again.read_at), again.failure
    return _Found(Saved(schedule, reading.changed_at, crc), schedule, failure)


def _presence(confirmed: Confirmed | None, address: str, older_by: timedelta) -> Presence | None:
    """Returns the last presence of a room, and until when a sensor may continue it.

    That ends also some time after it was written: meanwhile somebody may have come and gone unseen.
    """
    again = confirmed.rooms.get(address) if confirmed is not None else None
    if confirmed is None or again is None or again.presence is None:
        return None
    last = again.presence
    until = min(last.valid_until, confirmed.wall + LONGEST_GAP) - older_by
    return Presence(last.state, last.since - older_by, until)


def _set_back(confirmed: Confirmed, now: datetime, steady: float) -> timedelta:
    """Returns how far the wall clock was set back since, at least: readings are older by that.

    So many seconds have passed by the steady clock; or, if the machine was restarted since, at least as many
    as its uptime.
    """
    passed = steady - confirmed.steady if steady >= confirmed.steady else steady
    seen = (now - confirmed.wall).total_seconds()
    if passed - seen <= _STEERING:
        return timedelta()
    log.warning("clock.was_set_back", seconds=round(passed - seen, 3))
    return timedelta(seconds=passed - seen)


def _may_be_ahead(confirmed: Confirmed, now: datetime, steady: float) -> bool:
    """Returns whether the wall clock shows that more time has passed than the steady clock does.

    It is unknown how long a machine was switched off. If its clock was wrong before, it may be wrong again.
    """
    if steady < confirmed.steady:
        contradicts = confirmed.corrected
    else:
        contradicts = (now - confirmed.wall).total_seconds() - (steady - confirmed.steady) > TOLERANCE
    if contradicts:
        log.warning(
            "clock.may_be_wrong",
            problem="this machine's clock contradicts the time by which rooms were judged before; they are "
            "unknown until they are read",
            remedy=SET_CLOCK,
        )
    return contradicts


def _mark(connection: ConnectionSettings) -> str:
    """Returns a digest of the settings, so that readings under other settings are not used."""
    settings = connection.model_dump(exclude_defaults=True)
    # Deterministic: in each process the members of a set have another order.
    content = msgspec.json.encode(settings, order="deterministic", enc_hook=str)
    return hashlib.sha256(content).hexdigest()[:16]
