"""The journal with its failures handled: whatever happens to the file, this process keeps what it stored."""

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

_AT_ONCE = 250  # records in a transaction; the event loop may have to wait for one
_AGAIN = 30.0  # seconds until a file that could not be opened is tried again
_BESIDE = ("-wal", "-shm")  # what SQLite puts beside the file
_FAILS = (OSError, sqlite3.Error, Unusable)

log = structlog.get_logger("placed.store")


@dataclass(slots=True)
class Memory:
    """State of no single connection, and the ids of rooms."""

    epoch: int = 0
    room_ids: dict[str, str] = field(default_factory=dict)  # "connection/address" -> id
    objects: dict[str, str] = field(default_factory=dict)  # "connection/object id" -> id


class Journal:
    """Keeps the state for the next start. If that fails it is logged once.

    Args:
        directory: the state directory; None keeps everything in memory only.

    Attributes:
        saved: the readings that it has, by (connection, address); the writer compares them with the board.
    """

    def __init__(self, directory: Path | None) -> None:
        self.path = directory / NAME if directory is not None else None
        self.saved: dict[tuple[str, str], Saved] = {}
        self._database: Database | None = None
        self._try_at = 0.0
        self._own: dict[Key, bytes | None] = {}  # what this process stored, except for readings
        self._unsaved: set[Key] = set()
        self._complained = False
        self._lock = threading.Lock()

    # --- reading ---

    def load(self) -> Memory:
        """Returns what this process stored last, else the content of the file; nothing if it is invalid."""
        memory = Memory(decoded(self.read(Key(Kind.EPOCH)), int) or 0)
        for kind, ids in ((Kind.IDS, memory.room_ids), (Kind.OBJECTS, memory.objects)):
            for key, value in self.all(kind).items():
                for name, room_id in (decoded(value, dict[str, str]) or {}).items():
                    ids[f"{key.connection}/{name}"] = room_id
        return memory

    def notes(self, connection: ConnectionSettings, *, show: Show) -> ConnectionStore:
        """Returns the store of one connection; `show`: what of a meeting may be shown."""
        return ConnectionStore(self, connection, show=show)

    def consent(self, connection: str) -> StoredConsent:
        """Returns the store of a connection's consent; also for a command, while a daemon runs."""
        return StoredConsent(self, connection)

    # --- writing ---

    def save(self, memory: Memory) -> None:
        """Replaces what was stored before."""
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
        """Removes from all readings, and so from the disk, what may not be shown any more."""
        rewritten: dict[Key, bytes | None] = {}
        before = self.all(Kind.SCHEDULE)
        for key, value in before.items():
            if not holds_text(value):
                continue
            reading = decoded(value, Reading)
            if reading is None:  # its content is unknown
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
        """Makes the confirmation of a reading count for the reading as it is written now, too."""
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
        """Removes overwritten and deleted content from the files, including the log.

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
        """Returns how many rooms of a connection have an id, and whether its consent is stored.

        Raises:
            OSError, sqlite3.Error, Unusable: the file cannot be read, or is invalid.
        """
        if self.path is None or not self.path.exists():
            return 0, False
        database = self._opened()
        ids = decoded(database.get(Key(Kind.IDS, connection)), dict[str, str]) or {}
        return len(ids), database.get(Key(Kind.CONSENT, connection)) is not None

    def forget(self, connection: str) -> tuple[int, bool]:
        """Removes all of a connection from the file, and returns what there was; for a command.

        Raises:
            OSError, sqlite3.Error, Unusable: the file cannot be read or written, or is invalid.
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
        """Closes the file permanently."""
        with self._lock, suppress(sqlite3.Error):
            if self._database is not None:
                self._database.close()
            self._database, self._try_at = None, math.inf

    # --- records ---

    def read(self, key: Key) -> bytes | None:
        """Returns a record that this process could not write yet, else the file's."""
        with self._lock:
            database = self._usable()
            if database is not None and key not in self._unsaved:
                try:
                    return database.get(key)
                except _FAILS as error:
                    self._failed(error)
            return self._own.get(key)

    def all(self, kind: Kind, connection: str = "") -> dict[Key, bytes]:
        """Returns every record of a kind, of one connection or of all."""
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
        """Stores records; one without a value is deleted. What cannot be written is retried with the next."""
        mine = dict(records)
        if mine:
            with self._lock:  # the writer's thread may be writing what is pending
                self._own |= mine
                self._unsaved |= mine.keys()
            self.write_all(())

    def write_all(self, readings: Iterable[tuple[Key, bytes | None]]) -> bool:
        """Writes readings, and before them what is still pending; returns whether all could be written.

        It may be called from another thread.
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
        """Returns the open file; None if it cannot be opened now."""
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
        assert self.path is not None  # noqa: S101 - the caller has checked
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
        """Deletes an unusable file: its content is unknown, and so is whether it may be kept."""
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
    """Deletes what earlier versions put aside, which may contain what was hidden since."""
    for suffix in ("", *_BESIDE):
        with suppress(OSError):
            path.with_name(f"{NAME}.broken{suffix}").unlink(missing_ok=True)


def next_epoch(memory: Memory, unix_seconds: float) -> int:
    """Returns the number of this start: greater than any before, also if nothing could be stored."""
    return max(memory.epoch + 1, int(unix_seconds))
