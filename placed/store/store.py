"""The journal among failures: whatever becomes of its file, what this process noted it knows, and goes on."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from placed.domain.privacy import permitted_schedule
from placed.store.connection_store import ConnectionStore, StoredConsent
from placed.store.database import NAME, Database, Unusable
from placed.store.records import (
    Confirmed,
    Key,
    Kind,
    Reading,
    Saved,
    checksum,
    decoded,
    encoded,
    holds_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from placed.domain.privacy import Show
    from placed.driver import ConnectionSettings

_AT_ONCE = 250  # records in a transaction; so long the event loop may have to wait for one
_AGAIN = 30.0  # seconds until a file that could not be opened is tried again
_BESIDE = ("-wal", "-shm")  # what SQLite puts beside the file
_FAILS = (OSError, sqlite3.Error, Unusable)

log = structlog.get_logger("placed.store")


@dataclass(slots=True)
class Memory:
    """What is remembered of no single connection, and the ids of rooms."""

    epoch: int = 0
    room_ids: dict[str, str] = field(default_factory=dict)  # "connection/address" -> id
    objects: dict[str, str] = field(default_factory=dict)  # "connection/object id" -> id


class Journal:
    """Keeps what the next start has to know. Where that can not be done it is said once.

    Args:
        directory: of the state; None keeps everything for the life of the process only, as it is for a look.

    Attributes:
        saved: the readings that it has, by (connection, address); the scribe compares them with the board.
    """

    def __init__(self, directory: Path | None) -> None:
        self.path = directory / NAME if directory is not None else None
        self.saved: dict[tuple[str, str], Saved] = {}
        self._database: Database | None = None
        self._try_at = 0.0
        self._own: dict[Key, bytes | None] = {}  # what this process noted, but for readings
        self._unsaved: set[Key] = set()
        self._complained = False
        self._lock = threading.Lock()

    # --- what is asked ---

    def load(self) -> Memory:
        """What this process noted last, else what the file says; nothing, if that is of no use."""
        memory = Memory(decoded(self.read(Key(Kind.EPOCH)), int) or 0)
        for kind, ids in ((Kind.IDS, memory.room_ids), (Kind.OBJECTS, memory.objects)):
            for key, value in self.all(kind).items():
                for name, room_id in (decoded(value, dict[str, str]) or {}).items():
                    ids[f"{key.connection}/{name}"] = room_id
        return memory

    def notes(self, connection: ConnectionSettings, *, show: Show) -> ConnectionStore:
        """Those of one connection; `show`: what of a meeting may be seen."""
        return ConnectionStore(self, connection, show=show)

    def consent(self, connection: str) -> StoredConsent:
        """What is known of a connection's consent; also by a command, while a daemon runs."""
        return StoredConsent(self, connection)

    # --- what is noted ---

    def save(self, memory: Memory) -> None:
        """Notes it in place of what was noted before."""
        wanted: dict[Key, bytes | None] = {Key(Kind.EPOCH): encoded(memory.epoch)}
        for kind, ids in ((Kind.IDS, memory.room_ids), (Kind.OBJECTS, memory.objects)):
            given: dict[str, dict[str, str]] = {key.connection: {} for key in self.all(kind)}
            for key, room_id in ids.items():
                connection, _, name = key.partition("/")
                given.setdefault(connection, {})[name] = room_id
            for connection, names in given.items():
                wanted[Key(kind, connection)] = encoded(names) if names else None
        self.write((key, value) for key, value in wanted.items() if self.read(key) != value)

    def keep(self, connections: Iterable[str]) -> None:
        """Forgets the rooms of all other connections. Their consent stays until they are disconnected."""
        kept = set(connections)
        others = {
            key: None
            for kind in (Kind.ROOMS, Kind.FENCE, Kind.SCHEDULE, Kind.CONFIRMED)
            for key in self.all(kind)
            if key.connection not in kept
        }
        self.write(others.items())
        self.saved = {which: saved for which, saved in self.saved.items() if which[0] in kept}

    def permit(self, show: Show) -> None:
        """Takes out of all readings, and so of the disk, what may not be shown any more."""
        rewritten: dict[Key, bytes | None] = {}
        before = self.all(Kind.SCHEDULE)
        for key, value in before.items():
            if not holds_text(value):
                continue
            reading = decoded(value, Reading)
            if reading is None:  # what is in it is unknown
                rewritten[key] = None
                continue
            schedule = permitted_schedule(reading.schedule, show)
            if schedule is not reading.schedule:
                rewritten[key] = encoded(Reading(schedule, reading.changed_at))
        if rewritten:
            self.write_all([*rewritten.items(), *self._confirmed_again(before, rewritten)])
            log.info("journal.was_cleared", readings=len(rewritten), show=show.value)
        self.scrub(thoroughly=bool(rewritten))

    def _confirmed_again(
        self, before: Mapping[Key, bytes], rewritten: Mapping[Key, bytes | None]
    ) -> Iterator[tuple[Key, bytes]]:
        """What confirmed a reading confirms it as it is written now, too."""
        for key, value in self.all(Kind.CONFIRMED).items():
            confirmed = decoded(value, Confirmed)
            rooms = dict(confirmed.rooms) if confirmed else {}
            for address, again in list(rooms.items()):
                row = Key(Kind.SCHEDULE, key.connection, address)
                now = rewritten.get(row)
                if now is not None and again.checksum == checksum(row, before[row]):
                    rooms[address] = replace(again, checksum=checksum(row, now))
            if confirmed is not None and rooms != confirmed.rooms:
                yield key, encoded(replace(confirmed, rooms=rooms))

    def scrub(self, *, thoroughly: bool = False) -> bool:
        """Takes what was overwritten or deleted out of the files, the log beside the file too.

        Args:
            thoroughly: also what an earlier version may have left in free pages.
        """
        with self._lock:
            database = self._usable()
            try:
                return database is not None and database.scrub(thoroughly=thoroughly)
            except _FAILS as error:
                self._failed(error)
                return False

    def held_of(self, connection: str) -> tuple[int, bool]:
        """How many rooms of a connection have an id, and whether its consent is noted; for a command.

        Raises:
            OSError, sqlite3.Error, Unusable: the file can not be read, or is of no use.
        """
        if self.path is None or not self.path.exists():
            return 0, False
        database = self._opened()
        ids = decoded(database.get(Key(Kind.IDS, connection)), dict[str, str]) or {}
        return len(ids), database.get(Key(Kind.CONSENT, connection)) is not None

    def forget(self, connection: str) -> tuple[int, bool]:
        """Takes all of a connection out of the file, and tells what there was; for a command.

        Raises:
            OSError, sqlite3.Error, Unusable: the file can not be read or written, or is of no use.
        """
        held = self.held_of(connection)
        if self._database is not None:
            gone = [key for kind in Kind for key in self._database.all(kind, connection)]
            self._database.put((key, None) for key in gone)
            self._database.scrub(thoroughly=True)
        if self.path is not None:
            _remove_leftovers(self.path)
        return held

    def close(self) -> None:
        """Lets go of the file, for good."""
        with self._lock, suppress(sqlite3.Error):
            if self._database is not None:
                self._database.close()
            self._database, self._try_at = None, math.inf

    # --- records ---

    def read(self, key: Key) -> bytes | None:
        """A record that this process noted and could not write, else the file's."""
        with self._lock:
            database = self._usable()
            if database is not None and key not in self._unsaved:
                try:
                    return database.get(key)
                except _FAILS as error:
                    self._failed(error)
            return self._own.get(key)

    def all(self, kind: Kind, connection: str = "") -> dict[Key, bytes]:
        """Every record of a kind, of one connection or of all."""
        found: dict[Key, bytes] = {}
        with self._lock:
            database = self._usable()
            own = dict(self._own)
            if database is not None:
                own = {key: self._own.get(key) for key in self._unsaved}
                try:
                    found = database.all(kind, connection)
                except _FAILS as error:
                    self._failed(error)
                    own = dict(self._own)
        for key, value in own.items():
            if key.kind is kind and connection in ("", key.connection):
                if value is not None:
                    found[key] = value
                else:
                    found.pop(key, None)
        return found

    def write(self, records: Iterable[tuple[Key, bytes | None]]) -> None:
        """Notes records; without a value one is forgotten. What can not be written is so with the next."""
        mine = dict(records)
        if mine:
            with self._lock:  # the scribe's thread may be writing what is owed
                self._own |= mine
                self._unsaved |= mine.keys()
            self.write_all(())

    def write_all(self, readings: Iterable[tuple[Key, bytes | None]]) -> bool:
        """Writes readings, and before them what is still to be written; whether all could be.

        May be called from another thread.
        """
        waiting = iter(readings)
        while True:
            next_ones = list(islice(waiting, _AT_ONCE))
            with self._lock:
                database = self._usable()
                if database is None:
                    return False
                owed = [(key, self._own.get(key)) for key in self._unsaved]
                some = [*owed, *next_ones]
                if not some:
                    return True
                try:
                    database.put(some)
                except _FAILS as error:
                    self._failed(error)
                    return False
                self._unsaved.difference_update(key for key, _ in owed)
                self._recovered()

    # --- the file ---

    def _usable(self) -> Database | None:
        """The file, opened; None where that can not be done now."""
        if self._database is None and self.path is not None and time.monotonic() >= self._try_at:
            try:
                self._opened()
            except Unusable as error:
                self._discard(error)
                with suppress(*_FAILS):
                    self._opened()
            except _FAILS as error:
                self._failed(error)
            self._try_at = time.monotonic() + _AGAIN
        return self._database

    def _opened(self) -> Database:
        """Opens it."""
        assert self.path is not None  # noqa: S101 - who calls has looked
        if self._database is None:
            self._database = Database.open(self.path)
            _remove_leftovers(self.path)
        return self._database

    def _failed(self, error: Exception) -> None:
        if isinstance(error, Unusable):
            if self._database is not None:
                self._database.close()
                self._database = None
            self._discard(error)
            self._try_at = 0.0
            return
        if not self._complained:
            problem = error.strerror if isinstance(error, OSError) else str(error)
            log.warning("journal.is_not_kept", path=str(self.path), problem=problem or "unusable")
        self._complained = True

    def _recovered(self) -> None:
        if self._complained:
            log.info("journal.is_kept_again", path=str(self.path))
        self._complained = False

    def _discard(self, error: Unusable) -> None:
        """Deletes a file that cannot be used: what it holds is unknown, and so is whether it may be kept."""
        assert self.path is not None  # noqa: S101 - it was opened
        problem = str(error)
        try:
            for suffix in ("", *_BESIDE):
                self.path.with_name(f"{NAME}{suffix}").unlink(missing_ok=True)
        except OSError as failure:
            problem = f"{problem}, and cannot be deleted: {failure.strerror}"
        log.warning("journal.was_discarded", path=str(self.path), problem=problem)
        self.saved.clear()
        self._unsaved |= self._own.keys()


def _remove_leftovers(path: Path) -> None:
    """What earlier versions put aside, which may hold what was hidden since."""
    for suffix in ("", *_BESIDE):
        with suppress(OSError):
            path.with_name(f"{NAME}.broken{suffix}").unlink(missing_ok=True)


def next_epoch(memory: Memory, unix_seconds: float) -> int:
    """The number of this start: greater than any before, also where nothing could be remembered."""
    return max(memory.epoch + 1, int(unix_seconds))
