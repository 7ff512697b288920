"""The board and its edge timer when time passes, or a clock is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.board.edge_timer import EdgeTimer
from placed.domain.model import Status
from tests.support.domain_builders import FakeClock, Recorder, at, meeting, room, schedule
from tests.unit.board.test_board import status

if TYPE_CHECKING:
    from placed.board.board import Board


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_stepped_clock_judges_every_room_at_once(board: Board, clock: FakeClock, step: int) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("8:00", "8:30"), meeting("9:30", "10:30")))
    keeper = EdgeTimer(board, clock)
    clock.step(step)
    keeper.check()
    statement = board.statement("boardroom")
    assert statement
    assert statement.occupancy.status is Status.BUSY
    assert statement.occupancy.observed_at == clock.now()  # as old as before the step


def test_after_a_suspend_what_is_known_is_as_old_as_it_is(board: Board, clock: FakeClock) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule())
    keeper = EdgeTimer(board, clock)
    clock.pass_(3600)
    keeper.check()
    assert status(board) is Status.UNKNOWN


def test_a_clock_that_is_steered_is_not_stepped(board: Board, recorder: Recorder, clock: FakeClock) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule())
    published = len(recorder.statements)
    keeper = EdgeTimer(board, clock)
    for _ in range(60):
        clock.pass_(1)
        clock.step(0.01)
        keeper.check()
    assert len(recorder.statements) == published


async def test_the_edge_timer_sleeps_until_the_edge_and_no_longer_than_a_second(
    board: Board, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("9:00:02.5", "9:30")))
    slept = []

    class Enough(Exception):
        pass

    async def sleep(seconds: float) -> None:
        slept.append((round(seconds, 3), status(board)))
        clock.pass_(seconds)
        if status(board) is Status.BUSY:
            raise Enough

    monkeypatch.setattr(clock, "sleep", sleep)
    with pytest.raises(Enough):
        await EdgeTimer(board, clock).run()
    assert slept == [
        (1.0, Status.STARTING),
        (1.0, Status.STARTING),
        (0.5, Status.STARTING),
        (1.0, Status.BUSY),
    ]


async def test_evaluating_many_simultaneous_edges_lets_other_tasks_run(
    board: Board, recorder: Recorder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.enroll("contoso", [room(f"room-{n}") for n in range(100)])
    for one in board.rooms:
        board.learn(one.id, schedule(meeting("9:00:02", "9:30")))
    recorder.statements.clear()
    clock.pass_(2)
    slept = []

    class Enough(Exception):
        pass

    async def sleep(seconds: float) -> None:
        slept.append((seconds, len(recorder.statements)))
        if len(recorder.statements) == 100:
            raise Enough

    monkeypatch.setattr(clock, "sleep", sleep)
    with pytest.raises(Enough):
        await EdgeTimer(board, clock).run()
    assert [seconds for seconds, _ in slept] == [0.0] * (len(slept) - 1) + [1.0]
    assert slept[0][1] <= 25  # rooms that wait for nobody else
    assert {status(board, one.id) for one in board.rooms} == {Status.BUSY}


def test_a_room_is_read_in_full_if_the_clock_is_set_back_to_a_day_that_is_not_kept(
    board: Board, clock: FakeClock
) -> None:
    board.enroll("contoso", [room()])
    yesterday, read = at("-20:00"), schedule(meeting("-16:00", "-15:00"))
    board.learn("boardroom", read)
    assert board.has_schedule("boardroom")
    clock.moment = yesterday
    assert not board.has_schedule("boardroom")
    board.clock_was_set(yesterday - at("9:00"))
    board.judge_due()
    assert status(board) is Status.UNKNOWN
    board.confirm("boardroom", read.since, read.until, yesterday)
    board.judge_due()
    assert status(board) is Status.UNKNOWN
