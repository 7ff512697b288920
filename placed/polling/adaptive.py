"""Decides which rooms are read when, within a budget of readings: each by its need. Pure.

It replaces the rounds if `polling.budget` is set. A room is due again after its interval
(`weighted_intervals`), or just before or after an edge that is nearer. Due rooms are read in order, in full
batches, as evenly as the budget asks for (`budget`). New rooms, and rooms that have to be read again, do not
wait for that: they get what is left of the minute. Failures pause as they do in rounds. Times are seconds on
the steady clock.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, islice
from typing import TYPE_CHECKING

from placed.domain.working_hours import WorkingHours
from placed.driver import Read
from placed.polling.budget import ReadingBudget
from placed.polling.reading_planner import PlannedRoom, ReadingPlanner
from placed.polling.reading_urgency import CalendarActivity, RoomUsage
from placed.polling.weighted_intervals import WeightedIntervals, level_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from placed.domain.model import Reason, Room
    from placed.driver import Success

BATCH = 20  # the size of a full request; a driver that requests rooms one by one loses nothing by it
_SHARED = 0.97  # of the budget; the rest is for early readings: edges, and rooms that fill batches
_SETTLED_FOR = 1.0  # seconds
_UNREAD = 0  # the level of a room without any history


@dataclass(frozen=True, slots=True)
class AdaptivePolicy:
    """The site's choices: readings a minute, intervals in seconds, and working hours."""

    budget: int
    interval: float
    longest: float
    hours: WorkingHours = field(default_factory=WorkingHours)

    @property
    def shortest(self) -> float:
        """The shortest interval of a room."""
        return min(self.interval / 6, self.longest)


class _NextReading(PlannedRoom, kw_only=True, eq=False, gc=False):
    """When a room is read next."""

    habits: RoomUsage
    level: int = _UNREAD
    due: float = 0.0
    ticket: int = -1  # of its entry in the queue; no other entry counts
    interval: float = math.inf
    rests: bool = False  # it must not be read earlier
    met: bool = False  # it was read before, and has an interval


class AdaptivePlanner(ReadingPlanner[_NextReading]):
    """Plans the readings of one connection's rooms.

    Args:
        plan: the site's choices.
        jitter: a number from [0, 1), so that rooms that were read together are spread.
        shortest: the seconds in which so many rooms can be read at most.
    """

    def __init__(
        self,
        plan: AdaptivePolicy,
        jitter: Callable[[], float],
        shortest: Callable[[int], float] = lambda _rooms: 0.0,
    ) -> None:
        super().__init__(jitter)
        self._plan = plan
        self._shortest = shortest
        self._budget = plan.budget  # as far as the service allows
        self._at_once: dict[str, None] = {}  # rooms that do not wait, in their order
        self._queue: list[tuple[float, int, str]] = []
        self._tickets = count()
        self._under_way: set[str] = set()
        self._allowance = ReadingBudget(plan.budget, BATCH)
        self._intervals = WeightedIntervals(plan.budget * _SHARED / 60, plan.shortest, plan.longest)
        self._settle_at = 0.0
        self._calendar_activity = CalendarActivity()

    @property
    def next(self) -> float:
        """See `ReadingPlanner.next`."""
        moments = [math.inf]
        if self._at_once:
            moments.append(self._allowance.left_from(min(self._batch, len(self._at_once))))
        first = self._first()
        if first is not None:
            moments.append(max(first.due, self._allowance.evenly_from(self._batch)))
        return min(moments)

    @property
    def budget_needed(self) -> int | None:
        """See `ReadingPlanner.budget_needed`."""
        needed = math.ceil(self._intervals.needed * 60 / _SHARED)
        return needed if needed > self._plan.budget else None

    def enroll(self, rooms: Iterable[Room], readable: Collection[str] = ()) -> tuple[set[str], set[str]]:
        """See `ReadingPlanner.enroll`."""
        added, gone = super().enroll(rooms, readable)
        for turn in self._planned.values():
            turn.habits.zone = turn.room.time_zone
        self._settle_at = 0.0
        self._limit_budget()
        return added, gone

    def _limit_budget(self) -> None:
        """Keeps to what the service allows, if that is less than the budget."""
        rooms = len(self._planned)
        shortest = self._shortest(rooms)
        most = max(1, int(rooms * 60 / shortest)) if shortest > 0 else self._plan.budget
        self._budget = min(self._plan.budget, most)
        self._allowance.limit(self._budget)
        self._intervals.limit(self._budget * _SHARED / 60)

    def _add(self, room: Room, *, readable: bool) -> _NextReading:
        turn = _NextReading(room=room, habits=RoomUsage(room.time_zone), readable=readable)
        self._intervals.add(turn.level)
        self._at_once[room.id] = None
        return turn

    def _remove(self, planned: _NextReading) -> None:
        self._intervals.remove(planned.level)
        self._at_once.pop(planned.room.id, None)

    def restart(self) -> None:
        """See `ReadingPlanner.restart`."""
        for room_id, turn in self._planned.items():
            if not turn.rests:
                turn.ticket = -1
                self._at_once[room_id] = None

    def demand(self, room_id: str, moment: float) -> None:  # noqa: ARG002 - it is read as soon as the budget allows
        """See `ReadingPlanner.demand`."""
        turn = self._planned.get(room_id)
        if turn is not None and not turn.rests:
            turn.ticket = -1
            self._at_once[room_id] = None

    def take_due(self, moment: float) -> list[Room]:
        """See `ReadingPlanner.take_due`."""
        if moment >= self._settle_at:
            self._settle_at = moment + _SETTLED_FOR
            self._intervals.settle()
        due = self._take_at_once(self._allowance.left(moment))
        self._take_queued(due, _whole(self._allowance.evenly(moment) - len(due), self._batch), moment)
        self._allowance.begin(len(due), moment)
        self._under_way.update(due)
        return [self._planned[room_id].room for room_id in due]

    def succeeded(self, answer: Success, moment: float) -> timedelta:
        """See `ReadingPlanner.succeeded`."""
        room_id = answer.query.room.id
        turn = self._planned[room_id]
        now = answer.asked_at.timestamp()
        if isinstance(answer, Read) and turn.habits.learn(answer.meetings, answer.query.until, now):
            self._calendar_activity.changed(now)
        level = level_of(turn.habits.weight(now))
        if level != turn.level:
            self._intervals.remove(turn.level)
            self._intervals.add(level)
            turn.level = level
        turn.readable, turn.failures, turn.rests = True, 0, False
        quiet = turn.habits.quiet(answer.asked_at, self._plan.hours, self._calendar_activity.share(now))
        interval = self._intervals.interval(turn.level, quiet)
        turn.interval = interval
        shortest = self._plan.shortest
        # Rooms that were added together are spread: the first wait is a random part of the interval.
        wait = interval if turn.met else max(shortest, interval * (1 - self._jitter()))
        turn.met = True
        to_edge = turn.habits.next_edge(now) - now
        near = (to_edge - shortest, to_edge + shortest)
        self._queue_up(turn, moment + min([wait, *(n for n in near if n > shortest)]))
        return timedelta(seconds=interval)

    def failed(
        self, room_id: str, reason: Reason, retry_after: float | None, moment: float, *, lasting: bool = False
    ) -> None:
        """See `ReadingPlanner.failed`."""
        turn = self._planned[room_id]
        rest, rounds = turn.fail(reason, retry_after, self._plan.interval, self._jitter, lasting=lasting)
        turn.rests = rest is not None or rounds > 1
        wait = rest if rest is not None else rounds * self._plan.interval
        self._queue_up(turn, moment + wait)

    def over(self, moment: float) -> None:
        """See `ReadingPlanner.over`."""
        self._allowance.end(moment)
        self._at_once.update(
            dict.fromkeys(room_id for room_id in self._under_way if room_id in self._planned)
        )
        self._under_way.clear()

    # --- the queue ---

    @property
    def _batch(self) -> int:
        """Returns how many rooms make a request worthwhile."""
        return max(1, min(BATCH, len(self._planned), self._budget))

    def _queue_up(self, turn: _NextReading, due: float) -> None:
        self._under_way.discard(turn.room.id)
        self._at_once.pop(turn.room.id, None)
        turn.due, turn.ticket = due, next(self._tickets)
        heapq.heappush(self._queue, (due, turn.ticket, turn.room.id))

    def _first(self) -> _NextReading | None:
        """Returns the first room in the queue."""
        while self._queue:
            _, ticket, room_id = self._queue[0]
            turn = self._planned.get(room_id)
            if turn is not None and turn.ticket == ticket:
                return turn
            heapq.heappop(self._queue)
        return None

    def _take_at_once(self, most: int) -> list[str]:
        if len(self._at_once) > most:
            most = _whole(most, self._batch)
        taken = list(islice(self._at_once, max(0, most)))
        for room_id in taken:
            del self._at_once[room_id]
            self._planned[room_id].ticket = -1
        return taken

    def _take_queued(self, taken: list[str], most: int, moment: float) -> None:
        """Returns due rooms, and then the next ones until the last batch is full."""
        most += len(taken)
        while len(taken) < most and (turn := self._first()) is not None:
            if turn.due > moment:
                full = len(taken) % BATCH == 0
                if full or turn.rests or turn.due - moment > turn.interval / 2:
                    break
            heapq.heappop(self._queue)
            turn.ticket = -1
            taken.append(turn.room.id)


def _whole(number: int, batch: int) -> int:
    """Rounds down to whole batches."""
    return max(0, number) // batch * batch
