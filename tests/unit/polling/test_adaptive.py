"""Which rooms are read when, with a budget. The test moves the clock; a reading takes a tenth of a second."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Reason
from placed.domain.working_hours import WorkingHours
from placed.driver import Query, Read, Unchanged
from placed.polling.adaptive import BATCH, AdaptivePlanner, AdaptivePolicy
from tests.support.domain_builders import DAY, at, meeting, room

if TYPE_CHECKING:
    from placed.domain.model import Meeting

NIGHTS_TOO = WorkingHours(frozenset(range(7)), timedelta(0), timedelta(hours=24))


class PlannerSimulation:
    """Rooms that are read by need, from a moment of the day on."""

    def __init__(
        self,
        rooms: int,
        budget: int,
        *,
        start: str = "9:00",
        longest: float = 300.0,
        hours: WorkingHours = NIGHTS_TOO,
    ) -> None:
        self.rota = AdaptivePlanner(AdaptivePolicy(budget, 30.0, longest, hours), random.Random(1).random)  # noqa: S311 - no secret
        self.elapsed = 1000.0
        self.begun = at(start)
        self.meetings: dict[str, tuple[Meeting, ...]] = {}
        self.changed: set[str] = set()
        self.failing: dict[str, tuple[Reason, float | None]] = {}
        self.log: list[tuple[float, list[str]]] = []
        self.promised: dict[str, float] = {}  # by when a room is to be read again
        self.late: list[float] = []  # seconds by which a reading was later than promised
        self.enroll(rooms)

    def enroll(self, rooms: int) -> None:
        known = [room(f"room-{number}") for number in range(rooms)]
        added, _ = self.rota.enroll(known)
        self.changed |= added

    def read(self, moment: float) -> None:
        due = self.rota.take_due(moment)
        now = self.begun + timedelta(seconds=moment - 1000.0)
        if due:
            self.log.append((moment - 1000.0, [room.id for room in due]))
        for one in due:
            query = Query(one, DAY - timedelta(days=1), DAY + timedelta(days=2))
            if one.id in self.failing:
                reason, rest = self.failing[one.id]
                self.rota.failed(one.id, reason, rest, moment + 0.1)
                continue
            read = one.id in self.changed
            self.changed.discard(one.id)
            answer = Read(query, now, self.meetings.get(one.id, ())) if read else Unchanged(query, now)
            if one.id in self.promised and moment > 1300.0:  # when all were read twice
                self.late.append(moment - self.promised[one.id])
            again_within = self.rota.succeeded(answer, moment + 0.1).total_seconds()
            self.promised[one.id] = moment + again_within
        self.rota.over(moment + 0.1 if due else moment)

    def pass_(self, seconds: float) -> None:
        end = self.elapsed + seconds
        while self.elapsed < end:
            self.read(self.elapsed)
            self.elapsed = min(max(self.elapsed, self.rota.next), end)

    def readings(self, room_id: str, since: float = 0.0) -> list[float]:
        return [moment for moment, rooms in self.log if room_id in rooms and moment >= since]

    def worst_minute(self) -> int:
        """The most readings in any minute."""
        return max(
            sum(len(rooms) for moment, rooms in self.log if start <= moment < start + 60)
            for start, _ in self.log
        )


@pytest.mark.slow  # it simulates hours with hundreds of rooms
@pytest.mark.parametrize(("rooms", "budget"), [(100, 200), (100, 37), (7, 5), (500, 100), (3, 1), (45, 1000)])
def test_the_budget_is_never_exceeded_in_any_minute(rooms: int, budget: int) -> None:
    simulation = PlannerSimulation(rooms, budget)
    simulation.pass_(600)
    simulation.enroll(rooms + rooms // 2)
    simulation.pass_(100)
    simulation.rota.restart()
    simulation.pass_(600)
    assert simulation.worst_minute() <= budget


def test_and_it_is_used_where_there_is_need() -> None:
    simulation = PlannerSimulation(100, 200)
    simulation.pass_(1200)
    late = sum(len(rooms) for moment, rooms in simulation.log if moment >= 600)
    assert late / 10 > 0.95 * 200 * 0.97


def test_new_rooms_are_read_at_once_as_far_as_the_budget_goes() -> None:
    simulation = PlannerSimulation(500, 300)
    simulation.pass_(61)
    assert len(simulation.log[0][1]) == 300
    assert len(simulation.log[1][1]) == 200
    assert simulation.log[1][0] >= 60.0
    assert set(simulation.log[0][1] + simulation.log[1][1]) == {f"room-{number}" for number in range(500)}


@pytest.mark.slow  # it simulates hours with hundreds of rooms
@pytest.mark.parametrize(("rooms", "budget"), [(400, 400), (400, 2000), (60, 600)])
def test_batches_are_full(rooms: int, budget: int) -> None:
    simulation = PlannerSimulation(rooms, budget)
    simulation.pass_(900)
    sizes = [len(due) for moment, due in simulation.log if moment > 120]
    requests = sum(-(-size // BATCH) for size in sizes)
    assert sum(sizes) / requests > 0.97 * BATCH


@pytest.mark.slow  # it simulates hours with hundreds of rooms
def test_every_room_is_read_within_its_promised_interval() -> None:
    simulation = PlannerSimulation(300, 300)
    for number in range(0, 300, 3):
        simulation.meetings[f"room-{number}"] = (meeting("9:30", "10:00"), meeting("10:30", "11:00"))
    simulation.pass_(3600)
    assert {len(simulation.readings(f"room-{number}")) > 3 for number in range(300)} == {True}
    assert max(simulation.late) < 30.0


def test_a_room_that_changed_is_read_more_often_than_others() -> None:
    simulation = PlannerSimulation(100, 100)
    simulation.pass_(600)
    simulation.meetings["room-7"] = (meeting("15:00", "16:00"),)
    simulation.changed.add("room-7")
    simulation.pass_(1800)
    counts = Counter(room_id for moment, rooms in simulation.log if moment >= 900 for room_id in rooms)
    others = [counts[f"room-{number}"] for number in range(100) if number != 7]
    assert counts["room-7"] > 1.2 * sum(others) / len(others)


@pytest.mark.slow  # it simulates a day
def test_a_room_is_read_shortly_before_and_after_its_edges() -> None:
    simulation = PlannerSimulation(100, 300)
    simulation.meetings["room-7"] = (meeting("9:20", "9:40"),)
    simulation.pass_(3000)
    for edge in (1200.0, 2400.0):
        assert min(abs(moment - (edge - 5)) for moment in simulation.readings("room-7")) < 6
        assert min(abs(moment - (edge + 5)) for moment in simulation.readings("room-7")) < 6


def test_in_the_night_rooms_are_read_seldom_but_never_more_so_than_is_allowed() -> None:
    simulation = PlannerSimulation(100, 200, start="1:00", longest=200.0, hours=WorkingHours())
    simulation.pass_(3600)
    counts = Counter(room_id for moment, rooms in simulation.log if moment >= 600 for room_id in rooms)
    assert all(3000 / 200 <= counts[f"room-{number}"] <= 3000 / 100 for number in range(100))


def test_no_room_is_read_more_often_than_every_sixth_of_an_interval() -> None:
    simulation = PlannerSimulation(100, 100_000)
    simulation.pass_(60)
    moments = simulation.readings("room-7")
    assert all(later - earlier > 2.4 for earlier, later in pairwise(moments))
    assert len(moments) <= 1 + 60 / 2.5


def test_a_budget_that_is_too_small_stretches_all_intervals() -> None:
    simulation = PlannerSimulation(500, 60)
    assert simulation.rota.budget_needed == 104
    simulation.pass_(3600)
    counts = Counter(room_id for moment, rooms in simulation.log if moment >= 1200 for room_id in rooms)
    assert set(counts.values()) <= {3, 4, 5, 6}
    assert PlannerSimulation(500, 104).rota.budget_needed is None


def test_a_throttled_room_is_not_read_before_its_retry_after() -> None:
    simulation = PlannerSimulation(100, 1000)
    simulation.failing["room-7"] = (Reason.THROTTLED, 100.0)
    simulation.pass_(50)
    simulation.rota.restart()
    simulation.pass_(200)
    moments = simulation.readings("room-7")
    assert all(later - earlier >= 100 for earlier, later in pairwise(moments))
    assert len(moments) == 3


@pytest.mark.slow  # it simulates a day
def test_a_refused_room_is_read_at_growing_intervals() -> None:
    simulation = PlannerSimulation(100, 1000)
    simulation.failing["room-7"] = (Reason.FORBIDDEN, None)
    simulation.pass_(1500)
    moments = [round(moment, -1) for moment in simulation.readings("room-7")]
    assert moments[:5] == [0, 30, 90, 210, 450]


def test_a_room_that_failed_for_a_moment_has_its_next_turn_within_an_interval() -> None:
    simulation = PlannerSimulation(100, 1000)
    simulation.failing["room-7"] = (Reason.UNAVAILABLE, None)
    simulation.pass_(29)
    del simulation.failing["room-7"]
    simulation.pass_(4)
    assert len(simulation.readings("room-7")) == 2


def test_what_was_taken_and_not_answered_is_due_again() -> None:
    simulation = PlannerSimulation(3, 100)
    taken = simulation.rota.take_due(1000.0)
    assert len(taken) == 3
    simulation.rota.over(1001.0)
    assert {room.id for room in simulation.rota.take_due(1001.0)} == {"room-0", "room-1", "room-2"}


def test_rooms_that_are_gone_are_not_read_any_more() -> None:
    simulation = PlannerSimulation(100, 1000)
    simulation.pass_(60)
    simulation.enroll(50)
    simulation.pass_(60)
    assert {room_id for moment, rooms in simulation.log if moment > 61 for room_id in rooms} == {
        f"room-{number}" for number in range(50)
    }
    assert len(simulation.rota) == 50
