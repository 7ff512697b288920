"""Paths as people mistype them: relative, too long, in a loop, no folder. Each is a line, no traceback."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from placed.cli import main
from placed.cli.commands import app
from placed.doctor.local_file_checks import look_at_state, remembered
from placed.domain.exit_errors import CannotStart
from placed.driver import Verdict, read_secret
from placed.store import Journal, state_directory
from placed.store.database import Database
from placed.store.persistent_state import Memory
from tests.support.secret_files import write_secret
from tests.unit.settings.test_loader import CONNECTION

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = "n" * 300


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Some commands switch logging off for the rest of their process, which here is that of all tests."""
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder, without any setting of the machine's."""
    for name in ("PLACED_CONFIG", "CREDENTIALS_DIRECTORY", "STATE_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("x")
    write_secret(tmp_path / "secret", "hush")
    text = CONNECTION.replace("/run/secret", str(tmp_path / "secret"))
    (tmp_path / "placed.toml").write_text(f'{text}[http]\nlisten = ""\n')
    return tmp_path


def odd() -> list[str]:
    return ["", "st", "st/../st", "none/st", "loop", "loop/st", "file", "file/st", LONG, f"{LONG}/st", "a\0b",
            os.fsdecode(b"\xff"), "a\nb", "a?b#c%20", "/proc/none/st"]  # fmt: skip


@pytest.mark.parametrize("directory", odd())
def test_the_doctor_looks_at_any_state_directory(directory: str) -> None:
    finding = look_at_state(Path(directory))
    assert finding.check == "state"
    assert finding.verdict is Verdict.GOOD or finding.remedy
    assert remembered(Path(directory)).records == {}


@pytest.mark.parametrize("directory", ["st", "a?b#c%20", os.fsdecode(b"\xff")])
def test_the_doctor_reads_what_is_kept_in_a_relative_state_directory(directory: str) -> None:
    journal = Journal(Path(directory))
    journal.save(Memory(epoch=7))
    journal.close()
    finding = look_at_state(Path(directory))
    assert (finding.verdict, finding.remedy) == (Verdict.GOOD, "")
    Database.read_only(Path(directory) / "journal.db").close()


@pytest.mark.parametrize("directory", odd())
def test_a_journal_in_any_state_directory_is_one_complaint_at_most(directory: str) -> None:
    journal = Journal(Path(directory))
    journal.save(Memory(epoch=7))
    assert journal.load().epoch == 7
    journal.close()


def test_no_home_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(CannotStart, match="STATE_DIRECTORY: not set, and this user has no home folder"):
        state_directory()


@pytest.mark.parametrize("path", odd())
@pytest.mark.parametrize("command", ["check", "doctor", "rooms", "setup", "consent", "disconnect", "watch"])
def test_no_command_trips_over_the_name_of_a_configuration(
    command: str, path: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACED_CONFIG", "" if "\0" in path else path)
    arguments = {"consent": ["contoso", "--link"], "disconnect": ["contoso"], "watch": ["--once"]}
    given = {"rooms": ["--url", "http://127.0.0.1:1", "--once"]}.get(command, ["--config", path])
    result = CliRunner().invoke(app, [command, *arguments.get(command, []), *given])
    assert isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code in (1, 2, 3)
    assert "Traceback" not in result.output
    assert list(here.glob("placed-setup-*")) == []


@pytest.mark.parametrize(
    "path", [path for path in odd() if path not in ("", "st", "st/../st", "none/st", "a\0b")]
)
def test_setup_reports_an_unwritable_folder_in_one_line(path: str) -> None:
    settings = ("tenant=contoso.example", "rooms=a@contoso.example", "fence.canaries=b@contoso.example")
    given = [word for pair in settings for word in ("--set", pair)]
    result = CliRunner().invoke(app, ["setup", "contoso", "--output", path, *given])
    assert isinstance(result.exception, SystemExit) or result.exit_code == 0, result.exc_info
    assert result.exit_code in (0, 1)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("length", [43, 58, 64, 300])
def test_setup_refuses_a_name_that_is_too_long_for_what_it_makes(length: int) -> None:
    settings = ("tenant=contoso.example", "rooms=a@contoso.example", "fence.canaries=b@contoso.example")
    given = [word for pair in settings for word in ("--set", pair)]
    result = CliRunner().invoke(app, ["setup", "n" * length, *given])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line == (
        f"placed: NAME: found {length} characters, expected at most 42: "
        "Exchange Online takes 64 for the names that are made of it"
    )


def test_setup_takes_the_longest_name_that_it_allows(here: Path) -> None:
    settings = ("tenant=contoso.example", "rooms=a@contoso.example", "fence.canaries=b@contoso.example")
    given = [word for pair in settings for word in ("--set", pair)]
    result = CliRunner().invoke(app, ["setup", "n" * 42, *given])
    assert result.exit_code == 0, result.output
    made = (here / f"placed-setup-{'n' * 42}" / "fence-rbac.ps1").read_text()
    assert f"'placed-{'n' * 42}-calendars-read'" in made
    assert len(f"placed-{'n' * 42}-calendars-read") == 64


def test_a_file_that_fails_anywhere_in_a_command_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def trips() -> None:
        raise PermissionError(13, "Permission denied", "/srv/\udcff")

    monkeypatch.setattr("placed.cli.commands.app", trips)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "placed: /srv/\\udcff: Permission denied\n"


@pytest.mark.parametrize("error", [OSError("a bug"), ValueError("a bug")])
def test_what_is_no_file_still_shows_where_it_happened(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def trips() -> None:
        raise error

    monkeypatch.setattr("placed.cli.commands.app", trips)
    with pytest.raises(type(error), match="a bug"):
        main()


@pytest.mark.parametrize("command", [["check"], ["run"], ["doctor"]])
def test_a_configuration_without_an_end_is_one_line(command: list[str]) -> None:
    """A device, which was read until all memory was used."""
    result = CliRunner().invoke(app, [*command, "-c", "/dev/zero"])
    assert result.exit_code in (1, 3)
    assert "/dev/zero: is no configuration: it has more than 16 MiB" in result.output


def test_a_secret_without_an_end_is_an_error_of_the_file() -> None:
    with pytest.raises(OSError, match="File too large"):
        read_secret(Path("/dev/zero"))


@pytest.mark.parametrize("option", ["--http-port", "--mqtt-port"])
@pytest.mark.parametrize("port", ["-1", "65536"])
def test_the_demo_refuses_a_port_that_cannot_be(option: str, port: str) -> None:
    assert CliRunner().invoke(app, ["demo", option, port]).exit_code == 2


def test_watch_names_a_base_topic_that_is_no_text() -> None:
    arguments = ["watch", "--once", "--broker", "mqtt://127.0.0.1:1", "--base-topic", os.fsdecode(b"\xff")]
    result = CliRunner().invoke(app, arguments)
    assert isinstance(result.exception, SystemExit)
    assert "expected topic levels" in result.output
