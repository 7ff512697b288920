"""What a record of the journal is: its key, its value as bytes, and the checksum over both. Pure."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import msgspec

from placed.domain.model import Reason, Schedule
from placed.driver import FoundRoom

_T = TypeVar("_T")


def _field(name: str) -> bytes:
    return msgspec.msgpack.encode(name)


_TEXTS, _NIL = (_field("title"), _field("organizer")), b"\xc0"  # as MessagePack has them
_encode = msgspec.msgpack.Encoder().encode


class Kind(StrEnum):
    """What a record tells. The words are in the file."""

    EPOCH = "epoch"  # of the program: the number of its last start
    IDS = "ids"  # of a connection: address -> id
    OBJECTS = "objects"  # of a connection: object id -> id
    CONSENT = "consent"  # of a connection: a ConsentRecord
    FENCE = "fence"  # of a connection: a Fence
    ROOMS = "rooms"  # of a connection: a `Listing`
    SCHEDULE = "schedule"  # of a room: a `Reading`
    CONFIRMED = "confirmed"  # of a connection: a `Confirmed`


class Key(NamedTuple):
    """Names a record. `connection` and `room`, an address, are empty where it is not of one."""

    kind: Kind
    connection: str = ""
    room: str = ""


class Listing(msgspec.Struct, frozen=True):
    """The rooms of a connection as the service listed them, under settings that `mark` is a digest of."""

    mark: str
    rooms: tuple[FoundRoom, ...]


class Reading(msgspec.Struct, frozen=True):
    """What was read of a room, and since when its occupancy is what it is."""

    schedule: Schedule
    changed_at: datetime


class Again(msgspec.Struct, frozen=True, array_like=True):
    """When a room was last read, and why it could not be since.

    `checksum` is that of the reading that was confirmed: a confirmation counts for no other.
    """

    read_at: datetime
    failure: Reason | None
    checksum: int


class Confirmed(msgspec.Struct, frozen=True):
    """What is noted of all rooms of a connection at once, and the two clocks as they stood then.

    Attributes:
        wall: the time by which rooms were judged.
        corrected: whether the machine's clock was wrong, so that this was the services' time.
    """

    wall: datetime
    steady: float
    rooms: dict[str, Again]
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """The reading of a room as the journal has it, and the checksum of that record."""

    schedule: Schedule
    changed_at: datetime
    checksum: int


def encoded(value: Any) -> bytes:
    """A value as a record keeps it."""
    return _encode(value)


def decoded(value: bytes | None, kind: type[_T]) -> _T | None:
    """The value of that kind; None where there is none, or it is of no use."""
    if value is None:
        return None
    try:
        return msgspec.msgpack.decode(value, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def holds_text(reading: bytes) -> bool:
    """Whether a record of a room may hold a title or a name; a look at the bytes, since nearly none does."""
    return any(reading.count(field) != reading.count(field + _NIL) for field in _TEXTS)


def checksum(key: Key, value: bytes) -> int:
    """CRC-32 of a record; what does not agree with it counts as not there."""
    return zlib.crc32(value, zlib.crc32("\0".join(key).encode()))
