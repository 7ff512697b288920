"""Decides which rooms are read when: all of them once per round, except rooms that pause. Pure.

A throttled room is read again after the pause that the service asked for, between the rounds if necessary. A
room that is forbidden, not found or malformed skips more and more rounds, up to five minutes; a room for
which a person has to change something is read again after five minutes. For a room that was readable neither
applies at once: it is read in the next rounds, until it has failed `DOUBTED` times in a row. Times are
seconds on the steady clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.model import Reason, Room
from placed.domain.room_readability import DOUBTED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from placed.driver import Read, Unchanged

SELDOM = 300.0  # seconds between attempts if frequent attempts do not help
_LONGEST_REST = 60.0  # seconds, if the service throttled without a duration
_EVERY_ROUND = timedelta()
_PATIENT = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND, Reason.MALFORMED})


@dataclass(slots=True)
class _NextReading:
    """When a room is read next."""

    room: Room
    readable: bool = False  # it was read before
    failures: int = 0  # in a row
    sits_out: int = 0  # rounds
    again_at: float | None = None  # not before


class FixedIntervalPlanner:
    """Plans the readings of one connection's rooms.

    Args:
        interval: seconds from round to round.
        jitter: a number from [0, 1), so that several daemons do not poll in step.
    """

    def __init__(self, interval: float, jitter: Callable[[], float]) -> None:
        self._interval = interval
        self._jitter = jitter
        self._turns: dict[str, _NextReading] = {}
        self._next_round = 0.0

    def __contains__(self, room_id: object) -> bool:
        return room_id in self._turns

    def __len__(self) -> int:
        return len(self._turns)

    @property
    def next(self) -> float:
        """When the next room is due."""
        return min([self._next_round, *(t.again_at for t in self._turns.values() if t.again_at is not None)])

    @property
    def budget_needed(self) -> None:
        """None, since there is no budget."""

    def enroll(self, rooms: Iterable[Room], readable: Collection[str] = ()) -> tuple[set[str], set[str]]:
        """Sets the rooms; returns the ids of new and of removed ones. New ones are due now.

        `readable`: ids of new ones that were readable a moment ago.
        """
        before = self._turns
        self._turns = {}
        added = set()
        for room in rooms:
            turn = before.get(room.id)
            if turn is None or not turn.room.is_same_mailbox(room):
                turn = _NextReading(room, room.id in readable)
                added.add(room.id)
            if turn.room != room:  # else the one that the board has, too
                turn.room = room
            self._turns[room.id] = turn
        gone = before.keys() - self._turns.keys()
        if added:
            self.restart()
        return added, gone

    def restart(self) -> None:
        """Makes the next round due now."""
        self._next_round = 0.0

    def take_due(self, moment: float) -> list[Room]:
        """Returns the rooms to read now. It begins a round if one is due, so it is called once."""
        if moment < self._next_round:
            return [t.room for t in self._turns.values() if t.again_at is not None and t.again_at <= moment]
        # A little early, so that an interval is never exceeded.
        self._next_round = moment + self._interval * (1 - 0.1 * self._jitter())
        due = []
        for turn in self._turns.values():
            if turn.sits_out:
                turn.sits_out -= 1
            elif turn.again_at is None or turn.again_at <= moment:
                due.append(turn.room)
        return due

    def succeeded(self, answer: Read | Unchanged, moment: float) -> timedelta:  # noqa: ARG002 - a round is a round
        """Notes a reading; returns within how long the room is read again, if that is not every round."""
        turn = self._turns[answer.query.room.id]
        turn.readable, turn.failures, turn.again_at = True, 0, None
        return _EVERY_ROUND

    def failed(
        self, room_id: str, reason: Reason, retry_after: float | None, moment: float, *, lasting: bool = False
    ) -> None:
        """Notes a failed reading; `retry_after` are seconds that the service asked for.

        `lasting`: a person has to change something first.
        """
        turn = self._turns[room_id]
        believed = failures_believed(turn.failures, readable=turn.readable)
        lasting = lasting and believed is not None
        rest = rest_of(reason, retry_after, turn.failures, self._jitter, lasting=lasting)
        turn.again_at = None if rest is None else moment + rest
        if rest is None:
            turn.sits_out = rounds_out(reason, believed or 0, self._interval) - 1
        turn.failures += 1

    def over(self, moment: float) -> None:
        """Ends the reading. Nothing has to be counted here."""


def failures_believed(failures: int, *, readable: bool) -> int | None:
    """Returns how many failures in a row count; None while the room still counts as readable."""
    if not readable:
        return failures
    return None if failures < DOUBTED else failures - DOUBTED


def rest_of(
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


def rounds_out(reason: Reason, failures: int, interval: float) -> int:
    """Returns after how many rounds a room is tried again, by its failures in a row; 1 is the next."""
    return min(_doubled(failures), max(1, int(SELDOM / interval))) if reason in _PATIENT else 1


def _doubled(failures: int) -> int:
    return int(2 ** min(failures, 16))
