"""What is remembered across restarts, and what becomes of it where that can not be done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from placed.state import Memory, StateFile, next_epoch, state_directory

MEMORY = Memory(epoch=7, room_ids={"contoso/boardroom@contoso.example": "boardroom"})


def test_what_was_saved_is_remembered(tmp_path: Path) -> None:
    with capture_logs() as logs:
        StateFile(tmp_path).save(MEMORY)
        assert StateFile(tmp_path).load() == MEMORY
    assert logs == []
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_at_the_first_start_there_is_nothing_to_remember(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert StateFile(tmp_path / "not" / "there").load() == Memory()
    assert logs == []


def test_the_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    StateFile(tmp_path / "a" / "b").save(MEMORY)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    state = StateFile(tmp_path)
    state.save(MEMORY)
    before = state.path.stat().st_ino
    state.save(Memory(MEMORY.epoch, dict(MEMORY.room_ids)))
    assert state.path.stat().st_ino == before
    state.save(Memory(8))
    assert StateFile(tmp_path).load() == Memory(8)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b'{"epoch":"seven"}',
        b'{"epoch":7,"room_ids":{"contoso/a@x":5}}',
        b'{"epoch":7,"room_ids":["a"]}',
        b'{"epoch":7,"room_ids":{"\xff":"a"}}',
    ],
)
def test_a_damaged_file_is_kept_aside_and_told(tmp_path: Path, content: bytes) -> None:
    state = StateFile(tmp_path)
    state.path.write_bytes(content)
    with capture_logs() as logs:
        assert state.load() == Memory()
    aside = tmp_path / "state.broken"
    assert aside.read_bytes() == content
    assert not state.path.exists()
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("state.is_not_kept", "warning")]
    assert str(aside) in logs[0]["problem"]
    state.save(MEMORY)
    assert StateFile(tmp_path).load() == MEMORY


def test_a_draft_that_a_crash_left_is_no_state(tmp_path: Path) -> None:
    state = StateFile(tmp_path)
    state.save(MEMORY)
    (tmp_path / "state.new").write_bytes(b'{"epo')
    assert StateFile(tmp_path).load() == MEMORY
    StateFile(tmp_path).save(Memory(8))
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_directory_that_can_not_be_written_is_told_once_and_does_no_harm(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no directory")  # stops root too
    state = StateFile(place)
    with capture_logs() as logs:
        assert state.load() == Memory()
        for epoch in range(3):
            state.save(Memory(epoch))
    assert logs == [
        {
            "event": "state.is_not_kept",
            "log_level": "warning",
            "path": str(place / "state.json"),
            "problem": "Not a directory",
        }
    ]


def test_what_can_not_be_written_is_remembered_as_long_as_the_process_lives(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no directory")
    state = StateFile(place)
    state.save(MEMORY)
    assert state.load() == MEMORY  # a reload: the epoch grows, and rooms keep their ids


def test_a_write_that_failed_is_made_up_for(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("no directory")
    state = StateFile(place)
    state.save(MEMORY)
    place.unlink()
    state.save(MEMORY)
    assert StateFile(place).load() == MEMORY


# --- the epoch ----------------------------------------------------------------------------------------------


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


# --- where --------------------------------------------------------------------------------------------------


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
def test_the_state_is_where_systemd_says_or_else_the_user_keeps_such(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STATE_DIRECTORY", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/somebody")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert state_directory() == Path(expected)


# --- a connection that is disconnected ----------------------------------------------------------------------

THREE = {"contoso/a@x": "a", "fabrikam/a@x": "fabrikam-a", "fabrikam/b@x": "b"}


def test_a_connection_is_taken_out_and_the_others_stay(tmp_path: Path) -> None:
    StateFile(tmp_path).save(Memory(7, THREE))
    file = StateFile(tmp_path)
    assert file.rooms_of("fabrikam") == 2
    assert file.rooms_of("fabri") == 0
    assert file.forget("fabrikam") == 2
    assert StateFile(tmp_path).load() == Memory(7, {"contoso/a@x": "a"})
    assert file.forget("fabrikam") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_where_there_is_nothing_to_take_out_nothing_is_written(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    assert StateFile(directory).forget("fabrikam") == 0
    assert not directory.exists()


@pytest.mark.parametrize("content", ["[", "[]", '{"epoch":"seven"}'])
def test_what_is_no_state_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(content)
    for call in (StateFile(tmp_path).rooms_of, StateFile(tmp_path).forget):
        with pytest.raises(ValueError, match=r"JSON|Expected"):
            call("fabrikam")
    assert file.read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write what is another user's")
def test_root_leaves_the_file_to_whose_directory_it_is(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 2345)
    StateFile(tmp_path).save(Memory(7, THREE))
    StateFile(tmp_path).forget("fabrikam")
    found = (tmp_path / "state.json").stat()
    assert (found.st_uid, found.st_gid) == (1234, 2345)
