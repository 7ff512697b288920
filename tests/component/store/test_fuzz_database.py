"""Whatever is in the journal's file, a start takes it or leaves it; and no room gets free by it."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from placed.board.room_entry import KnownRoom
from placed.domain.consent_record import ConsentRecord
from placed.domain.model import Status
from placed.store import Journal, Memory
from placed.store.database import NAME
from placed.store.read_only import read_snapshot
from placed.store.records import Kind
from tests.component.store.daemon_run import ROOMS, DaemonRun
from tests.support.domain_builders import FakeClock, at, room

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # hypothesis writes and opens hundreds of journals

FUZZ = settings(
    max_examples=75,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_WORDS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.datetimes(timezones=st.just(at("0:00").tzinfo)),
    st.sampled_from(["meetings", "read_at", "contoso", "boardroom@contoso.example", "unavailable"]),
)
_KEYS = st.sampled_from(
    [
        "schedule",
        "changed_at",
        "meetings",
        "since",
        "until",
        "read_at",
        "mark",
        "rooms",
        "wall",
        "steady",
        "state",
    ]
) | st.text(max_size=5)
VALUES = st.recursive(
    _WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4)
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A journal of two rooms, of which the boardroom is taken for years, as it lies on the disk."""
    directory = tmp_path_factory.mktemp("whole")
    with closing(Journal(directory)) as journal:
        daemon_run = DaemonRun(journal)
        daemon_run.enroll()
        daemon_run.read("boardroom", ("0:00", "9999:00"))
        daemon_run.read("library")
        daemon_run.store_writer._write(
            list(daemon_run.board.known()),
            frozenset(),
            (daemon_run.clock.now(), daemon_run.clock.steady()),
        )
        journal.save(Memory(7, {"contoso/boardroom@contoso.example": "boardroom"}))
        journal.consent("contoso").save(ConsentRecord())
    return (directory / NAME).read_bytes()


def begun(directory: Path) -> DaemonRun:
    """A start with whatever is there: what it remembers is used, and it can be written again."""
    with closing(Journal(directory)) as journal:
        clock = FakeClock(at("9:00"))
        clock.pass_(60)
        daemon_run = DaemonRun(journal, clock)
        memory = journal.load()
        assert all(isinstance(room_id, str) for room_id in memory.room_ids.values())
        journal.consent("contoso").load()
        journal.keep(["contoso"])
        for name, known in daemon_run.recalled().items():
            if known.schedule and known.changed_at and name in ROOMS:
                assert known.schedule.read_at <= daemon_run.clock.now()
                daemon_run.board.remember(
                    KnownRoom(room(name), known.schedule, known.failure, known.changed_at)
                )
        daemon_run.board.enroll("contoso", [room(name) for name in ROOMS])
        daemon_run.board.judge_due()
        journal.save(Memory(8, {"contoso/a@x": "a"}))
        assert journal.load() == Memory(8, {"contoso/a@x": "a"})
        return daemon_run


def is_not_free(daemon_run: DaemonRun) -> bool:
    statement = daemon_run.board.statement("boardroom")
    assert statement
    return statement.occupancy.status not in (Status.FREE, Status.STARTING)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def put(directory: Path, content: bytes) -> None:
    for path in directory.glob("journal.db*"):
        path.unlink()
    (directory / NAME).write_bytes(content)


@FUZZ
@given(st.binary(max_size=300))
@example(b"SQLite format 3\0")
@example(b"SQLite format 3\0" + b"\xff" * 200)
def test_any_bytes_at_all(directory: Path, content: bytes) -> None:
    put(directory, content)
    with capture_logs():
        begun(directory)


@FUZZ
@given(data=st.data())
def test_a_journal_with_turned_bits_or_an_early_end(
    directory: Path, whole: bytes, data: st.DataObject
) -> None:
    content = bytearray(whole)
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    put(directory, bytes(content))
    with capture_logs():
        assert is_not_free(begun(directory))


@FUZZ
@given(
    records=st.lists(
        st.tuples(
            st.sampled_from([*Kind, "another"]),
            st.sampled_from(["", "contoso", "fabrikam"]),
            st.sampled_from(["", "boardroom@contoso.example"]),
            VALUES,
        ),
        max_size=5,
    )
)
def test_records_of_any_content_with_a_checksum_that_fits(
    directory: Path, whole: bytes, records: list[tuple[str, str, str, object]]
) -> None:
    """As another version of placed may have written them."""
    put(directory, whole)
    with closing(sqlite3.connect(directory / NAME)) as file, file:
        for kind, connection, address, content in records:
            try:
                value = msgspec.msgpack.encode(content)
            except (OverflowError, ValueError, msgspec.MsgspecError):
                continue
            key = f"{kind}\0{connection}\0{address}".encode(errors="replace")
            file.execute(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)",
                (str(kind), connection, address, zlib.crc32(value, zlib.crc32(key)), value),
            )
    with capture_logs():
        read_snapshot(directory)
        assert is_not_free(begun(directory))


def test_the_journal_that_is_spoilt_above_is_good(directory: Path, whole: bytes) -> None:
    put(directory, whole)
    daemon_run = begun(directory)
    statement = daemon_run.board.statement("boardroom")
    assert statement
    assert statement.occupancy.status is Status.BUSY
    assert statement.occupancy.observed_at == at("9:00")
    assert daemon_run.clock.now() - statement.changed_at == timedelta(minutes=1)
