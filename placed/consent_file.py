"""Keeps what is known of consent in the state directory, a file a connection.

Daemon and commands share it: `placed consent` writes what an administrator was asked or answered while the
daemon runs, and the daemon what it sees. Whoever writes replaces the file at once.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import structlog

from placed.consents import ConsentMemory, ConsentRecord

if TYPE_CHECKING:
    from pathlib import Path

log = structlog.get_logger("placed.consent")

_NOTHING = ConsentRecord()


class ConsentFile(ConsentMemory):
    """The file of one connection. Where it can not be kept that is said once, and placed goes on without."""

    def __init__(self, directory: Path, connection: str) -> None:
        super().__init__()
        self.path = directory / "consent" / f"{connection}.json"
        self._seen: tuple[int, int, int] | None = (
            None  # inode, time and size of what was read or written last
        )
        self._complained = False

    def load(self) -> ConsentRecord:
        """What is known now. A file of no use counts as none, and is overwritten with the next."""
        try:
            found = self.path.stat()
            mark = (found.st_ino, found.st_mtime_ns, found.st_size)
            if mark != self._seen:
                self._record = msgspec.json.decode(self.path.read_bytes(), type=ConsentRecord)
                self._seen = mark
        except FileNotFoundError:
            if self._seen is not None:  # somebody took it away: `placed disconnect`
                self._record, self._seen = _NOTHING, None
        except OSError as error:
            self._complain(error.strerror or "unreadable")
        except (msgspec.MsgspecError, ValueError):
            self._complain("no record of placed")
        return self._record

    def save(self, record: ConsentRecord) -> None:
        """Replaces it. In a directory of another user's, root leaves the file to that user."""
        self._record = record
        draft = self.path.with_suffix(f".{os.getpid()}.new")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            owner = self.path.parent.parent.stat()
            draft.write_bytes(msgspec.json.encode(record))
            draft.chmod(0o600)
            if os.geteuid() == 0:
                for path in (self.path.parent, draft):
                    os.chown(path, owner.st_uid, owner.st_gid)
            draft.replace(self.path)
            found = self.path.stat()
            self._seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        except OSError as error:
            self._complain(error.strerror or "unwritable")

    def forget(self) -> bool:
        """Takes it away; whether there was one."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True

    def _complain(self, problem: str) -> None:
        if not self._complained:
            log.warning("consent.is_not_kept", path=str(self.path), problem=problem)
        self._complained = True
