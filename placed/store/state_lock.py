"""One daemon for each state directory: a lock that is held as long as the process lives."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem

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

    Both the directory and a file in it are locked: the directory since the file may be deleted, or not be
    written; the file since it names the holder, and since file systems without locks on directories exist.
    Where neither can be had (a network file system without locks) it goes on without, as the journal does.

    Raises:
        CannotStart: another daemon holds it.
    """
    with ExitStack() as stack:
        for open_it in (_opened, _opened_directory):
            try:
                lock = open_it(directory)
            except OSError as error:
                log.debug("state.is_not_locked", path=str(directory / NAME), problem=error.strerror)
                continue
            # The file stays: removing it could take it from under another daemon that waits for it.
            stack.callback(os.close, lock)
            _lock(lock, directory)
        _sign(directory)
        yield


def _opened(directory: Path) -> int:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.open(directory / NAME, flags, 0o600)
    if os.geteuid() == 0:  # in another user's directory it has to stay that user's
        owner = directory.stat()
        with suppress(OSError):
            os.fchown(file, owner.st_uid, owner.st_gid)
    return file


def _opened_directory(directory: Path) -> int:
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _lock(lock: int, directory: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            problem = Problem(
                f"state directory {directory}",
                f"another placed uses it{_holder(directory)}",
                "stop that one, or give this one a directory of its own with the environment variable "
                "STATE_DIRECTORY",
            )
            raise CannotStart(problem) from None
        log.warning("state.is_not_locked", path=str(directory / NAME), problem=error.strerror)
        return


def _sign(directory: Path) -> None:
    """Writes down which process holds it."""
    with suppress(OSError):  # a full disk, or no such file: the lock counts, and not what the file holds
        file = os.open(directory / NAME, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
        finally:
            os.close(file)


def _holder(directory: Path) -> str:
    """Which process that is, as far as it has written it down."""
    with suppress(OSError):
        file = os.open(directory / NAME, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            written = os.read(file, _LONGEST)
        finally:
            os.close(file)
        pid, _, host = written.decode("ascii", "replace").strip().partition(" ")
        if pid.isdecimal():
            elsewhere = f" on {host}" if host and host != socket.gethostname() else ""
            return f" (process {pid}{elsewhere})"
    return ""
