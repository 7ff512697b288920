"""What is remembered across restarts, and what happens where it cannot be stored."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from placed.domain.consent_record import ConsentRecord, Source
from placed.driver import Consent
from placed.store import Journal, Memory, next_epoch, state_directory
from placed.store.database import MIGRATIONS, NAME, VERSION, Unusable
from placed.store.read_only import read_snapshot
from tests.support.domain_builders import at

MEMORY = Memory(7, {"contoso/boardroom@contoso.example": "boardroom"})
THREE = {"contoso/a@x": "a", "fabrikam/a@x": "fabrikam-a", "fabrikam/b@x": "b"}
REQUESTED = ConsentRecord(Consent.REQUESTED, at("9:00"), at("12:00"), Source.REQUEST, "Ada Example")


def save(directory: Path, memory: Memory = MEMORY) -> None:
    with closing(Journal(directory)) as journal:
        journal.save(memory)


def load(directory: Path) -> Memory:
    with closing(Journal(directory)) as journal:
        return journal.load()


def test_saved_values_survive_a_restart_and_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    with capture_logs() as logs:
        save(directory)
        assert load(directory) == MEMORY
    assert logs == []
    assert [path.name for path in directory.iterdir()] == [NAME]
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / NAME).stat().st_mode & 0o777 == 0o600


def test_at_the_first_start_there_is_nothing_to_remember(tmp_path: Path) -> None:
    assert load(tmp_path) == Memory()


def test_what_is_saved_replaces_what_was(tmp_path: Path) -> None:
    save(tmp_path, Memory(7, THREE))
    save(tmp_path, Memory(8, {"contoso/a@x": "a"}))
    assert load(tmp_path) == Memory(8, {"contoso/a@x": "a"})


def test_the_secret_is_the_same_after_a_restart_and_another_in_another_folder(tmp_path: Path) -> None:
    secrets = []
    for name in ("a", "a", "b"):
        with closing(Journal(tmp_path / name)) as journal:
            secrets.append(journal.secret())
            assert journal.secret() == secrets[-1]
    assert secrets[0] == secrets[1]
    assert secrets[1] != secrets[2]
    assert {len(secret) for secret in secrets} == {32}


def test_a_process_that_is_killed_has_noted_what_it_saved(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.save(MEMORY)
    for suffix in ("", "-wal"):  # as they lie on the disk at that moment
        name = f"{NAME}{suffix}"
        (tmp_path / "copy").mkdir(exist_ok=True)
        (tmp_path / "copy" / name).write_bytes((tmp_path / name).read_bytes())
    journal.close()
    assert load(tmp_path / "copy") == MEMORY


def test_a_store_without_a_folder_lasts_as_long_as_the_process() -> None:
    with closing(Journal(None)) as journal:
        journal.save(MEMORY)
        journal.consent("contoso").save(REQUESTED)
        assert journal.load() == MEMORY
        assert journal.consent("contoso").load() == REQUESTED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write what is another user's")
def test_a_file_created_by_root_belongs_to_the_owner_of_the_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 2345)
    with closing(Journal(tmp_path)) as journal:
        journal.save(MEMORY)
        owners = {(path.stat().st_uid, path.stat().st_gid) for path in tmp_path.iterdir()}
    assert owners == {(1234, 2345)}  # of what SQLite puts beside it as well


# --- unusable files -----------------------------------------------------------------------------------------


def older(path: Path) -> None:
    """A file that ends in the middle."""
    save(path.parent, Memory(7, THREE))
    path.write_bytes(path.read_bytes()[:5000])


def newer(path: Path) -> None:
    save(path.parent)
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"PRAGMA user_version = {VERSION + 1}")


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE song (title TEXT)")


def emptied(path: Path) -> None:
    save(path.parent)
    with closing(sqlite3.connect(path)) as file:
        file.execute("DROP TABLE record")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda path: path.write_bytes(b"{"), "it is damaged"),
        (lambda path: path.write_bytes(os.urandom(8192)), "it is damaged"),
        (lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(4096)), "it is damaged"),
        (older, "it is damaged"),
        (newer, "it was written by a later version of placed"),
        (foreign, "it is no journal of placed"),
        (emptied, "it is no journal of placed"),
    ],
)
def test_an_unusable_file_is_reported_once_and_deleted(tmp_path: Path, spoil: object, problem: str) -> None:
    path = tmp_path / NAME
    assert callable(spoil)
    spoil(path)
    with capture_logs() as logs, closing(Journal(tmp_path)) as journal:
        assert journal.load() == Memory()
        journal.save(MEMORY)
        assert journal.load() == MEMORY
    reported = {"event": "journal.was_discarded", "path": str(path), "problem": problem}
    assert [{key: entry[key] for key in reported} for entry in logs] == [reported]
    assert [file.name for file in tmp_path.iterdir()] == [NAME]
    assert load(tmp_path) == MEMORY


def test_a_record_with_a_wrong_checksum_counts_as_missing(tmp_path: Path) -> None:
    save(tmp_path, Memory(7, THREE))
    with closing(sqlite3.connect(tmp_path / NAME)) as file, file:
        file.execute("UPDATE record SET value = zeroblob(length(value)) WHERE connection = 'fabrikam'")
    assert load(tmp_path) == Memory(7, {"contoso/a@x": "a"})


def test_a_file_damaged_while_open_is_replaced(tmp_path: Path) -> None:
    with capture_logs() as logs, closing(Journal(tmp_path)) as journal:
        journal.save(MEMORY)
        journal.consent("contoso").save(REQUESTED)
        journal.close()
        again = Journal(tmp_path)
        assert again.load() == MEMORY
        with closing(sqlite3.connect(tmp_path / NAME)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        content = (tmp_path / NAME).read_bytes()
        (tmp_path / NAME).write_bytes(content[:4096] + os.urandom(len(content) - 4096))
        again.save(Memory(8, dict(MEMORY.room_ids)))
        again.save(Memory(9, dict(MEMORY.room_ids)))
        assert again.load() == Memory(9, dict(MEMORY.room_ids))
        again.close()
    assert [e["event"] for e in logs].count("journal.was_discarded") == 1
    assert load(tmp_path) == Memory(9, dict(MEMORY.room_ids))


# --- where it cannot be stored ------------------------------------------------------------------------------


def test_an_unwritable_store_is_reported_once_and_placed_continues(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no directory")
    with capture_logs() as logs, closing(Journal(place)) as journal:
        assert journal.load() == Memory()
        journal.save(MEMORY)
        journal.consent("contoso").save(REQUESTED)
        assert journal.load() == MEMORY  # a reload: the epoch grows, and rooms keep their ids
        assert journal.consent("contoso").load() == REQUESTED
    assert logs == [
        {
            "event": "journal.is_not_kept",
            "log_level": "warning",
            "path": str(place / NAME),
            "problem": "File exists",
        }
    ]


def test_a_full_disk_is_reported_once_and_writing_is_retried(tmp_path: Path) -> None:
    with capture_logs() as logs, closing(Journal(tmp_path)) as journal:
        journal.save(Memory(7))
        file = journal._database._connection  # type: ignore[union-attr]
        pages = file.execute("PRAGMA page_count").fetchone()[0]
        file.execute(f"PRAGMA max_page_count = {pages}")  # from here on there is no room
        many = Memory(8, {f"contoso/{n}@contoso.example": str(n) for n in range(1000)})
        journal.save(many)
        journal.consent("contoso").save(REQUESTED)
        assert journal.load() == many
        file.execute("PRAGMA max_page_count = 1000000")
        journal.consent("fabrikam").save(REQUESTED)
    assert [e["event"] for e in logs] == ["journal.is_not_kept", "journal.is_kept_again"]
    assert logs[0]["problem"] == "database or disk is full"
    assert load(tmp_path) == many
    assert read_snapshot(tmp_path).consent("contoso") == REQUESTED


# --- migration ----------------------------------------------------------------------------------------------


def test_a_later_version_brings_the_file_to_its_own_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path)
    steps = (*MIGRATIONS, "CREATE INDEX by_connection ON record (connection)")
    monkeypatch.setattr("placed.store.database.MIGRATIONS", steps)
    monkeypatch.setattr("placed.store.database.VERSION", len(steps))
    assert load(tmp_path) == MEMORY
    with closing(sqlite3.connect(tmp_path / NAME)) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (len(steps),)
        assert file.execute("SELECT 1 FROM sqlite_schema WHERE name = 'by_connection'").fetchone() == (1,)


# --- commands beside the daemon -----------------------------------------------------------------------------


def test_what_a_command_notes_of_consent_is_seen_by_the_daemon_that_runs(tmp_path: Path) -> None:
    with closing(Journal(tmp_path)) as one, closing(Journal(tmp_path)) as other:
        daemon, command = one.consent("contoso"), other.consent("contoso")
        assert daemon.observe(Consent.MISSING, at("9:00")).state is Consent.MISSING
        command.save(REQUESTED)
        assert daemon.observe(Consent.MISSING, at("9:00")) == REQUESTED
        assert daemon.observe(Consent.GRANTED, at("12:00")).state is Consent.GRANTED
        assert command.load().state is Consent.GRANTED
        other.forget("contoso")
        assert daemon.load() == ConsentRecord()


def test_a_connection_is_taken_out_and_the_others_stay(tmp_path: Path) -> None:
    save(tmp_path, Memory(7, THREE))
    with closing(Journal(tmp_path)) as journal:
        journal.consent("fabrikam").save(REQUESTED)
        assert journal.held_of("fabrikam") == (2, True)
        assert journal.held_of("fabri") == (0, False)
        assert journal.forget("fabrikam") == (2, True)
        assert journal.forget("fabrikam") == (0, False)
    assert load(tmp_path) == Memory(7, {"contoso/a@x": "a"})


def test_where_there_is_nothing_to_take_out_nothing_is_written(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    with closing(Journal(directory)) as journal:
        assert journal.forget("fabrikam") == (0, False)
    assert not directory.exists()


def test_a_command_does_not_change_an_unusable_file(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("[")
    for call in (Journal(tmp_path).held_of, Journal(tmp_path).forget):
        with pytest.raises(Unusable):
            call("fabrikam")
    assert (tmp_path / NAME).read_text() == "["
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


# --- epoch and place ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("remembered", "clock", "expected"),
    [
        (0, 1_790_000_000.9, 1_790_000_000),  # nothing is remembered
        (1_790_000_000, 1_790_000_000.9, 1_790_000_001),  # twice in a second
        (1_790_000_000, 1_790_000_060.0, 1_790_000_060),
        (1_790_000_000, 1_000.0, 1_790_000_001),  # the clock went back
        (1_790_000_000, -5.0, 1_790_000_001),
    ],
)
def test_every_start_has_a_greater_number_than_any_before(
    remembered: int, clock: float, expected: int
) -> None:
    assert next_epoch(Memory(remembered), clock) == expected


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"STATE_DIRECTORY": "/var/lib/placed"}, "/var/lib/placed"),
        ({"STATE_DIRECTORY": "/var/lib/placed:/var/lib/other"}, "/var/lib/placed"),
        ({"STATE_DIRECTORY": "/var/lib/placed", "XDG_STATE_HOME": "/state"}, "/var/lib/placed"),
        ({"XDG_STATE_HOME": "/state"}, "/state/placed"),
        ({"XDG_STATE_HOME": ""}, "/somebody/.local/state/placed"),
        ({}, "/somebody/.local/state/placed"),
    ],
)
def test_the_state_directory_is_that_of_systemd_or_else_of_the_user(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/somebody")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert state_directory() == Path(expected)
