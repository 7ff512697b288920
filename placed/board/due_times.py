"""When each room has to be judged again, and which room is next. Pure."""

from __future__ import annotations

import heapq
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from placed.board.room_entry import RoomEntry
    from placed.domain.occupancy import Policy

_FEW = 100  # replaced times that may stay in the heap, and a quarter of the rooms'
# Who has to know first: those to whom a room is shown as free that is not free any more.
_FREE_NO_MORE, _EDGE, _RENEWAL = range(3)
_Due = tuple[datetime, int, str]  # when, how urgent, and which room


class DueTimes:
    """The due time of every room that has one, and when the age of its reading has to be looked at."""

    def __init__(self) -> None:
        self._ages = _ReadingAges()
        # Only times that `_by_room` also holds count. Those of the same moment go by urgency.
        self._heap: list[_Due] = []
        self._by_room: dict[str, _Due] = {}

    def __len__(self) -> int:
        """How many times are kept, with those that were replaced."""
        return len(self._heap)

    @property
    def next(self) -> datetime | None:
        """The earliest time, or None."""
        look = self._ages.next
        if not self._heap:
            return look
        due = self._heap[0][0]
        return due if look is None else min(due, look)

    def set(self, room_id: str, due: datetime | None, urgency: int = _RENEWAL) -> None:
        """Sets the due time of a room, in place of an earlier one; None if it has none."""
        if due is None:
            self._by_room.pop(room_id, None)
            return
        item = due, urgency, room_id
        if self._by_room.get(room_id) == item:
            return
        self._by_room[room_id] = item
        if len(self._heap) > len(self._by_room) * 5 // 4 + _FEW:
            self._heap = list(self._by_room.values())
            heapq.heapify(self._heap)
        else:
            heapq.heappush(self._heap, item)

    def set_all(self, room_ids: Iterable[str], due: datetime) -> None:
        """Sets the same due time for all rooms."""
        self._by_room = {room_id: (due, _FREE_NO_MORE, room_id) for room_id in room_ids}
        self._heap = sorted(self._by_room.values())

    def is_due(self, moment: datetime) -> bool:
        """Whether `take` has a room to return, or a replaced time to discard."""
        return bool(self._heap) and self._heap[0][0] <= moment

    def has_come(self, room_id: str, moment: datetime) -> bool:
        """Whether the due time of this room has come."""
        item = self._by_room.get(room_id)
        return item is not None and item[0] <= moment

    def is_room_due(self, entry: RoomEntry, moment: datetime, policy: Policy) -> bool:
        """Whether this room has to be judged again."""
        if self.has_come(entry.room.id, moment):
            return True
        lapses = entry.lapses_at(moment, policy)
        return lapses is not None and lapses <= moment and not entry.statement.occupancy.stale

    def take(self) -> str | None:
        """Removes the earliest time; returns its room, or None if the time was replaced."""
        item = heapq.heappop(self._heap)
        room_id = item[2]
        if self._by_room.get(room_id) is not item:
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
                self._ages.watch(entry.room.id, lapses.replace(microsecond=0))
            elif lapses > moment:
                moments.append(lapses)
        due = min(moments, default=None)
        self.set(entry.room.id, due, _RENEWAL if due is None else _urgency(entry, due))

    def remove(self, room_id: str) -> None:
        """A room was removed."""
        self._by_room.pop(room_id, None)
        self._ages.forget(room_id)

    def look_at_ages(
        self, entries: Mapping[str, RoomEntry], moment: datetime, policy: Policy, most: int
    ) -> None:
        """Looks at the readings whose turn it is; a room is due when its reading becomes too old."""
        for _ in range(most):
            room_id = self._ages.take(moment)
            if room_id is None:
                return
            entry = entries.get(room_id)
            lapses = entry.lapses_at(moment, policy) if entry is not None else None
            if entry is None or lapses is None or entry.statement.occupancy.stale:
                continue
            second = lapses.replace(microsecond=0)
            if second > moment:
                self._ages.watch(room_id, second)
            elif not self.has_come(room_id, lapses):  # else it is watched again when it was judged
                self.set(room_id, lapses)


def _urgency(entry: RoomEntry, due: datetime) -> int:
    if due != entry.change:
        return _RENEWAL
    return _FREE_NO_MORE if entry.statement.occupancy.occupied is False else _EDGE


class _ReadingAges:
    """The time of the next look at the reading of every room that is not stale.

    A reading that is not repeated becomes too old. Nearly all are repeated before, so a repeated reading does
    not change this time: the room is looked at when its earlier reading would have become too old, and then
    gets another time. No look visits all rooms. Times are whole seconds, so that rooms share them.
    """

    def __init__(self) -> None:
        self._looks: dict[str, datetime] = {}  # by room
        # By time: the object that all these rooms share for it, and the rooms, if `_looks` has the same time.
        self._rooms: dict[datetime, tuple[datetime, list[str]]] = {}
        self._times: list[datetime] = []  # a heap of these times

    @property
    def next(self) -> datetime | None:
        """The earliest time, or None."""
        return self._times[0] if self._times else None

    def watch(self, room_id: str, second: datetime) -> None:
        """Has a room looked at in the second in which its reading becomes too old, or earlier."""
        known = self._looks.get(room_id)
        if known is not None and known <= second:
            return
        same = self._rooms.get(second)
        if same is None:
            same = self._rooms[second] = second, []
            heapq.heappush(self._times, second)
        self._looks[room_id] = same[0]
        same[1].append(room_id)

    def forget(self, room_id: str) -> None:
        """A room was removed."""
        self._looks.pop(room_id, None)

    def take(self, moment: datetime) -> str | None:
        """Removes and returns a room whose time has come; None if there is none."""
        while self._times and self._times[0] <= moment:
            second = self._times[0]
            _, rooms = self._rooms[second]
            while rooms:
                room_id = rooms.pop()
                if self._looks.get(room_id) == second:
                    del self._looks[room_id]
                    return room_id
            del self._rooms[heapq.heappop(self._times)]
        return None
