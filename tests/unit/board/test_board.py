"""The board: what it says, when it says it, and to whom."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from placed.board.board import Board
from placed.board.edge_timer import EdgeTimer
from placed.domain.connection_health import ConnectionHealth
from placed.domain.model import Reason, Status
from placed.domain.privacy import Show
from placed.domain.room_event_detection import EventKind
from tests.support.domain_builders import POLICY, FakeClock, Recorder, at, meeting, room, schedule


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at("9:00"))


@pytest.fixture
def board(clock: FakeClock) -> Board:
    return Board(POLICY, Show.NOTHING, clock.now, epoch=7)


@pytest.fixture
def recorder(board: Board) -> Recorder:
    recorder = Recorder()
    board.listeners.append(recorder)
    return recorder


def status(board: Board, room_id: str = "boardroom") -> Status:
    statement = board.statement(room_id)
    assert statement
    return statement.occupancy.status


def test_a_new_room_is_unknown_until_it_is_read(board: Board, recorder: Recorder) -> None:
    board.enroll("contoso", [room()])
    assert status(board) is Status.UNKNOWN
    board.learn("boardroom", schedule())
    assert status(board) is Status.FREE
    assert [s.seq for s in recorder.statements] == [1, 2]
    assert recorder.urgent == [False, False]
    assert recorder.events == []  # it was not unknown before, it was not read before


def test_edges_are_published_on_time_and_as_urgent(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("9:10", "9:12"), read_at="9:00"))
    seen = []
    while board.next_due and board.next_due <= at("9:13"):
        clock.moment = board.next_due
        if board.next_due in (at("9:05"), at("9:10"), at("9:12")):
            board.confirm("boardroom", at("0:00") - timedelta(days=1), at("48:00"), clock.moment)
        board.judge_due()
        seen.append((clock.moment, status(board)))
    assert (at("9:05"), Status.STARTING) in seen
    assert (at("9:10"), Status.BUSY) in seen
    assert (at("9:12"), Status.FREE) in seen
    assert [e.happening for e in recorder.events] == [EventKind.STARTED, EventKind.ENDED]


def test_an_edge_needs_no_reading(board: Board, clock: FakeClock) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("9:10", "9:12"), read_at="9:00"))
    clock.moment = at("9:11")
    board.judge_due()
    assert status(board) is Status.BUSY


def test_edges_are_kept_and_moments_that_do_not_count_any_more_are_not(
    board: Board, clock: FakeClock
) -> None:
    board.enroll("contoso", [room(), room("library")])
    board.learn("library", schedule(meeting("9:10", "9:12"), read_at="9:00"))
    for seconds in range(240):
        start = at("9:06") + timedelta(seconds=seconds)
        moved = msgspec.structs.replace(meeting("9:06", "10:00"), start=start)
        board.learn("boardroom", schedule(moved, read_at="9:00"))
    assert len(board._due) < 110
    clock.moment = at("9:04:58")
    board.judge_due()
    assert status(board) is Status.FREE
    clock.moment = at("9:05")
    board.judge_due()
    assert (status(board), status(board, "library")) == (Status.STARTING, Status.STARTING)


def test_turning_before_the_edge_changes_nothing(board: Board, recorder: Recorder, clock: FakeClock) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("9:10", "9:12")))
    published = len(recorder.statements)
    clock.moment = at("9:01")
    board.judge_due()
    assert len(recorder.statements) == published


def test_an_unchanged_reading_is_not_news(board: Board, recorder: Recorder, clock: FakeClock) -> None:
    board.enroll("contoso", [room()])
    known = schedule(meeting("12:00", "13:00"))
    board.learn("boardroom", known)
    published = len(recorder.statements)
    for _ in range(4):
        clock.pass_(30)
        board.confirm("boardroom", known.since, known.until, clock.now())
    assert len(recorder.statements) == published


def test_a_room_read_at_a_shorter_interval_again_becomes_stale_by_that_interval(
    board: Board, clock: FakeClock
) -> None:
    board.enroll("contoso", [room()])
    known = schedule(read_at="9:00")
    board.learn("boardroom", known)
    board.confirm("boardroom", known.since, known.until, at("9:00"), timedelta(minutes=4))
    clock.moment = at("9:01")
    board.confirm("boardroom", known.since, known.until, at("9:01"), timedelta(seconds=40))
    assert board.next_due is not None
    stale = False
    while not stale:
        clock.moment = board.next_due
        board.judge_due()
        statement = board.statement("boardroom")
        assert statement
        stale = statement.occupancy.stale
    assert clock.moment == at("9:03")


def test_a_statement_is_renewed_long_before_it_expires(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    board.enroll("contoso", [room(f"room-{n}") for n in range(50)])
    known = schedule()
    for one in board.rooms:
        board.learn(one.id, known)
    recorder.statements.clear()
    renewed_at: dict[str, float] = {}
    for second in range(30, 900, 30):
        clock.moment = at("9:00") + timedelta(seconds=second)
        for one in board.rooms:
            board.confirm(one.id, known.since, known.until, clock.now())
        board.judge_due()
        for statement in recorder.statements:
            renewed_at.setdefault(statement.room.id, second)
            assert statement.occupancy.valid_until > clock.now() + timedelta(minutes=10)
        recorder.statements.clear()
    assert len(renewed_at) == 50
    assert min(renewed_at.values()) >= 300
    assert max(renewed_at.values()) <= 630
    assert len(set(renewed_at.values())) > 5  # not all at once


def test_unread_rooms_turn_stale_and_then_unknown_and_recover(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(read_at="9:00"))
    board.fail("boardroom", Reason.FORBIDDEN)
    clock.moment = at("9:01:30")
    board.judge_due()
    statement = board.statement("boardroom")
    assert statement
    assert (statement.occupancy.status, statement.occupancy.stale) == (Status.FREE, True)
    assert statement.occupancy.reason is Reason.FORBIDDEN
    clock.moment = at("9:15")
    board.judge_due()
    assert status(board) is Status.UNKNOWN
    clock.moment = at("9:20")
    board.learn("boardroom", schedule(read_at="9:20"))
    assert status(board) is Status.FREE
    assert [e.happening for e in recorder.events] == [EventKind.UNKNOWN, EventKind.RECOVERED]


def test_an_unknown_room_goes_on_being_called_unknown(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    board.enroll("contoso", [room()])
    for _ in range(6):
        assert board.next_due
        clock.moment = board.next_due
        board.judge_due()
        statement = board.statement("boardroom")
        assert statement
        assert statement.occupancy.valid_until > clock.now()
    assert len(recorder.statements) == 7


def test_what_is_not_read_is_not_renewed_again_and_again(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(read_at="9:00"))
    board.fail("boardroom", Reason.UNAVAILABLE)
    published = len(recorder.statements)
    while clock.moment < at("9:14:59"):
        clock.pass_(1)
        board.judge_due()
    assert len(recorder.statements) == published + 1  # stale, and nothing else


def test_a_renewal_that_was_due_while_the_service_was_away_is_made_up_for(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    board.enroll("contoso", [room()])
    known = schedule(read_at="9:00")
    board.learn("boardroom", known)
    clock.moment = at("9:14")
    board.judge_due()
    board.confirm("boardroom", known.since, known.until, clock.now())
    assert recorder.statements[-1].occupancy.valid_until == at("9:29")
    assert not recorder.statements[-1].occupancy.stale


def test_removed_rooms_are_reported_to_listeners(board: Board, recorder: Recorder) -> None:
    board.enroll("contoso", [room("one"), room("two")])
    board.enroll("contoso", [room("two")])
    assert recorder.removed == [frozenset(), frozenset({"one"})]
    assert board.statement("one") is None
    assert board.removed == {"one": 3}


def test_rooms_of_other_connections_stay(board: Board) -> None:
    board.enroll("contoso", [room("one")])
    board.enroll("fabrikam", [room("two", connection="fabrikam")])
    board.enroll("contoso", [])
    assert [r.id for r in board.rooms] == ["two"]


def test_a_renamed_room_is_reported_to_listeners(board: Board, recorder: Recorder) -> None:
    board.enroll("contoso", [room(name="Boardroom")])
    board.enroll("contoso", [room(name="Board Room")])
    assert msgspec.json.decode(recorder.statements[-1].document)["name"] == "Board Room"
    assert len(recorder.removed) == 2


def test_a_mailbox_that_gets_the_id_of_another_does_not_get_its_meetings(board: Board) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule())
    board.enroll("contoso", [room(address="boardroom@new.example", mailbox="another")])
    assert status(board) is Status.UNKNOWN


def test_readings_of_rooms_that_are_gone_are_passed_over(board: Board) -> None:
    board.learn("nobody", schedule())
    board.confirm("nobody", at("0:00"), at("24:00"), at("9:00"))
    board.fail("nobody", Reason.FORBIDDEN)
    assert board.statements == []


def test_events_of_changed_plans(board: Board, recorder: Recorder) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("10:00", "11:00", key="a"), meeting("12:00", "13:00", key="b")))
    board.learn("boardroom", schedule(meeting("10:30", "11:00", key="a")))
    moved, cancelled = recorder.events
    assert (moved.happening, moved.before and moved.before.start) == (EventKind.MOVED, at("10:00"))
    assert (cancelled.happening, cancelled.meeting and cancelled.meeting.key) == (EventKind.CANCELLED, "b")


def test_a_running_meeting_that_is_cancelled_has_not_ended(board: Board, recorder: Recorder) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("8:00", "11:00", key="a")))
    board.learn("boardroom", schedule(meeting("8:00", "11:00", key="a", cancelled=True)))
    assert [e.happening for e in recorder.events] == [EventKind.CANCELLED]
    assert status(board) is Status.FREE


def test_a_conflict_is_an_event(board: Board, recorder: Recorder) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("8:00", "11:00", key="a")))
    board.learn("boardroom", schedule(meeting("8:00", "11:00", key="a"), meeting("8:30", "9:30", key="b")))
    assert [e.happening for e in recorder.events] == [EventKind.STARTED, EventKind.CONFLICT]


def test_the_states_of_a_refused_connection_are_withdrawn(board: Board, recorder: Recorder) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule())
    board.forget("contoso", Reason.REFUSED)
    assert recorder.statements[-1].occupancy.status is Status.UNKNOWN
    assert recorder.statements[-1].occupancy.reason is Reason.REFUSED


def test_a_board_takes_over_what_an_earlier_one_knew(board: Board, clock: FakeClock) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("8:00", "11:00")))
    later = Board(replace(POLICY, lead=timedelta(0)), Show.NOTHING, clock.now, epoch=8)
    for known in board.known():
        later.remember(known)
    recorder = Recorder()
    later.listeners.append(recorder)
    later.enroll("contoso", [room()])
    assert [s.occupancy.status for s in recorder.statements] == [Status.BUSY]


# --- the clock ----------------------------------------------------------------------------------------------


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


# --- other settings -----------------------------------------------------------------------------------------


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
