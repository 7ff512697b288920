"""Decides which rooms are read when: all of them once per round, except rooms that pause. Pure.

A throttled room is read again after its pause, between the rounds if necessary.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from placed.polling.reading_planner import PlannedRoom, ReadingPlanner

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from placed.domain.model import Reason, Room
    from placed.driver import Success

_EVERY_ROUND = timedelta()


class _RoomOfRounds(PlannedRoom, kw_only=True, eq=False, gc=False):
    """A room that is read in rounds."""

    sits_out: int = 0  # rounds
    again_at: float | None = None  # not before


class FixedIntervalPlanner(ReadingPlanner[_RoomOfRounds]):
    """Plans the readings of one connection's rooms.

    Args:
        interval: seconds from round to round.
        jitter: a number from [0, 1), so that several daemons do not poll in step.
        shortest: the seconds in which so many rooms can be read at most; a round takes no less.
        expected: the interval by which the site judges what is stale; the same unless given.
    """

    def __init__(
        self,
        interval: float,
        jitter: Callable[[], float],
        shortest: Callable[[int], float] = lambda _rooms: 0.0,
        expected: float | None = None,
    ) -> None:
        super().__init__(jitter)
        self._wanted = interval
        self._expected = interval if expected is None else expected
        self._shortest = shortest
        self._interval = interval  # of this round
        self._next_round = 0.0

    @property
    def next(self) -> float:
        """See `ReadingPlanner.next`."""
        pauses = (p.again_at for p in self._planned.values() if p.again_at is not None)
        return min([self._next_round, *pauses])

    def enroll(self, rooms: Iterable[Room], readable: Collection[str] = ()) -> tuple[set[str], set[str]]:
        """See `ReadingPlanner.enroll`."""
        added, gone = super().enroll(rooms, readable)
        if added:
            self.restart()
        return added, gone

    def _add(self, room: Room, *, readable: bool) -> _RoomOfRounds:
        return _RoomOfRounds(room=room, readable=readable)

    def restart(self) -> None:
        """Makes the next round due now."""
        self._next_round = 0.0

    def demand(self, room_id: str, moment: float) -> None:
        """See `ReadingPlanner.demand`."""
        planned = self._planned.get(room_id)
        if planned is not None and planned.again_at is None and not planned.sits_out:
            planned.again_at = moment

    def take_due(self, moment: float) -> list[Room]:
        """See `ReadingPlanner.take_due`; it begins a round if one is due."""
        if moment < self._next_round:
            return [p.room for p in self._planned.values() if p.again_at is not None and p.again_at <= moment]
        self._interval = max(self._wanted, self._shortest(len(self._planned)))
        # A little early, so that an interval is never exceeded.
        self._next_round = moment + self._interval * (1 - 0.1 * self._jitter())
        due = []
        for planned in self._planned.values():
            if planned.sits_out:
                planned.sits_out -= 1
            elif planned.again_at is None or planned.again_at <= moment:
                due.append(planned.room)
        return due

    def succeeded(self, answer: Success, moment: float) -> timedelta:  # noqa: ARG002 - a round is a round
        """See `ReadingPlanner.succeeded`."""
        planned = self._planned[answer.query.room.id]
        planned.readable, planned.failures, planned.again_at = True, 0, None
        return timedelta(seconds=self._interval) if self._interval > self._expected else _EVERY_ROUND

    def failed(
        self, room_id: str, reason: Reason, retry_after: float | None, moment: float, *, lasting: bool = False
    ) -> None:
        """See `ReadingPlanner.failed`."""
        planned = self._planned[room_id]
        rest, rounds = planned.fail(reason, retry_after, self._interval, self._jitter, lasting=lasting)
        planned.again_at = None if rest is None else moment + rest
        if rest is None:
            planned.sits_out = rounds - 1
