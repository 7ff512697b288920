"""Keeps records in the database; while the file cannot be read or written, in memory, and tries it again."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from placed.store.database import NAME, Database, Unusable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from placed.store.records import Key, Kind, Saved

_AT_ONCE = 250  # records in a transaction; the event loop may have to wait for one
_AGAIN = 30.0  # seconds until a file that could not be opened is tried again
_BESIDE = ("-wal", "-shm")  # what SQLite puts beside the file
_FAILS = (OSError, sqlite3.Error, Unusable)

log = structlog.get_logger("placed.store")


class FaultTolerantDatabase:
    """Reads and writes records. If that fails it is logged once.

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

    def close(self) -> None:
        """Closes the file permanently."""
        with self._lock, suppress(sqlite3.Error):
            if self._database is not None:
                self._database.close()
            self._database, self._try_at = None, math.inf

    # --- the file ---

    def _usable(self) -> Database | None:
        """Returns the open file; None if it cannot be opened now."""
        if self._database is None and self.path is not None and time.monotonic() >= self._try_at:
            try:
                self.opened()
            except Unusable as error:
                self._discard(error)
                with suppress(*_FAILS):
                    self.opened()
            except _FAILS as error:
                self._failed(error)
            self._try_at = time.monotonic() + _AGAIN
        return self._database

    def opened(self) -> Database:
        """Returns the open file.

        Raises:
            OSError, sqlite3.Error, Unusable: it cannot be read, or is invalid.
        """
        assert self.path is not None  # noqa: S101 - the caller has checked
        if self._database is None:
            self._database = Database.open(self.path)
            remove_leftovers(self.path)
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


def remove_leftovers(path: Path) -> None:
    """Deletes what earlier versions put aside, which may contain what was hidden since."""
    for suffix in ("", *_BESIDE):
        with suppress(OSError):
            path.with_name(f"{NAME}.broken{suffix}").unlink(missing_ok=True)
