"""Rooms that are to be read out of turn, since somebody has just written to their calendars. Pure.

A calendar service may show a change some seconds late, so a room is read several times.
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

AFTER_A_WRITE = (0.0, 2.0, 5.0, 10.0, 30.0)  # seconds


class RequestedReadings:
    """When which rooms are to be read. Times are seconds on the steady clock."""

    def __init__(self) -> None:
        self._wanted: list[tuple[float, str]] = []

    @property
    def next(self) -> float:
        """When the next room is to be read."""
        return self._wanted[0][0] if self._wanted else math.inf

    def add(self, room_id: str, moment: float, after: Sequence[float] = AFTER_A_WRITE) -> None:
        """Asks for readings of a room so many seconds after `moment`, in place of what was asked before."""
        self._wanted = [(due, other) for due, other in self._wanted if other != room_id]
        self._wanted += [(moment + seconds, room_id) for seconds in after]
        heapq.heapify(self._wanted)

    def take(self, moment: float) -> set[str]:
        """Returns the rooms that are to be read now."""
        due = set()
        while self._wanted and self._wanted[0][0] <= moment:
            due.add(heapq.heappop(self._wanted)[1])
        return due
