"""What is remembered across restarts: the epoch, and the ids that rooms were given."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec
import structlog

log = structlog.get_logger("placed.state")


def state_directory() -> Path:
    """Systemd's StateDirectory, or the user's own (XDG base directories)."""
    given = os.environ.get("STATE_DIRECTORY")
    if given:
        return Path(given.split(":")[0])
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "placed"


@dataclass(slots=True)
class Memory:
    """The content of the state file."""

    epoch: int = 0
    room_ids: dict[str, str] = field(default_factory=dict)  # "connection/address" -> id


class StateFile:
    """Keeps a `Memory` in a file. Where that can not be done it is said once, and placed goes on without."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.path = directory / "state.json"
        self._complained = False
        self._written: bytes | None = None
        self._saved: Memory | None = None  # by this process, whether it could be written or not

    def load(self) -> Memory:
        """What this process saved last, else what the file says; nothing, if that is of no use."""
        if self._saved is not None:
            return self._saved
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return Memory()
        except OSError as error:
            self._complain(error.strerror or "unreadable")
            return Memory()
        try:
            return msgspec.json.decode(content, type=Memory)
        except (msgspec.DecodeError, UnicodeDecodeError):
            aside = self.path.with_suffix(".broken")
            self._complain(f"no state of placed; kept as {aside}")
            try:
                self.path.replace(aside)
            except OSError as error:
                self._complain(error.strerror or "unwritable")
            return Memory()

    def save(self, memory: Memory) -> None:
        """Replaces the file at once, so that a crash leaves the old one or the new one."""
        self._saved = memory
        content = msgspec.json.encode(memory)
        if content == self._written:
            return
        try:
            self._write(content)
        except OSError as error:
            self._complain(error.strerror or "unwritable")
        else:
            self._written = content

    def rooms_of(self, connection: str) -> int:
        """How many rooms of a connection have an id, by what the file says.

        Raises:
            OSError: it can not be read.
            ValueError: it is no state of placed.
        """
        return sum(_is_of(connection, key) for key in self._read().room_ids)

    def forget(self, connection: str) -> int:
        """Takes the rooms of a connection out of the file; how many. For a command, while no daemon has it.

        Raises:
            OSError: it can not be read or written.
            ValueError: it is no state of placed.
        """
        memory = self._read()
        kept = {key: room_id for key, room_id in memory.room_ids.items() if not _is_of(connection, key)}
        if len(kept) < len(memory.room_ids):
            self._write(msgspec.json.encode(replace(memory, room_ids=kept)))
        return len(memory.room_ids) - len(kept)

    def _read(self) -> Memory:
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Memory)
        except FileNotFoundError:
            return Memory()

    def _write(self, content: bytes) -> None:
        """In a directory of another user's, root leaves the file to that user."""
        draft = self.path.with_suffix(".new")
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if os.geteuid() == 0:
            owner = self.path.parent.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
        draft.replace(self.path)

    def _complain(self, problem: str) -> None:
        if not self._complained:
            log.warning("state.is_not_kept", path=str(self.path), problem=problem)
        self._complained = True


def _is_of(connection: str, key: str) -> bool:
    return key.partition("/")[0] == connection


def next_epoch(memory: Memory, unix_seconds: float) -> int:
    """The number of this start: greater than any before, also where nothing could be remembered."""
    return max(memory.epoch + 1, int(unix_seconds))
