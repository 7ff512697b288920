"""Parses the documents that a panel receives; anybody may have written them. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from placed.domain.model import Status
from placed.domain.presence import Use

SCHEMA = 1

_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_USES = frozenset(use.value for use in Use)
_Time = Annotated[datetime, msgspec.Meta(tz=True)]


class _Next(msgspec.Struct):
    start: _Time


class PresenceHeard(msgspec.Struct, frozen=True):
    """The presence of a room: `present`, `empty` or `unknown`, which any other word counts as."""

    state: str
    since: _Time
    valid_until: _Time
    count: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None

    def at(self, moment: datetime, valid_until: datetime) -> PresenceHeard:
        """The presence at a moment; unknown once it is not valid any more, as long as the room's state is."""
        if moment < self.valid_until:
            return self
        return PresenceHeard("unknown", self.valid_until, valid_until)


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
    presence: Any = None  # `understood_state` parses it
    use: Any = None

    @property
    def ends(self) -> list[datetime]:
        """When the state is not valid any more, and its presence."""
        presence: PresenceHeard | None = self.presence
        return [self.valid_until] if presence is None else [self.valid_until, presence.valid_until]

    def presence_at(self, moment: datetime) -> PresenceHeard | None:
        """The presence at a moment; None if there is none."""
        presence: PresenceHeard | None = self.presence
        return presence.at(moment, self.valid_until) if presence is not None else None

    def use_at(self, moment: datetime) -> str | None:
        """How the room is used at a moment; None if that is not known."""
        presence = self.presence_at(moment)
        known = presence is not None and presence.state != "unknown" and isinstance(self.use, str)
        return self.use if known and self.use in _USES else None


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
    """Returns the state of the room; None if it is invalid, of another room or of another schema.

    A presence that is invalid counts as none: the status is shown all the same.
    """
    try:
        document = _read_state(payload)
    except _BROKEN:
        return None
    try:
        document.presence = msgspec.convert(document.presence, PresenceHeard | None)
    except msgspec.ValidationError:
        document.presence = None
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
