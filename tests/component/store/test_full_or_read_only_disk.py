"""A disk that is full, and one that may only be read: a real one, of some kilobytes."""

from __future__ import annotations

import subprocess
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.domain.privacy import Show
from placed.store import Journal, Memory
from tests.component.store.daemon_run import ROOMS, DaemonRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import RawIOBase
    from pathlib import Path


@contextmanager
def disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of its own."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"only root can make a disk: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def fill(filler: RawIOBase) -> None:
    """Until nothing more fits."""
    with suppress(OSError):
        while filler.write(bytes(4096)):
            pass


async def test_a_full_disk_is_reported_once_and_everything_is_written_when_space_is_free(
    tmp_path: Path,
) -> None:
    with disk(tmp_path / "disk", 256) as folder, closing(Journal(folder)) as journal:
        daemon_run = DaemonRun(journal, show=Show.EVERYTHING)
        daemon_run.enroll()
        daemon_run.read("boardroom", ("9:30", "10:00"))
        await daemon_run.store_writer.write_all()
        with (folder / "filler").open("ab", buffering=0) as filler, capture_logs() as logs:
            fill(filler)
            for minute in range(30):
                daemon_run.pass_(minutes=1)
                daemon_run.read(
                    "boardroom", *((f"{10 + hour}:{minute:02}", f"{11 + hour}:00") for hour in range(9))
                )
                daemon_run.read(
                    "library", *((f"{10 + hour}:{minute:02}", f"{11 + hour}:00") for hour in range(9))
                )
                await daemon_run.store_writer.write_all()
                journal.save(Memory(minute, {f"contoso/{n}@x": str(n) for n in range(200)}))
            filler.truncate(0)
            await daemon_run.store_writer.write_all()
        reported = [entry["event"] for entry in logs if entry["log_level"] != "debug"]
        assert reported == ["journal.is_not_kept", "journal.is_kept_again"]
        assert journal.load().epoch == 29
        recalled = daemon_run.later(seconds=1).recalled()
        for name in ROOMS:
            now = daemon_run.board.known_of(name)
            assert now
            assert recalled[name].schedule == now.schedule


async def test_where_it_may_only_be_read_placed_goes_on_without(tmp_path: Path) -> None:
    with disk(tmp_path / "disk", 256) as folder:
        with closing(Journal(folder)) as journal:
            journal.save(Memory(7, {"contoso/a@x": "a"}))
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)  # noqa: ASYNC221 - it is done at once
        with capture_logs() as logs, closing(Journal(folder)) as journal:
            daemon_run = DaemonRun(journal)
            daemon_run.enroll()
            daemon_run.read("boardroom")
            await daemon_run.store_writer.write_all()
            journal.save(Memory(8, {"contoso/a@x": "a"}))
            assert journal.load() == Memory(8, {"contoso/a@x": "a"})
        assert [entry["event"] for entry in logs] == ["journal.is_not_kept"]
        assert logs[0]["problem"] == "Read-only file system"
