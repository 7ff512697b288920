"""Rooms are judged before they are shown, and nothing else waits for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from placed.board.board import Board
from placed.board.edge_timer import AT_ONCE, EdgeTimer
from placed.board.judging_before_showing import CatchUp
from placed.domain.model import Status
from placed.domain.privacy import Show
from tests.support.domain_builders import POLICY, FakeClock, Recorder, at, meeting, room, schedule

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

MANY = 500


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at("9:00"))


@pytest.fixture
def board(clock: FakeClock) -> Board:
    """All rooms have a meeting that has just begun, and is not judged yet."""
    board = Board(POLICY, Show.NOTHING, clock.now, epoch=7)
    board.enroll("contoso", [room(f"room-{n}") for n in range(MANY)])
    for one in board.rooms:
        board.learn(one.id, schedule(meeting("9:01", "9:30")))
    clock.pass_(60)
    return board


@pytest.fixture
def recorder(board: Board) -> Recorder:
    recorder = Recorder()
    board.listeners.append(recorder)
    return recorder


async def most_in_a_turn(recorder: Recorder, *work: Awaitable[object]) -> int:
    """How many statements are made, at most, between two turns of everything else."""
    counts = [len(recorder.statements)]

    async def everything_else() -> None:
        while True:
            await asyncio.sleep(0)
            counts.append(len(recorder.statements))

    other = asyncio.create_task(everything_else())
    await asyncio.gather(*work)
    other.cancel()
    counts.append(len(recorder.statements))
    return max(after - before for before, after in pairwise(counts))


async def test_to_show_one_room_only_this_one_is_judged(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    catch_up = CatchUp(board, clock.now)
    await catch_up.rooms(["room-7", "nobody"])
    assert [(s.room.id, s.occupancy.status) for s in recorder.statements] == [("room-7", Status.BUSY)]
    await catch_up.rooms(["room-7"])
    assert len(recorder.statements) == 1


async def test_one_room_that_was_not_read_in_time_is_shown_as_stale(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    clock.pass_(60)
    await CatchUp(board, clock.now).rooms(["room-7"])
    assert [(s.room.id, s.occupancy.stale) for s in recorder.statements] == [("room-7", True)]


@pytest.mark.parametrize("room_ids", [None, [f"room-{n}" for n in range(MANY)]])
async def test_to_show_all_rooms_they_are_judged_in_slices(
    board: Board, recorder: Recorder, clock: FakeClock, room_ids: list[str] | None
) -> None:
    catch_up = CatchUp(board, clock.now)
    assert 0 < await most_in_a_turn(recorder, catch_up.rooms(room_ids)) <= AT_ONCE
    assert {s.occupancy.status for s in board.statements} == {Status.BUSY}


async def test_many_requests_judge_no_more_in_a_turn_than_one(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    catch_up = CatchUp(board, clock.now)
    assert await most_in_a_turn(recorder, *(catch_up.rooms(None) for _ in range(20))) <= AT_ONCE
    assert len(recorder.statements) == MANY


async def test_no_statement_has_ended_at_the_moment_of_an_answer(board: Board, clock: FakeClock) -> None:
    """Rooms that were judged first have their next edge before the last ones are judged."""

    def hurrying() -> datetime:
        clock.pass_(0.5)
        return clock.now()

    board.learn("room-0", schedule(meeting("9:01:05", "9:01:10")))
    moment = await CatchUp(board, hurrying).rooms(None)
    assert moment > at("9:01:10")
    assert [s.room.id for s in board.statements if s.occupancy.valid_until <= moment] == []


async def test_a_step_of_the_clock_counts_before_anything_is_shown(clock: FakeClock) -> None:
    board = Board(POLICY, Show.NOTHING, clock.now, epoch=7)
    edge_timer = EdgeTimer(board, clock)
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("10:00", "10:30")))
    clock.step(timedelta(hours=1).total_seconds())
    await CatchUp(board, clock.now, edge_timer.settle).rooms(["boardroom"])
    statement = board.statement("boardroom")
    assert statement
    assert statement.occupancy.status is Status.BUSY


def test_of_edges_at_the_same_second_those_that_end_a_free_room_come_first(clock: FakeClock) -> None:
    board, recorder = Board(POLICY, Show.NOTHING, clock.now, epoch=7), Recorder()
    ends, starts = meeting("8:00", "9:10"), meeting("9:10", "10:00")
    known = {"a": ends, "b": starts, "c": ends, "d": starts}
    clock.moment = at("9:09")
    board.enroll("contoso", [room(name) for name in known])
    for name, calendar in known.items():
        board.learn(name, schedule(calendar, read_at="9:09"))
    board.listeners.append(recorder)
    clock.moment = at("9:10")
    assert board.judge_due(2)
    assert [s.room.id for s in recorder.statements] == ["b", "d"]
    assert not board.judge_due(2)
    assert [s.room.id for s in recorder.statements] == ["b", "d", "a", "c"]


async def test_after_a_step_of_the_clock_rooms_are_judged_in_slices(clock: FakeClock) -> None:
    board, recorder = Board(POLICY, Show.NOTHING, clock.now, epoch=7), Recorder()
    edge_timer = EdgeTimer(board, clock)
    board.enroll("contoso", [room(f"room-{n}") for n in range(MANY)])
    for one in board.rooms:
        board.learn(one.id, schedule(meeting("10:00", "10:30")))
    board.listeners.append(recorder)
    clock.step(timedelta(minutes=10).total_seconds())
    edge_timer.check(AT_ONCE)
    assert len(recorder.statements) == AT_ONCE
    await CatchUp(board, clock.now, edge_timer.settle).rooms(["room-321"])
    assert recorder.statements[-1].room.id == "room-321"
    assert len(recorder.statements) == AT_ONCE + 1
    while board.judge_due(AT_ONCE):
        pass
    assert {s.room.id for s in recorder.statements} == {one.id for one in board.rooms}
    assert {s.occupancy.observed_at for s in board.statements} == {at("9:10")}  # as old as before
    assert len(recorder.statements) == MANY
