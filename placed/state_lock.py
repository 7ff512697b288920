"""One daemon for each state directory: a lock that is held as long as the process lives."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from placed.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "daemon.lock"
_HELD = (errno.EWOULDBLOCK, errno.EACCES)  # what flock(2) answers where another process has the lock
_LONGEST = 200  # bytes of what the holder has written

log = structlog.get_logger("placed.state")


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds the lock of a state directory until the end of the block; the kernel releases it if we die.

    Where no lock can be had (a read-only directory, a network file system without locks) it goes on without,
    as the journal does.

    Raises:
        CannotStart: another daemon holds it.
    """
    try:
        file = _opened(directory)
    except OSError as error:
        log.debug("state.is_not_locked", path=str(directory / NAME), problem=error.strerror)
        yield
        return
    try:
        _lock(file, directory)
        yield
    finally:
        os.close(
            file
        )  # the file stays: removing it could take it from under another daemon that waits for it


def _opened(directory: Path) -> int:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(directory / NAME, flags, 0o600)
    if os.geteuid() == 0:  # in another user's directory it has to stay that user's
        owner = directory.stat()
        with suppress(OSError):
            os.fchown(file, owner.st_uid, owner.st_gid)
    return file


def _lock(file: int, directory: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            raise CannotStart(
                f"state directory {directory}: another placed uses it{_holder(file)}; stop that one, or give "
                "this one a directory of its own with the environment variable STATE_DIRECTORY"
            ) from None
        log.warning("state.is_not_locked", path=str(directory / NAME), problem=error.strerror)
        return
    with suppress(OSError):  # a full disk: the lock counts, and not what the file holds
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)


def _holder(file: int) -> str:
    """Which process that is, as far as it has written it down."""
    with suppress(OSError):
        pid, _, host = os.pread(file, _LONGEST, 0).decode("ascii", "replace").strip().partition(" ")
        if pid.isdecimal():
            elsewhere = f" on {host}" if host and host != socket.gethostname() else ""
            return f" (process {pid}{elsewhere})"
    return ""
