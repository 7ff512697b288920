"""The board: what it reports, when, and to which listeners."""

from __future__ import annotations

import gc
from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from placed.board.board import Board
from placed.domain.calendar_event_detection import EventKind
from placed.domain.model import Reason, Status
from placed.domain.presence import Sensor
from placed.domain.privacy import Show
from tests.support.domain_builders import POLICY, FakeClock, Recorder, at, meeting, room, schedule


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


def test_a_statement_that_is_only_stale_now_waits_behind_edges(
    board: Board, recorder: Recorder, clock: FakeClock
) -> None:
    """Where a calendar service is away, all rooms become stale at once: 5,500 of them take a second."""
    board.enroll("contoso", [room()])
    clock.moment = at("9:09")
    board.learn("boardroom", schedule(meeting("9:10", "18:00"), read_at="9:09"))
    clock.moment = at("9:10")
    board.judge_due()
    assert recorder.urgent[-1]
    while not recorder.statements[-1].occupancy.stale:
        assert board.next_due
        clock.moment = board.next_due
        board.judge_due()
    assert not recorder.urgent[-1]
    board.confirm("boardroom", at("0:00") - timedelta(days=1), at("48:00"), clock.moment)
    assert not recorder.statements[-1].occupancy.stale
    assert not recorder.urgent[-1]


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


def test_a_new_mailbox_at_the_address_of_a_removed_one_does_not_get_its_meetings(board: Board) -> None:
    board.enroll("contoso", [room(object_id="1")])
    board.learn("boardroom", schedule())
    board.enroll("contoso", [room(object_id="2")])
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


def test_a_room_is_the_same_since_yesterday_after_a_restart(board: Board, clock: FakeClock) -> None:
    clock.moment = at("-9:00")
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("-12:00", "-10:00"), read_at="-9:00"))
    clock.moment = at("9:00")
    board.learn("boardroom", schedule(meeting("-12:00", "-10:00")))
    later = Board(POLICY, Show.NOTHING, clock.now, epoch=8)
    for known in board.known():
        later.remember(known)
    later.enroll("contoso", [room()])
    statement = later.statement("boardroom")
    assert statement
    assert statement.changed_at == at("-9:00")


@pytest.mark.slow  # thousands of rooms are put on the board
def test_rooms_are_no_work_for_the_garbage_collector(board: Board, clock: FakeClock) -> None:
    """While it looks at 50,000 rooms, nothing is published: a tenth of a second."""
    board.set_sensors({"room-1": [Sensor("desk")]})
    gc.collect()
    before = len(gc.get_objects())
    board.enroll("contoso", [room(f"room-{n}") for n in range(500)])
    for one in board.rooms:
        board.learn(one.id, schedule(meeting("9:10", "9:30")))
    clock.moment = at("9:10")
    board.judge_due()
    gc.collect()
    assert len(gc.get_objects()) - before < 100
