"""The log of how rooms change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from placed.board.board import Board
from placed.board.status_log import StatusLog
from placed.domain.connection_health import ConnectionHealth
from placed.domain.model import Reason
from placed.domain.privacy import Show
from tests.support.domain_builders import POLICY, FakeClock, at, meeting, room, schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from structlog.typing import EventDict


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at("9:00"))


@pytest.fixture
def board(clock: FakeClock) -> Board:
    board = Board(POLICY, Show.EVERYTHING, clock.now, epoch=7)
    board.listeners.append(StatusLog())
    return board


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    with capture_logs() as logs:
        yield logs


def logged(logs: list[EventDict]) -> list[dict[str, Any]]:
    """The entries since the call before; each of them is of the level debug."""
    assert {entry["log_level"] for entry in logs} <= {"debug"}
    new = [
        {name: value for name, value in entry.items() if value is not None and name != "log_level"}
        for entry in logs
    ]
    logs.clear()
    return new


def test_every_status_change_is_logged(board: Board, clock: FakeClock, logs: list[EventDict]) -> None:
    board.enroll("contoso", [room()])
    assert logged(logs) == []  # nothing is known yet, which everybody knows
    board.learn("boardroom", schedule(meeting("9:10", "9:12"), read_at="9:00"))
    assert logged(logs) == [
        {"event": "room.became_free", "room": "boardroom", "until": "2026-10-06T09:10:00Z"}
    ]
    for moment in ("9:05", "9:10", "9:12"):
        clock.moment = at(moment)
        board.confirm("boardroom", at("0:00") - timedelta(days=1), at("48:00"), clock.moment)
        board.judge_due()
    assert logged(logs) == [
        {"event": "room.became_starting", "room": "boardroom", "until": "2026-10-06T09:10:00Z"},
        {"event": "room.became_busy", "room": "boardroom", "until": "2026-10-06T09:12:00Z"},
        {"event": "room.became_free", "room": "boardroom"},
    ]


def test_an_unreadable_room_is_logged_with_the_reason(
    board: Board, clock: FakeClock, logs: list[EventDict]
) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule())
    board.fail("boardroom", Reason.THROTTLED)
    logged(logs)
    clock.moment = at("9:01:30")
    board.judge_due()
    clock.moment = at("9:15")
    board.judge_due()
    assert logged(logs) == [
        {"event": "room.became_free", "room": "boardroom", "stale": True, "reason": "throttled"},
        {"event": "room.became_unknown", "room": "boardroom", "stale": True, "reason": "throttled"},
    ]


def test_an_unchanged_condition_is_not_logged_again(
    board: Board, clock: FakeClock, logs: list[EventDict]
) -> None:
    board.enroll("contoso", [room()])
    board.learn("boardroom", schedule(meeting("8:00", "10:00")))
    logged(logs)
    board.learn("boardroom", schedule(meeting("8:00", "10:00"), meeting("11:00", "12:00")))
    for _ in range(20):
        clock.pass_(60)
        board.confirm("boardroom", at("0:00") - timedelta(days=1), at("48:00"), clock.now())
        board.judge_due()
    assert logged(logs) == []


def test_a_room_that_returns_is_reported_again(board: Board, logs: list[EventDict]) -> None:
    for _ in range(2):
        board.enroll("contoso", [room()])
        board.learn("boardroom", schedule())
        assert logged(logs) == [{"event": "room.became_free", "room": "boardroom"}]
        board.enroll("contoso", [])


def test_no_person_is_named(board: Board, logs: list[EventDict]) -> None:
    board.enroll("contoso", [room(name="Hush Room", address="hush@contoso.example", mailbox="hush")])
    board.learn("boardroom", schedule(meeting("8:00", "10:00", title="hush", organizer="hush", key="hush")))
    assert "room.became_busy" in repr(logs)
    assert "hush" not in repr(logs).lower()


def test_the_health_of_a_connection_is_left_to_the_poller(board: Board, logs: list[EventDict]) -> None:
    board.report(ConnectionHealth("contoso", "microsoft365"))
    assert logged(logs) == []
