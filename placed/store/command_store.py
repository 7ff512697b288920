"""Stores commands of panels with their outcomes, and check-ins; without titles and names.

A command is stored before anything is written to a calendar. If the process is killed in between, the next
start finds what was about to be written, looks whether it is there, and never writes it again.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from placed.domain.action import Command, Reply
from placed.domain.check_in_rules import CheckedIn
from placed.store.records import Key, Kind, decoded, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from placed.store.connection_store import Records


class IntentKind(StrEnum):
    """What was about to be written."""

    SHORTEN = "shorten"
    RELEASE = "release"
    BOOK = "book"
    WITHDRAW = "withdraw"


class Intent(msgspec.Struct, frozen=True):
    """An order that was about to be carried out.

    Attributes:
        start, end: of a booking that is made; `end` also of one that is shortened.
        meeting: the key of the meeting that is changed.
        version: of its booking before the change; None if it is not known.
    """

    kind: IntentKind
    start: datetime | None = None
    end: datetime | None = None
    meeting: str | None = None
    version: str | None = None


class CommandRecord(msgspec.Struct, frozen=True):
    """A command that was accepted.

    Attributes:
        at: when it was.
        intent: the last order that was about to be carried out; None if there was none.
        reply: the final one; None if the process ended before.
    """

    command: Command
    at: datetime
    intent: Intent | None = None
    reply: Reply | None = None


class CommandStore:
    """The commands and the check-ins in the journal."""

    def __init__(self, journal: Records) -> None:
        self._journal = journal

    def load(self) -> Iterator[tuple[str, CommandRecord]]:
        """Returns every command, with the connection under which it is stored."""
        for key, value in self._journal.all(Kind.COMMAND).items():
            record = decoded(value, CommandRecord)
            if record is not None:
                yield key.connection, record

    def save(self, connection: str, record: CommandRecord) -> None:
        """Stores a command, or what has become of it."""
        self._journal.write([(Key(Kind.COMMAND, connection, record.command.key), encoded(record))])

    def forget(self, keys: Iterable[str]) -> None:
        """Deletes commands."""
        gone = set(keys)
        if gone:
            stored = self._journal.all(Kind.COMMAND)
            self._journal.write((key, None) for key in stored if key.room in gone)

    def load_check_ins(self) -> Iterator[tuple[str, tuple[CheckedIn, ...]]]:
        """Returns the check-ins of every room, by its id."""
        for key, value in self._journal.all(Kind.CHECK_INS).items():
            yield key.room, decoded(value, tuple[CheckedIn, ...]) or ()

    def save_check_ins(self, connection: str, room_id: str, check_ins: tuple[CheckedIn, ...]) -> None:
        """Replaces the check-ins of a room."""
        self._journal.write(
            [(Key(Kind.CHECK_INS, connection, room_id), encoded(check_ins) if check_ins else None)]
        )
