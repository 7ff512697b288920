"""Two daemons on one state directory: the second is refused, whatever became of the first."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.exit_errors import CannotStart
from placed.store.state_lock import NAME, locked
from tests.support.mosquitto import Mosquitto
from tests.support.placed_process import Program, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.deployment import Deployment


async def test_a_second_daemon_is_refused_and_the_first_keeps_running(deployment: Deployment) -> None:
    """Though it has another configuration, another broker and another port."""
    deployment.configure()
    first_file = deployment.file.rename(deployment.folder / "first.toml")
    other = Mosquitto(deployment.folder / "other")
    deployment.configure(mqtt={"url": other.url, "base_topic": "other"})
    arguments = ("--log-format", "json")
    async with Program.start(deployment.folder, "run", "-c", first_file, *arguments) as first:
        await first.logged("daemon.became_ready")
        code, second = await run(deployment.folder, "run", "-c", deployment.file, *arguments)
        assert code == 3
        (output,) = [e["problem"] for e in second.logs if e["event"] == "daemon.could_not_start"]
        assert output == (
            f"state directory {deployment.state_directory}: "
            f"another placed uses it (process {first.process.pid}); "
            "stop that one, or give this one a directory of its own with the environment variable "
            "STATE_DIRECTORY"
        )
        first.signal(signal.SIGHUP)
        await first.logged("configuration.was_reloaded")
        code, second = await run(deployment.folder, "run", "-c", deployment.file, *arguments)
        assert code == 3  # after a reload as well
        first.signal(signal.SIGTERM)
        assert await first.ends() == 0
        assert not [e for e in first.logs if e["event"].startswith("journal.")]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
async def test_a_daemon_that_ended_leaves_no_lock_behind(
    deployment: Deployment, number: signal.Signals
) -> None:
    deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    for _ in range(2):
        async with Program.start(deployment.folder, *arguments) as program:
            await program.logged("daemon.became_ready")
            program.signal(number)
            await program.ends()


async def test_commands_work_beside_a_running_daemon(deployment: Deployment) -> None:
    deployment.configure()
    async with Program.start(
        deployment.folder, "run", "-c", deployment.file, "--log-format", "json"
    ) as program:
        await program.logged("daemon.became_ready")
        code, _ = await run(
            deployment.folder, "disconnect", "contoso", "-c", deployment.file, "--yes", "--force",
            "--state-directory", deployment.state_directory,
        )  # fmt: skip
        assert code == 0


def test_only_its_owner_may_access_the_lock_file(tmp_path: Path) -> None:
    directory = tmp_path / "not" / "there"
    with locked(directory):
        assert (directory / NAME).stat().st_mode & 0o777 == 0o600
        assert directory.stat().st_mode & 0o777 == 0o700
        with pytest.raises(CannotStart, match=f"process {os.getpid()}"), locked(directory):
            pass
    with locked(directory):
        pass


def _delete(file: Path) -> None:
    file.unlink()


def _link_elsewhere(file: Path) -> None:
    file.unlink()
    file.symlink_to("/etc/hostname")


def _make_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("tamper", [_delete, _link_elsewhere, _make_a_folder])
def test_it_holds_without_its_file_too(tmp_path: Path, tamper: Callable[[Path], None]) -> None:
    """As after a clean-up of the state directory by hand; a link to the directory is the same one."""
    directory = tmp_path / "state"
    link = tmp_path / "link"
    link.symlink_to(directory)
    with locked(directory):
        tamper(directory / NAME)
        for path in (directory, link):
            with pytest.raises(CannotStart, match="another placed uses it"), locked(path):
                pass
    with locked(link):
        pass


def test_a_holder_that_wrote_nothing_is_reported_without_a_number(tmp_path: Path) -> None:
    with locked(tmp_path):
        (tmp_path / NAME).write_bytes(b"\xff\0")
        with pytest.raises(CannotStart, match="another placed uses it; stop"), locked(tmp_path):
            pass


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_no_lock_can_be_had_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """As on a network file system whose server has no locks."""

    def flock(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked(tmp_path):
        pass


def test_a_state_directory_that_is_none_is_left_to_the_journal(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no directory")
    with locked(tmp_path / "state"):
        pass
