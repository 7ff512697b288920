"""Files that a person names are read without waiting and without end, whatever they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from placed.driver import SettingsError
from placed.driver.file_content import read_file_content
from placed.driver.host_checks import problem_of_ca
from placed.driver.network.tls_and_proxy import tls_context
from placed.driver.secret_file import read_secret
from placed.driver.shared_findings import look_at_secrets
from placed.settings.loader import ConfigurationError, load
from placed.store.database import Database


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """A named pipe that no program writes to."""
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    return path


@pytest.mark.timeout(10)
def test_a_named_pipe_is_refused_at_once(pipe: Path) -> None:
    with pytest.raises(OSError, match="it is a named pipe, not a file"):
        read_file_content(pipe, 100)


@pytest.mark.timeout(10)
def test_a_pipe_of_the_shell_is_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"s3cret")
    os.close(writing)
    assert read_file_content(Path(f"/dev/fd/{reading}"), 100)[0] == b"s3cret"
    os.close(reading)


@pytest.mark.timeout(10)
def test_a_terminal_that_nobody_types_at_is_empty() -> None:
    """As the kernel's log, it would be waited for."""
    typed, terminal = os.openpty()
    assert read_file_content(Path(os.ttyname(terminal)), 100)[0] == b""
    os.close(typed)
    os.close(terminal)


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(OSError, match="File too large"):
        read_file_content(Path("/dev/zero"), 100)


@pytest.mark.timeout(10)
def test_every_reader_of_the_settings_files_refuses_a_named_pipe(pipe: Path) -> None:
    with pytest.raises(ConfigurationError, match="named pipe"):
        load(pipe)
    with pytest.raises(OSError, match="named pipe"):
        read_secret(pipe)
    with pytest.raises(SettingsError, match=r"ca_file: .*named pipe"):
        tls_context(pipe)
    found = problem_of_ca(pipe)
    assert found is not None
    assert "named pipe" in found.text
    (found,) = look_at_secrets([("password_file", pipe)])
    assert "named pipe" in found.text


@pytest.mark.timeout(10)
def test_a_named_pipe_is_no_journal(pipe: Path) -> None:
    with pytest.raises(OSError, match="it is not a file"):
        Database.open(pipe)


@pytest.mark.timeout(10)
def test_a_device_is_no_ca_file() -> None:
    with pytest.raises(SettingsError, match="/dev/zero cannot be read: File too large"):
        tls_context(Path("/dev/zero"))


def test_a_secret_is_read_without_the_byte_order_mark_of_an_editor(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes("s3cret\r\n".encode("utf-8-sig"))
    path.chmod(0o600)
    assert read_secret(path) == b"s3cret\r\n"
