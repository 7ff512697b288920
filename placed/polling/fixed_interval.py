"""Which rooms are read when: all of them once a round, but for those that are left alone for a while. Pure.

A room that the service asked to be left alone is read again when that is over, between the rounds if need be.
A room that is refused, does not exist or makes no sense sits out more and more rounds, up to five minutes;
one for which a person has to change something first is read again in five minutes. Of a room that was
readable neither is believed at once: it is read in the next rounds, until it has failed `DOUBTED` times in a
row.
Times are seconds on the steady clock.
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

SELDOM = 300.0  # seconds between tries where asking often does not help
_LONGEST_REST = 60.0  # seconds, where the service asked for patience and did not say for how long
_EVERY_ROUND = timedelta()
_PATIENT = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND, Reason.MALFORMED})


@dataclass(slots=True)
class _NextReading:
    """When a room's turn is."""

    room: Room
    readable: bool = False  # it was read before
    failures: int = 0  # in a row
    sits_out: int = 0  # rounds
    again_at: float | None = None  # not before


class FixedIntervalPlanner:
    """Keeps the turns of one connection's rooms.

    Args:
        interval: seconds from round to round.
        jitter: a number from [0, 1), so that several daemons do not ask in step.
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
        """When somebody's turn is next."""
        return min([self._next_round, *(t.again_at for t in self._turns.values() if t.again_at is not None)])

    @property
    def budget_needed(self) -> None:
        """No budget is wanted where none is set."""

    def enroll(self, rooms: Iterable[Room], readable: Collection[str] = ()) -> tuple[set[str], set[str]]:
        """Sets the rooms; the ids of those that are new and of those that are gone. New ones are due now.

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
        """The next round is due now."""
        self._next_round = 0.0

    def take_due(self, moment: float) -> list[Room]:
        """The rooms to read now. It begins a round if one is due, so it is asked once."""
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
        """A room was read; within how long it is meant to be read again, where that is not every round."""
        turn = self._turns[answer.query.room.id]
        turn.readable, turn.failures, turn.again_at = True, 0, None
        return _EVERY_ROUND

    def failed(
        self, room_id: str, reason: Reason, retry_after: float | None, moment: float, *, lasting: bool = False
    ) -> None:
        """A room could not be read; `retry_after` are seconds that the service asked for.

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
        """The reading is over. Here nobody counts them."""


def failures_believed(failures: int, *, readable: bool) -> int | None:
    """How many failures in a row were believed; None while the room counts as readable all the same."""
    if not readable:
        return failures
    return None if failures < DOUBTED else failures - DOUBTED


def rest_of(
    reason: Reason, retry_after: float | None, failures: int, jitter: Callable[[], float], *, lasting: bool
) -> float | None:
    """For how many seconds a room is left alone after so many failures in a row; None until its next turn."""
    if retry_after is not None or reason is Reason.THROTTLED:
        rest = max(retry_after or 0.0, min(_doubled(failures), _LONGEST_REST))
    elif lasting:
        rest = SELDOM
    else:
        return None
    return rest * (1 + 0.1 * jitter())


def rounds_out(reason: Reason, failures: int, interval: float) -> int:
    """In how many rounds a room is tried again after so many failures in a row, one being the next."""
    return min(_doubled(failures), max(1, int(SELDOM / interval))) if reason in _PATIENT else 1


def _doubled(failures: int) -> int:
    return int(2 ** min(failures, 16))
