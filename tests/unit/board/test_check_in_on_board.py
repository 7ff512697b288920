"""Rooms with check-in on the board: statements on time, and releases that nobody here asked for."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from structlog.testing import capture_logs

from placed.board.status_log import StatusLog
from placed.domain.calendar_event_detection import EventKind
from placed.domain.check_in_rules import CheckedIn, CheckInRules
from placed.domain.state_document import StateDocument
from tests.support.board_setup import NINE, BoardSetup, meeting, minutes
from tests.support.domain_builders import Recorder

RULES = CheckInRules(minutes(10), minutes(10))


class Building(BoardSetup):
    """A board with a room, the boardroom, in which people check in."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.recorder = Recorder()
        self.board.listeners += [self.recorder, StatusLog()]
        self.board.set_check_in_rules({"contoso": RULES})
        self.add("boardroom")

    @property
    def document(self) -> StateDocument:
        statement = self.board.statement("boardroom")
        assert statement is not None
        return msgspec.json.decode(statement.document, type=StateDocument)

    def check_in(self, start: float) -> None:
        at = NINE + minutes(start)
        self.board.check_in("boardroom", CheckedIn(f"key-{start}", at, self.moment))


def test_the_status_follows_the_clock_without_a_reading() -> None:
    building = Building()
    building.read("boardroom", meeting(20, 60))
    seen: list[tuple[str, str | None]] = []
    for _ in range(35):
        document = building.document
        check_in = (document.check_in or {}).get("state")
        if seen[-1:] != [(document.status, check_in)]:
            seen.append((document.status, check_in))
        building.wait(minutes(1))
        building.read("boardroom", meeting(20, 60))
    assert seen == [
        ("free", None),
        ("free", "open"),
        ("starting", "open"),
        ("pending", "open"),
        ("busy", "closed"),
    ]


def test_a_check_in_is_stated_at_once() -> None:
    building = Building()
    building.read("boardroom", meeting(0, 60))
    assert building.document.status == "pending"
    building.check_in(0)
    assert building.document.status == "busy"
    assert building.document.check_in == {
        "state": "done",
        "meeting": "2026-01-08T09:00:00Z",
        "from": "2026-01-08T08:50:00Z",
        "until": "2026-01-08T09:10:00Z",
    }
    assert building.recorder.urgent[-1]


def test_a_room_without_check_in_has_none() -> None:
    building = Building()
    building.read("boardroom", meeting(0, 60))
    building.board.set_check_in_rules({})
    assert (building.document.status, building.document.check_in) == ("busy", None)


def test_a_check_in_that_is_restored_counts_for_a_room_that_is_enrolled_later() -> None:
    building = Building()
    building.board.check_in("atrium", CheckedIn("key-0", NINE, NINE))
    building.add("atrium")
    building.read("atrium", meeting(0, 60))
    statement = building.board.statement("atrium")
    assert statement is not None
    assert statement.occupancy.status == "busy"


def test_old_check_ins_are_forgotten() -> None:
    building = Building()
    building.check_in(0)
    building.moment += timedelta(days=1)
    building.check_in(24 * 60)
    check_ins = building.board.check_ins_of("boardroom")
    assert check_ins is not None
    assert [known.meeting for known in check_ins.known] == ["key-1440"]


@pytest.mark.parametrize(
    ("after", "checked_in_to", "kind"),
    [
        (8, 0, EventKind.RELEASED_BY_SERVICE),
        (15, 0, EventKind.RELEASED_BY_SERVICE),
        (7, 0, EventKind.CANCELLED),
        (16, 0, EventKind.CANCELLED),
        (10, 60, EventKind.CANCELLED),
    ],
)
def test_a_meeting_that_was_checked_in_to_and_is_released_by_the_service_is_reported_as_that(
    after: float, checked_in_to: float, kind: EventKind
) -> None:
    building = Building()
    building.read("boardroom", meeting(0, 60))
    building.check_in(checked_in_to)
    building.wait(minutes(after))
    building.read("boardroom", meeting(0, 60))
    with capture_logs() as logs:
        building.read("boardroom")
    assert [event.happening for event in building.recorder.events][-1] is kind
    reported = [line for line in logs if line["event"] == "room.was_released_by_service"]
    assert len(reported) == (kind is EventKind.RELEASED_BY_SERVICE)
