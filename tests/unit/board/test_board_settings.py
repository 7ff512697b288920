"""The board with other settings: rules, privacy, connections."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from placed.board.board import Board
from placed.domain.connection_health import ConnectionHealth
from placed.domain.model import Status
from placed.domain.privacy import Show
from tests.support.domain_builders import POLICY, FakeClock, Recorder, meeting, room, schedule


def test_other_rules_restate_only_the_rooms_that_they_judge_differently(
    board: Board, recorder: Recorder
) -> None:
    board.enroll("contoso", [room(), room("library")])
    board.learn("boardroom", schedule(meeting("9:15", "10:00")))
    board.learn("library", schedule(meeting("8:00", "11:00")))
    recorder.statements.clear()
    board.change_policy(replace(POLICY, lead=timedelta(minutes=20)))
    assert [(s.room.id, s.occupancy.status) for s in recorder.statements] == [("boardroom", Status.STARTING)]


def test_the_same_rules_restate_nothing(board: Board, recorder: Recorder) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("9:15", "10:00")))
    recorder.statements.clear()
    board.change_policy(replace(POLICY))
    assert recorder.statements == []


def test_what_may_not_be_shown_any_more_is_taken_out_and_that_is_no_event(clock: FakeClock) -> None:
    board, recorder = Board(POLICY, Show.EVERYTHING, clock.now, epoch=7), Recorder()
    board.listeners.append(recorder)
    board.enroll("contoso", [room(), room("library")])
    board.learn("boardroom", schedule(replace(meeting("8:00", "11:00"), title="Budget", organizer="Ada")))
    board.learn("library", schedule(meeting("8:00", "11:00")))
    recorder.statements.clear()
    recorder.events.clear()
    board.change_show(Show.ORGANIZER)
    assert [s.room.id for s in recorder.statements] == ["boardroom"]
    assert b"Ada" in recorder.statements[0].document
    assert b"Budget" not in recorder.statements[0].document
    assert recorder.events == []


def test_a_connection_that_is_dropped_takes_its_rooms_and_its_health_along(
    board: Board, recorder: Recorder
) -> None:
    board.enroll("contoso", [room()])
    board.report(ConnectionHealth("contoso", "microsoft365"))
    board.drop_connection("contoso")
    assert board.rooms == []
    assert board.health == {}
    assert recorder.removed[-1] == {"boardroom"}
    assert recorder.removed_connections == ["contoso"]
