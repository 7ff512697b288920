"""Base class of the planners that decide when each room is read, and the pauses after failures. Pure.

A throttled room pauses for as long as the service asked for. A room that is forbidden, not found or malformed
skips more and more rounds, up to five minutes; a room for which a person has to change something is read
again after five minutes. For a room that was readable neither applies at once: it is read in the next rounds,
until it has failed `DOUBTED` times in a row. Times are seconds on the steady clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from placed.domain.model import Reason, Room
from placed.domain.room_readability import DOUBTED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import timedelta

    from placed.driver import Success

SELDOM = 300.0  # seconds between attempts if frequent attempts do not help
_LONGEST_REST = 60.0  # seconds, if the service throttled without a duration
_PATIENT = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND, Reason.MALFORMED})


class PlannedRoom(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """A room, and how its last readings ended. It is no part of a cycle."""

    room: Room
    readable: bool = False  # it was read before, possibly by an earlier start
    failures: int = 0  # in a row

    def fail(
        self,
        reason: Reason,
        retry_after: float | None,
        interval: float,
        jitter: Callable[[], float],
        *,
        lasting: bool,
    ) -> tuple[float | None, int]:
        """Notes a failed reading; see `ReadingPlanner.failed`.

        Returns:
            The seconds of the room's pause, or None if it has none; then, after how many rounds of `interval`
            it is read again: 1 is the next.
        """
        believed = _failures_believed(self.failures, readable=self.readable)
        lasting = lasting and believed is not None
        rest = _rest_of(reason, retry_after, self.failures, jitter, lasting=lasting)
        self.failures += 1
        return rest, _rounds_out(reason, believed or 0, interval)


_Planned = TypeVar("_Planned", bound=PlannedRoom)


class ReadingPlanner(ABC, Generic[_Planned]):
    """Decides which rooms of one connection are read when.

    Args:
        jitter: a number from [0, 1), so that what was read together is spread.
    """

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._planned: dict[str, _Planned] = {}

    def __contains__(self, room_id: object) -> bool:
        return room_id in self._planned

    def __len__(self) -> int:
        return len(self._planned)

    @property
    @abstractmethod
    def next(self) -> float:
        """When the next room is due."""

    @property
    def budget_needed(self) -> int | None:
        """Readings a minute without which rooms are read too rarely; None if the budget suffices."""
        return None

    def enroll(self, rooms: Iterable[Room], readable: Collection[str] = ()) -> tuple[set[str], set[str]]:
        """Sets the rooms; returns the ids of new and of removed ones. New ones are due now.

        `readable`: ids of new ones that were readable a moment ago.
        """
        before, self._planned = self._planned, {}
        added = set()
        for room in rooms:
            planned = before.get(room.id)
            if planned is None or not planned.room.is_same_mailbox(room):
                if planned is not None:
                    self._remove(planned)
                planned = self._add(room, readable=room.id in readable)
                added.add(room.id)
            if planned.room != room:  # else the one that the board has, too
                planned.room = room
            self._planned[room.id] = planned
        gone = before.keys() - self._planned.keys()
        for room_id in gone:
            self._remove(before[room_id])
        return added, gone

    @abstractmethod
    def _add(self, room: Room, *, readable: bool) -> _Planned:
        """Plans a new room."""

    def _remove(self, planned: _Planned) -> None:
        """Forgets a room that is gone, or has another mailbox now."""

    @abstractmethod
    def restart(self) -> None:
        """Makes all rooms that do not pause due now."""

    @abstractmethod
    def demand(self, room_id: str, moment: float) -> None:
        """Makes a room due now, unless it pauses or is not planned."""

    @abstractmethod
    def take_due(self, moment: float) -> list[Room]:
        """Returns the rooms to read now; each call begins a reading."""

    @abstractmethod
    def succeeded(self, answer: Success, moment: float) -> timedelta:
        """Notes a reading; returns within how long the room is read again, or zero if that is every round."""

    @abstractmethod
    def failed(
        self, room_id: str, reason: Reason, retry_after: float | None, moment: float, *, lasting: bool = False
    ) -> None:
        """Notes a failed reading; `retry_after` are seconds that the service asked for.

        `lasting`: a person has to change something first.
        """

    def over(self, moment: float) -> None:
        """Ends the reading; rooms without an answer are due again."""


def _failures_believed(failures: int, *, readable: bool) -> int | None:
    """Returns how many failures in a row count; None while the room still counts as readable."""
    if not readable:
        return failures
    return None if failures < DOUBTED else failures - DOUBTED


def _rest_of(
    reason: Reason, retry_after: float | None, failures: int, jitter: Callable[[], float], *, lasting: bool
) -> float | None:
    """Returns the seconds of a room's pause after so many failures in a row; None until the next round."""
    if retry_after is not None or reason is Reason.THROTTLED:
        rest = max(retry_after or 0.0, min(_doubled(failures), _LONGEST_REST))
    elif lasting:
        rest = SELDOM
    else:
        return None
    return rest * (1 + 0.1 * jitter())


def _rounds_out(reason: Reason, failures: int, interval: float) -> int:
    """Returns after how many rounds a room is tried again, by its failures in a row; 1 is the next."""
    return min(_doubled(failures), max(1, int(SELDOM / interval))) if reason in _PATIENT else 1


def _doubled(failures: int) -> int:
    return int(2 ** min(failures, 16))
