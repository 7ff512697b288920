"""Readings that become too old are found without a look at all rooms."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from placed.board.board import Board
from placed.board.edge_timer import AT_ONCE
from placed.board.room_entry import RoomEntry
from placed.domain.privacy import Show
from tests.support.domain_builders import POLICY, FakeClock, Recorder, at, meeting, room, schedule

if TYPE_CHECKING:
    from datetime import timedelta

MANY = 2000
KNOWN = schedule()


class Looks:
    """How often the age of a reading is compared."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.number = 0
        compare = RoomEntry.lapses_at

        def counted(*arguments: object) -> object:
            self.number += 1
            return compare(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(RoomEntry, "lapses_at", counted)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at("9:00"))


@pytest.fixture
def board(clock: FakeClock) -> Board:
    """All rooms were read in the same second."""
    board = Board(POLICY, Show.NOTHING, clock.now, epoch=7)
    board.enroll("contoso", [room(f"room-{n}") for n in range(MANY)])
    for one in board.rooms:
        board.learn(one.id, KNOWN)
    return board


@pytest.fixture
def looks(board: Board, monkeypatch: pytest.MonkeyPatch) -> Looks:
    assert board.rooms
    return Looks(monkeypatch)


def confirm_all(board: Board, clock: FakeClock) -> None:
    for one in board.rooms:
        board.confirm(one.id, KNOWN.since, KNOWN.until, clock.now())


def test_in_one_turn_of_the_loop_few_rooms_are_looked_at(
    board: Board, clock: FakeClock, looks: Looks
) -> None:
    clock.pass_(80)
    confirm_all(board, clock)
    clock.pass_(10)
    most = turns = 0
    more = True
    while more:
        before = looks.number
        more = board.judge_due(AT_ONCE)
        most, turns = max(most, looks.number - before), turns + 1
    assert most < MANY / 3
    assert turns < MANY / 100


def test_rooms_that_are_read_in_time_are_looked_at_hardly_more_than_once_a_minute(
    board: Board, clock: FakeClock, looks: Looks
) -> None:
    for _ in range(9):
        clock.pass_(30)
        board.judge_due()
        confirm_all(board, clock)
    assert looks.number <= MANY * 5


def test_a_room_is_stale_at_the_very_moment_even_if_its_reading_was_repeated(
    board: Board, clock: FakeClock
) -> None:
    recorder = Recorder()
    board.listeners.append(recorder)
    clock.pass_(40.25)
    confirm_all(board, clock)
    while clock.moment < at("9:02:10.25"):
        assert not [s for s in recorder.statements if s.occupancy.stale]
        assert board.next_due is not None
        clock.moment = board.next_due
        board.judge_due()
    assert clock.moment == at("9:02:10.25")
    assert {s.room.id for s in recorder.statements if s.occupancy.stale} == {r.id for r in board.rooms}


def test_a_room_with_an_edge_in_that_second_has_both_changes(clock: FakeClock) -> None:
    board = Board(POLICY, Show.NOTHING, clock.now, epoch=7)
    recorder = Recorder()
    board.listeners.append(recorder)
    board.enroll("contoso", [room()])
    clock.pass_(0.5)
    board.learn("boardroom", schedule(meeting("9:01:30.25", "9:30"), read_at="9:00:00.5"))
    while clock.moment < at("9:01:30.5"):
        assert board.next_due is not None
        clock.moment = board.next_due
        board.judge_due()
    found = [(s.changed_at, s.occupancy.status.value, s.occupancy.stale) for s in recorder.statements[-2:]]
    assert found == [(at("9:01:30.25"), "busy", False), (at("9:01:30.5"), "busy", True)]


def test_a_removed_room_is_not_looked_at(board: Board, clock: FakeClock, looks: Looks) -> None:
    board.enroll("contoso", [])
    clock.pass_(120)
    board.judge_due()
    assert looks.number == 0


@pytest.mark.slow  # thousands of rooms are judged again and again
def test_renewals_are_spread_though_all_rooms_are_read_and_have_edges_in_the_same_second(
    clock: FakeClock,
) -> None:
    board, recorder = Board(POLICY, Show.NOTHING, clock.now, epoch=7), Recorder()
    board.enroll("contoso", [room(f"room-{n}") for n in range(MANY)])
    known = schedule(meeting("9:05", "11:00"))
    for one in board.rooms:
        board.learn(one.id, known)
    board.listeners.append(recorder)
    renewed: Counter[timedelta] = Counter()
    while clock.moment < at("9:40"):
        clock.pass_(1)
        if clock.moment.second % 30 == 0:
            for one in board.rooms:
                board.confirm(one.id, known.since, known.until, clock.now())
        recorder.statements.clear()
        board.judge_due()
        if clock.moment > at("9:05"):
            renewed[clock.moment - at("9:00")] = len(recorder.statements)
    assert sum(renewed.values()) > 3 * MANY
    assert max(renewed.values()) < MANY / 50  # evenly over five minutes it were a 300th
