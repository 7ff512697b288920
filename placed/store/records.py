"""The journal's records: their keys, their values as bytes, and the checksum over both. Pure."""

from __future__ import annotations

import zlib
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import asdict

from placed.domain.model import Reason, Schedule
from placed.domain.presence import PresenceState
from placed.domain.problem import Problem
from placed.driver import Fence, FenceState, FoundRoom

_T = TypeVar("_T")


def _field(name: str) -> bytes:
    return msgspec.msgpack.encode(name)


_TEXTS, _NIL = (_field("title"), _field("organizer")), b"\xc0"  # the range of MessagePack's integers
_encode = msgspec.msgpack.Encoder().encode


class Kind(StrEnum):
    """The kinds of records. The words are stored in the file."""

    EPOCH = "epoch"  # of the program: the number of its last start
    TICKETS = "tickets"  # of the program: the secret that makes them
    IDS = "ids"  # of a connection: address -> id
    OBJECTS = "objects"  # of a connection: object id -> id
    CONSENT = "consent"  # of a connection: a ConsentRecord
    FENCE = "fence"  # of a connection: a `FenceRecord`
    ROOMS = "rooms"  # of a connection: a `Listing`
    SCHEDULE = "schedule"  # of a room: a `Reading`
    CONFIRMED = "confirmed"  # of a connection: a `Confirmed`
    COMMAND = "command"  # by its key: a `CommandRecord`
    CHECK_INS = "check_ins"  # of a room, by its id: a tuple of `CheckedIn`
    NO_SHOWS = "no_shows"  # of a connection: a `NoShowRecord`


class Key(NamedTuple):
    """Identifies a record. `connection` and `room`, an address, are empty if they do not apply.

    Of commands and check-ins, `room` is the key of the command and the id of the room.
    """

    kind: Kind
    connection: str = ""
    room: str = ""


class Listing(msgspec.Struct, frozen=True):
    """The rooms of a connection as the service listed them, with a digest `mark` of the settings."""

    mark: str
    rooms: tuple[FoundRoom, ...]


class FenceRecord(msgspec.Struct, frozen=True):
    """The result of a trial of the fence; `warnings` are kept as the lines that were published."""

    state: FenceState
    checked_at: datetime | None = None
    enforce: bool = True
    excess: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    awaits_rooms: bool = False
    remedy: str = ""

    @classmethod
    def of(cls, fence: Fence) -> FenceRecord:
        """The record of a result."""
        return cls(**{**asdict(fence), "warnings": tuple(warning.line for warning in fence.warnings)})

    @property
    def fence(self) -> Fence:
        """The result; each warning is a text, and its remedy is part of it."""
        return Fence(**{**asdict(self), "warnings": tuple(Problem("", line) for line in self.warnings)})


class Reading(msgspec.Struct, frozen=True):
    """The last reading of a room, and since when its occupancy is the same."""

    schedule: Schedule
    changed_at: datetime


class LastPresence(msgspec.Struct, frozen=True, array_like=True):
    """The last known presence of a room, as far as it may be shown, and never a count."""

    state: PresenceState
    since: datetime
    valid_until: datetime


class Again(msgspec.Struct, frozen=True, array_like=True):
    """When a room was last read, and why later readings failed.

    `checksum` identifies the confirmed reading: a confirmation counts for no other.
    """

    read_at: datetime
    failure: Reason | None
    checksum: int
    presence: LastPresence | None = None


class Confirmed(msgspec.Struct, frozen=True):
    """The confirmations of all rooms of a connection, and both clocks at that time.

    Attributes:
        wall: the time by which rooms were judged.
        corrected: whether the machine's clock was wrong, so that this was the services' time.
    """

    wall: datetime
    steady: float
    rooms: dict[str, Again]
    corrected: bool = False


class Saved(msgspec.Struct, frozen=True, gc=False):
    """The stored reading of a room, and the checksum of that record."""

    schedule: Schedule
    changed_at: datetime
    checksum: int


def encoded(value: Any) -> bytes:
    """Encodes a record's value."""
    return _encode(value)


def decoded(value: bytes | None, kind: type[_T]) -> _T | None:
    """Decodes a value of that kind; None if there is none, or if it is invalid."""
    if value is None:
        return None
    try:
        return msgspec.msgpack.decode(value, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def holds_text(reading: bytes) -> bool:
    """Returns whether a room's record may contain a title or a name, by its bytes: nearly none does."""
    return any(reading.count(field) != reading.count(field + _NIL) for field in _TEXTS)


def checksum(key: Key, value: bytes) -> int:
    """Returns the CRC-32 of a record; a record that does not match it is ignored."""
    return zlib.crc32(value, zlib.crc32("\0".join(key).encode()))
