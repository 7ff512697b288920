"""The journal's file: SQLite with a write-ahead log, checked as a whole on opening, and row by row."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from placed.store.records import Key, Kind, checksum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NAME = "journal.db"
_MAGIC = b"SQLite format 3\0"
_CACHE = 256  # KiB; written data is rarely read again
_BUSY = 1.0  # seconds to wait for another process, such as `placed consent`
_APPLICATION = 0x706C6364  # "plcd", in the file's header, for file(1)
_BEYOND_REPAIR = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

# Migrates the file from each version of its schema to the next; its version is in PRAGMA user_version.
MIGRATIONS = (
    """
    CREATE TABLE record (
        kind TEXT NOT NULL,
        connection TEXT NOT NULL,
        room TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (kind, connection, room)
    ) STRICT
    """,
)
VERSION = len(MIGRATIONS)


class Unusable(Exception):
    """The file is not a journal, is damaged, or is of a later version; it has to be replaced."""


class Database:
    """The open file.

    Every method may raise `sqlite3.Error`, if it cannot be read or written now, and `Unusable`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.text_factory = _text

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens the file, creates it if it does not exist, and migrates it to the current schema.

        Raises:
            OSError: its folder cannot be created or written.
            sqlite3.Error: the same.
            Unusable: it has to be replaced.
        """
        path = _whole(path)
        _make(path)
        _see_that_it_is_sqlite(path)
        # Used by the event loop and by one thread beside it, never by both at once.
        connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        with _judged(), _closed_if_it_fails(connection):
            _check(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "PRAGMA synchronous = NORMAL"
            )  # a commit does not wait for the disk, and none is torn
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            connection.execute("PRAGMA secure_delete = ON")  # deleted content is overwritten
            with _transaction(connection):
                _migrate(connection)
        return cls(connection)

    @classmethod
    def read_only(cls, path: Path) -> Self:
        """Opens an existing file for reading: neither it nor its folder is changed.

        Raises:
            FileNotFoundError: there is none.
            OSError, sqlite3.Error: it cannot be read.
            Unusable: it is invalid.
        """
        path = _whole(path)
        _see_that_it_is_sqlite(path)
        # If no process has it open there is no log beside it; without one SQLite would create it.
        state = "" if path.with_name(f"{NAME}-wal").exists() else "&immutable=1"
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro{state}", uri=True, timeout=_BUSY)
        with _judged(), _closed_if_it_fails(connection):
            _check(connection)
        return cls(connection)

    def scrub(self, *, thoroughly: bool) -> bool:
        """Empties the log, which keeps overwritten content for long; returns whether that was possible now.

        Args:
            thoroughly: also rewrites the file itself, without its free pages.
        """
        with _judged():
            if thoroughly:
                self._connection.execute("VACUUM")
            (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Closes the file. The last process to do so removes the log."""
        self._connection.close()

    def get(self, key: Key) -> bytes | None:
        """Returns the value of a record; None if there is none with a valid checksum."""
        row = self._rows("WHERE kind = ? AND connection = ? AND room = ?", key)
        return row.get(key)

    def all(self, kind: Kind, connection: str = "") -> dict[Key, bytes]:
        """Returns every record of a kind, of one connection or, without a name, of all."""
        if connection:
            return self._rows("WHERE kind = ? AND connection = ?", (kind, connection))
        return self._rows("WHERE kind = ?", (kind,))

    def put(self, records: Iterable[tuple[Key, bytes | None]]) -> None:
        """Writes records, all of them or none; a record without a value is deleted."""
        with _judged(), _transaction(self._connection) as connection:
            for key, value in records:
                if value is None:
                    connection.execute(
                        "DELETE FROM record WHERE kind = ? AND connection = ? AND room = ?", key
                    )
                else:
                    connection.execute(
                        "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)",
                        (*key, checksum(key, value), value),
                    )

    def _rows(self, where: str, values: tuple[str, ...]) -> dict[Key, bytes]:
        with _judged():
            rows = self._connection.execute(f"SELECT * FROM record {where}", values).fetchall()  # noqa: S608 - of our own texts
        found = [(Key(Kind(kind), *rest), crc, value) for kind, *rest, crc, value in rows]
        return {key: value for key, crc, value in found if checksum(key, value) == crc}


def _text(content: bytes) -> str:
    """Decodes a column, also of a damaged row; its checksum detects that."""
    return content.decode(errors="replace")


def _whole(path: Path) -> Path:
    """Returns the absolute path, as a URI needs it.

    Raises:
        OSError: no file can have this name.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
    return path.absolute()


def _make(path: Path) -> None:
    """Creates an empty file for its owner only. In another user's folder, root gives it to that user."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):  # of a named pipe the next reader would wait for ever
            raise OSError(errno.EINVAL, "it is not a file", str(path))
    finally:
        os.close(file)
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)  # and SQLite does so with what it puts beside it


def _see_that_it_is_sqlite(path: Path) -> None:
    """Checks the header: SQLite takes a very short file for an empty database."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) not in (_MAGIC, b""):
            raise Unusable("it is damaged")


def _check(connection: sqlite3.Connection) -> None:
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise Unusable("it is damaged")
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application != _APPLICATION:
        raise Unusable("it is no journal of placed")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise Unusable("it was written by a later version of placed")
    if version == VERSION:
        try:
            connection.execute("SELECT kind, connection, room, checksum, value FROM record LIMIT 0")
        except sqlite3.OperationalError as error:
            raise Unusable("it is no journal of placed") from error


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for step in MIGRATIONS[version:]:
        connection.execute(step)
    if version < VERSION:
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _closed_if_it_fails(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextmanager
def _judged() -> Iterator[None]:
    """Raises `Unusable` if SQLite's error is permanent."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _BEYOND_REPAIR:
            raise Unusable("it is damaged") from error
        raise
