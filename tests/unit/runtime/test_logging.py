"""What log lines look like, and what they never hold."""

from __future__ import annotations

import io
import json
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from placed.runtime.log_format_option import LogFormat
from placed.runtime.logging import form_for, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.hush"
LOGGERS = (None, "placed", "placed_microsoft365")


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of the set-up outlives the test."""
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    root, levels = logging.getLogger(), [logging.getLogger(name).level for name in LOGGERS]
    handlers = root.handlers[:]
    yield
    root.handlers[:] = handlers
    for name, level in zip(LOGGERS, levels, strict=True):
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def log_entries(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert not captured.out
    return [json.loads(line) for line in captured.err.splitlines()]


def open_mailbox(bearer: str) -> None:
    header = f"Bearer {bearer}"
    raise LookupError(f"no answer to {len(header)} characters")


def fail(logger: Any) -> None:
    """Logs an error that came of an error, in frames that know the token."""
    try:
        try:
            open_mailbox(TOKEN)
        except LookupError as error:
            raise RuntimeError("cannot go on") from error
    except RuntimeError:
        logger.exception("daemon.crashed")


def test_under_systemd_a_line_is_an_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up(LogFormat.JSON) is LogFormat.JSON
    structlog.get_logger("placed.polling.poller").info(
        "rooms.were_found", count=2, building=None, name="Größe"
    )
    (entry,) = log_entries(capsys)
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {
        "event": "rooms.were_found",
        "level": "info",
        "logger": "placed.polling.poller",
        "count": 2,
        "name": "Größe",
    }


def test_at_a_terminal_a_line_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up(LogFormat.TEXT) is LogFormat.TEXT
    structlog.get_logger("placed.polling.poller").info("rooms.were_found", count=2, building=None)
    (line,) = capsys.readouterr().err.splitlines()
    assert "rooms.were_found" in line
    assert "count=2" in line
    assert "building" not in line
    assert "\x1b" not in line  # no colours where it is no terminal


@pytest.mark.parametrize("form", [LogFormat.TEXT, LogFormat.JSON])
@pytest.mark.parametrize("name", ["placed.runtime.daemon", "placed_microsoft365.graph.client"])
def test_a_traceback_shows_places_and_no_values(
    form: LogFormat, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(form)
    fail(structlog.get_logger(name))
    output = capsys.readouterr().err
    assert "cannot go on" in output
    assert "no answer to" in output  # the cause is logged
    assert "open_mailbox" in output
    assert TOKEN not in output
    assert "hush" not in output


@pytest.mark.parametrize("form", [LogFormat.TEXT, LogFormat.JSON])
def test_so_does_that_of_a_library(form: LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(form)
    fail(logging.getLogger("asyncio"))
    output = capsys.readouterr().err
    assert "open_mailbox" in output
    assert "hush" not in output


def test_a_traceback_is_part_of_the_object(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogFormat.JSON)
    fail(structlog.get_logger("placed.runtime.daemon"))
    fail(logging.getLogger("asyncio"))
    for entry in log_entries(capsys):
        first, cause = entry["exception"]
        assert (first["exc_type"], cause["exc_type"]) == ("RuntimeError", "LookupError")
        assert all("locals" not in frame for part in (first, cause) for frame in part["frames"])


def test_libraries_log_only_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogFormat.JSON, verbose=True)
    library = logging.getLogger("msal.application")
    library.debug("acquiring a token for %s", "somebody@contoso.example")
    library.info("found a token")
    library.warning("the clock of %s is wrong", "login")
    assert [(entry["event"], entry["logger"]) for entry in log_entries(capsys)] == [
        ("the clock of login is wrong", "msal.application")
    ]


@pytest.mark.parametrize("verbose", [False, True])
def test_room_changes_are_logged_at_the_configured_level(
    capsys: pytest.CaptureFixture[str], *, verbose: bool
) -> None:
    set_up(LogFormat.JSON, verbose=verbose)
    for name in ("placed.board.status_log", "placed_microsoft365.graph.client"):
        structlog.get_logger(name).debug("room.became_busy")
    assert len(log_entries(capsys)) == (2 if verbose else 0)


# --- which form ---------------------------------------------------------------------------------------------


def test_a_stream_connected_to_the_journal_receives_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w") as journal, (tmp_path / "file").open("w") as file:
        found = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert form_for(journal) is LogFormat.JSON
        assert form_for(file) is LogFormat.TEXT  # inherited from a service that somebody works in


@pytest.mark.parametrize("journal", [None, "", "1:2", "nonsense"])
def test_any_other_stream_receives_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: str | None
) -> None:
    if journal is not None:
        monkeypatch.setenv("JOURNAL_STREAM", journal)
    with (tmp_path / "file").open("w") as file:
        assert form_for(file) is LogFormat.TEXT
    assert form_for(file) is LogFormat.TEXT  # closed
    assert form_for(io.StringIO()) is LogFormat.TEXT


def test_the_form_is_found_by_the_stream_that_is_written_to(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
    with os.fdopen(2, "w", closefd=False) as stderr:
        monkeypatch.setattr("sys.stderr", stderr)
        assert set_up() is LogFormat.JSON
    monkeypatch.undo()
    assert set_up() is LogFormat.TEXT
    del capfd
