"""Parses the documents that a panel receives; anybody may have written them. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from placed.domain.model import Status

SCHEMA = 1

_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class _Next(msgspec.Struct):
    start: _Time


class StateHeard(msgspec.Struct):
    """The fields of the state document that a panel needs."""

    schema: int
    room: str
    name: str
    status: Status
    stale: bool
    valid_until: _Time
    epoch: int
    seq: int
    next: _Next | None = None
    busy_until: _Time | None = None
    free_until: _Time | None = None
    observed_at: _Time | None = None
    reason: str | None = None


class _Bridge(msgspec.Struct):
    state: str


class EntryHeard(msgspec.Struct):
    """The fields of an index entry that a panel needs."""

    id: str
    name: str
    building: str | None = None
    floor: str | None = None
    capacity: int | None = None


class _Index(msgspec.Struct):
    rooms: list[EntryHeard]


_read_state = msgspec.json.Decoder(StateHeard).decode
_read_bridge = msgspec.json.Decoder(_Bridge).decode
_read_index = msgspec.json.Decoder(_Index).decode


def understood_state(room: str, payload: bytes) -> StateHeard | None:
    """Returns the state of the room; None if it is invalid, of another room or of another schema."""
    try:
        document = _read_state(payload)
    except _BROKEN:
        return None
    return document if document.schema == SCHEMA and document.room == room else None


def understood_bridge(payload: bytes) -> str | None:
    """Returns `online`, `offline` or another word; None if the document is invalid."""
    try:
        return _read_bridge(payload).state
    except _BROKEN:
        return None


def understood_index(payload: bytes) -> list[EntryHeard] | None:
    """Returns the rooms of the index; None if it is invalid."""
    try:
        return _read_index(payload).rooms
    except _BROKEN:
        return None
