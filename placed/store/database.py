"""The journal's file: SQLite with a write-ahead log, checked as a whole when it is opened, and row by row."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from placed.store.records import Key, Kind, checksum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NAME = "journal.db"
_MAGIC = b"SQLite format 3\0"
_CACHE = 256  # KiB; what is written is hardly ever read again
_BUSY = 1.0  # seconds to wait for another process, such as `placed consent`
_APPLICATION = 0x706C6364  # "plcd", in the file's header, so that file(1) can tell
_BEYOND_REPAIR = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

# What brings the file from each version of its schema to the next; its own version is in PRAGMA user_version.
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
    """The file is no journal, is damaged, or is of a later version; it has to be put aside."""


class Database:
    """The file, open.

    Every method may raise `sqlite3.Error`, where it can not be read or written now, and `Unusable`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.text_factory = _text

    @classmethod
    def open(cls, path: Path) -> Self:
        """Opens it, makes it if there is none, and brings it to the present schema.

        Raises:
            OSError: its folder can not be made or written.
            sqlite3.Error: the same.
            Unusable: it has to be put aside.
        """
        path = _whole(path)
        _make(path)
        _see_that_it_is_sqlite(path)
        # Used from the event loop and from one thread beside it, never by both at once.
        connection = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=False)
        with _judged(), _closed_if_it_fails(connection):
            _check(connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")  # a commit waits for no disk, and none is torn
            connection.execute(f"PRAGMA cache_size = -{_CACHE}")
            connection.execute("PRAGMA secure_delete = ON")  # what is not to be known any more is not kept
            with _transaction(connection):
                _migrate(connection)
        return cls(connection)

    @classmethod
    def read_only(cls, path: Path) -> Self:
        """Opens one that there is, to look at it: neither it nor its folder is changed.

        Raises:
            FileNotFoundError: there is none.
            OSError, sqlite3.Error: it can not be read.
            Unusable: it is of no use.
        """
        path = _whole(path)
        _see_that_it_is_sqlite(path)
        # Where nobody has it open there is no log beside it, and without one SQLite would make it.
        state = "" if path.with_name(f"{NAME}-wal").exists() else "&immutable=1"
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro{state}", uri=True, timeout=_BUSY)
        with _judged(), _closed_if_it_fails(connection):
            _check(connection)
        return cls(connection)

    def scrub(self, *, thoroughly: bool) -> bool:
        """Empties the log, where what was overwritten is for long; whether that could be done now.

        Args:
            thoroughly: also writes the file itself again, without its free pages.
        """
        with _judged():
            if thoroughly:
                self._connection.execute("VACUUM")
            (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy

    def close(self) -> None:
        """Lets go of the file. The last who does takes the log beside it away."""
        self._connection.close()

    def get(self, key: Key) -> bytes | None:
        """The value of a record; None if there is none that its checksum vouches for."""
        row = self._rows("WHERE kind = ? AND connection = ? AND room = ?", key)
        return row.get(key)

    def all(self, kind: Kind, connection: str = "") -> dict[Key, bytes]:
        """Every record of a kind, of one connection or, without its name, of all."""
        if connection:
            return self._rows("WHERE kind = ? AND connection = ?", (kind, connection))
        return self._rows("WHERE kind = ?", (kind,))

    def put(self, records: Iterable[tuple[Key, bytes | None]]) -> None:
        """Writes records, all of them or none; without a value one is taken away."""
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
    """Of a row that is damaged, too; its checksum tells."""
    return content.decode(errors="replace")


def _whole(path: Path) -> Path:
    """The path from the root on, as a URI needs it.

    Raises:
        OSError: no file can have this name.
    """
    if "\0" in str(path):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
    return path.absolute()


def _make(path: Path) -> None:
    """Makes an empty file for its owner alone. In a folder of another user's, root leaves it to that user."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)  # and SQLite does so with what it puts beside it


def _see_that_it_is_sqlite(path: Path) -> None:
    """SQLite takes a file of some bytes for one that is empty, and does not tell why it can not open one."""
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
    """Raises `Unusable` where SQLite says that the file will never do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & 0xFF in _BEYOND_REPAIR:
            raise Unusable("it is damaged") from error
        raise
