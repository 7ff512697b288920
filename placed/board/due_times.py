"""When each room has to be judged again, and which room is next. Pure."""

from __future__ import annotations

import heapq
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed.board.room_entry import RoomEntry
    from placed.domain.occupancy import Policy

_FEW = 100  # replaced times that may stay in the heap
_NEVER = datetime.max.replace(tzinfo=UTC)


class DueTimes:
    """The due time of every room that has one, and one common time at which all readings are checked.

    A reading that is not repeated becomes too old. Nearly all are repeated before, so the rooms do not have
    a due time each for it: at `check_at` the age of all readings is compared.

    Attributes:
        check_at: when the age of all readings has to be checked; no reading becomes too old earlier.
    """

    def __init__(self) -> None:
        self.check_at = _NEVER
        self._by_room: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []  # only times that `_by_room` also holds count

    def __len__(self) -> int:
        """How many times are kept, with those that were replaced."""
        return len(self._heap)

    @property
    def next(self) -> datetime | None:
        """The earliest time, or None."""
        due = min(self._heap[0][0], self.check_at) if self._heap else self.check_at
        return None if due is _NEVER else due

    def set(self, room_id: str, due: datetime | None) -> None:
        """Sets the due time of a room, in place of an earlier one; None if it has none."""
        if due is None:
            self._by_room.pop(room_id, None)
            return
        if self._by_room.get(room_id) == due:
            return
        self._by_room[room_id] = due
        if len(self._heap) > 2 * len(self._by_room) + _FEW:
            self._heap = [(due, room_id) for room_id, due in self._by_room.items()]
            heapq.heapify(self._heap)
        else:
            heapq.heappush(self._heap, (due, room_id))

    def is_due(self, moment: datetime) -> bool:
        """Whether `take` has a room to return, or a replaced time to discard."""
        return bool(self._heap) and self._heap[0][0] <= moment

    def take(self) -> str | None:
        """Removes the earliest time; returns its room, or None if the time was replaced."""
        due, room_id = heapq.heappop(self._heap)
        if self._by_room.get(room_id) != due:
            return None
        del self._by_room[room_id]
        return room_id

    def schedule(self, entry: RoomEntry, moment: datetime, policy: Policy) -> None:
        """Sets a room's due time: its edge, its renewal, or when its reading becomes too old."""
        # If a renewal is overdue, there was no reading to publish; the next reading makes up for it.
        moments = [m for m in entry.changes_at if m > moment]
        lapses = entry.lapses_at(moment, policy)
        if lapses is not None:
            if not entry.statement.occupancy.stale:
                self.check_at = min(self.check_at, lapses)
            elif lapses > moment:
                moments.append(lapses)
        self.set(entry.room.id, min(moments, default=None))

    def check_ages(self, entries: Iterable[RoomEntry], moment: datetime, policy: Policy) -> None:
        """Finds the readings that have become too old; their rooms are due now."""
        self.check_at = _NEVER
        for entry in entries:
            lapses = entry.lapses_at(moment, policy)
            if lapses is None or entry.statement.occupancy.stale:
                continue
            if lapses <= moment:
                self.set(entry.room.id, lapses)
            else:
                self.check_at = min(self.check_at, lapses)
