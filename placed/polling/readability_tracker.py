"""Tracks which rooms of a connection are readable, from one answer to the next."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import Reason
from placed.domain.room_readability import DOUBTED, RoomReadability, outside_fence

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from placed.domain.room_readability import ReadFailure

_GONE = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND})


class ReadabilityTracker:
    """Of all rooms of a connection.

    Args:
        grant_delay: how long a change of the fence's group takes to be in effect; zero if unknown.
    """

    def __init__(self, grant_delay: timedelta = timedelta(0)) -> None:
        self.outside = outside_fence(grant_delay)
        self.failing: dict[str, ReadFailure] = {}  # by room id
        self.readable: dict[str, datetime] = {}  # since when, by room id
        self._snapshot: RoomReadability | None = None  # None once something has changed

    @property
    def snapshot(self) -> RoomReadability:
        """How each room is read now. It is the same object until something changes."""
        if self._snapshot is None:
            self._snapshot = RoomReadability(
                MappingProxyType(self.failing.copy()), MappingProxyType(self.readable.copy()), self.outside
            )
        return self._snapshot

    def keep(self, room_ids: Collection[str]) -> None:
        """Forgets all others."""
        self.failing = {room_id: f for room_id, f in self.failing.items() if room_id in room_ids}
        self.readable = {room_id: since for room_id, since in self.readable.items() if room_id in room_ids}
        self._snapshot = None

    def interrupt(self) -> None:
        """None could be read, because of a problem of the whole connection."""
        self.readable.clear()
        self._snapshot = None

    def succeeded(self, room_id: str, moment: datetime) -> bool:
        """A room was read; whether it could not be before."""
        if room_id in self.readable:
            return False  # and so it did not fail
        self.readable[room_id] = moment
        self._snapshot = None
        return self.failing.pop(room_id, None) is not None

    def failed(self, room_id: str, failure: ReadFailure) -> bool:
        """A room could not be read; whether that, or why, is news."""
        before = self.failing.get(room_id)
        self.readable.pop(room_id, None)
        if before is not None:
            failure = replace(failure, since=before.since, times=before.times + 1)
        self.failing[room_id] = failure
        self._snapshot = None
        return before is None or before.reason is not failure.reason

    def is_gone(self, room_id: str) -> bool:
        """Whether a room's mailbox cannot be read any more: refused or not found, not just once."""
        failure = self.failing.get(room_id)
        return failure is not None and failure.reason in _GONE and failure.times >= DOUBTED
