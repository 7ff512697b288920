"""The oracle of presence, and what sensors have reported: each tried by itself, with documents that lie."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import Status
from placed.panel.received_documents import PresenceHeard
from placed.panel.state_validity import Place, Shown
from tests.fault_injection.ground_truth import Truth
from tests.fault_injection.http_panel import Answer
from tests.fault_injection.oracle import Oracle
from tests.fault_injection.promise import Promise, Violation
from tests.fault_injection.sensor_truth import EMPTY, PRESENT, SensorInRoom, SensorTruth
from tests.fault_injection.weather import Weather

WALL = 1_791_273_600.0  # when the steady clock shows 0
HOLD, STALE_AFTER = 2.0, 6.0
LATE = STALE_AFTER + 4.0  # seconds after a report, until which what follows from it may be on a panel
HELD = LATE + HOLD  # the same of a `true`, which may have ended at the last moment
RADAR = SensorInRoom("radar", "room", HOLD, STALE_AFTER)
COUNTER = SensorInRoom("counter", "room", HOLD, STALE_AFTER)
PIR = SensorInRoom("pir", "room", HOLD, STALE_AFTER, holds_level=False)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(WALL + seconds, UTC)


@dataclass
class Court:
    """A free room with these sensors, another one without, and the oracle's verdicts."""

    sensors: tuple[SensorInRoom, ...] = (RADAR,)
    violations: list[Violation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reported = SensorTruth(self.sensors)
        self.weather = Weather(lasting=10.0)
        self.truth = Truth(ZoneInfo("UTC"), lead=4.0, slack=1.5)
        promise = Promise(budget=12.0, fresh=4.0, recovery=10.0)
        self.oracle = Oracle(self.truth, self.weather, promise, self.violations.append, self.reported)
        self.truth.tick(0.0, WALL)
        for room in ("room", "other"):
            self.truth.note(room, (), -100.0)
        self.weather.begins("storm", gentle=True)

    def shown(
        self,
        state: str | None,
        elapsed: float,
        *,
        valid_until: float | None = None,
        document_until: float | None = None,
        room: str = "room",
    ) -> list[str]:
        """The rules that an answer over HTTP breaks; both are valid for a second more unless given."""
        valid_until = elapsed + 1.0 if valid_until is None else valid_until
        document_until = valid_until if document_until is None else document_until
        presence = None if state is None else PresenceHeard(state, moment(0), moment(valid_until))
        shown = Shown(room, Place(room), Status.FREE, valid_until=moment(document_until), presence=presence)
        rest = [replace(shown, room=one, presence=None) for one in ("room", "other") if one != room]
        before = len(self.violations)
        answer = Answer((shown, *rest), ready=True, earliest=WALL + elapsed)
        self.oracle.look_at_answer("http", answer, elapsed)
        return [violation.rule for violation in self.violations[before:]]


@pytest.fixture
def court() -> Court:
    return Court()


# --- documents that lie -------------------------------------------------------------------------------------


def test_a_document_must_not_be_valid_for_longer_than_its_presence(court: Court) -> None:
    court.reported.report("radar", 0.0, present=True)
    assert court.shown("present", 1.0, valid_until=6.0, document_until=6.0) == []
    assert court.shown("present", 1.0, valid_until=6.0, document_until=6.1) == ["outlives"]
    assert court.shown("present", 1.1, valid_until=6.0, document_until=6.1) == []  # it is reported once


def test_no_answer_has_a_presence_whose_time_is_past(court: Court) -> None:
    court.reported.report("radar", 0.0, present=True)
    assert court.shown("present", 5.9, valid_until=6.0, document_until=6.0) == []
    assert "past_presence" in court.shown("present", 6.1, valid_until=6.0, document_until=6.0)
    assert "past_presence" not in court.shown("unknown", 6.2, valid_until=6.0, document_until=6.0)


@pytest.mark.parametrize("present", [True, False])
def test_a_presence_is_not_shown_for_longer_than_a_report_holds(court: Court, present: bool) -> None:  # noqa: FBT001 - a row of the table
    word, until = ("present", HELD) if present else ("empty", LATE)
    court.reported.report("radar", 0.0, present=present)
    assert court.shown(word, until - 0.1) == []
    assert court.shown(word, until + 0.1) == ["presence"]
    assert court.shown("unknown", until + 60.0) == []


def test_a_room_is_not_empty_because_nothing_is_reported(court: Court) -> None:
    assert court.shown("unknown", 1.0) == []
    assert court.shown("empty", 1.0) == ["presence"]


def test_a_room_is_not_empty_by_one_of_two_sensors() -> None:
    court = Court((RADAR, COUNTER))
    court.reported.report("radar", 0.0, present=False)
    assert court.shown("empty", 1.0) == ["presence"]
    court.reported.report("counter", 1.5, present=False)
    assert court.shown("empty", 2.0) == []


def test_a_room_is_present_by_one_of_two_sensors() -> None:
    court = Court((RADAR, COUNTER))
    court.reported.report("radar", 0.0, present=True)
    assert court.shown("present", 1.0) == []


def test_a_retained_message_makes_a_room_present_and_never_empty(court: Court) -> None:
    assert court.shown("present", 0.5) == ["presence"]
    court.reported.retain_present("radar", until=10.0)
    assert court.shown("present", 11.0) == []
    assert court.shown("empty", 11.0) == ["presence"]
    assert court.shown("present", 10.0 + HOLD + 3.9) == []
    assert court.shown("present", 10.0 + HOLD + 4.1) == ["presence"]


def test_a_retained_message_is_held_until_it_is_forgotten_though_the_machine_sleeps(court: Court) -> None:
    court.reported.retain_present("radar")
    court.reported.note_sleep(28_800.0, 28_805.0)
    assert court.shown("present", 28_806.0) == []
    court.reported.retain_present("radar", until=28_810.0)
    assert court.shown("present", 28_810.0 + HOLD + 3.9) == []
    assert court.shown("present", 28_810.0 + HOLD + 4.1) == ["presence"]


def test_an_old_reading_counts_from_when_it_was_measured(court: Court) -> None:
    court.reported.report("radar", 20.0, present=False, measured=15.0)
    assert court.shown("empty", 15.0 + LATE - 0.1) == []
    assert court.shown("empty", 15.0 + LATE + 0.1) == ["presence"]


def test_a_room_without_sensors_has_no_presence(court: Court) -> None:
    assert court.shown(None, 1.0, room="other") == []
    assert court.shown("unknown", 1.1, room="other") == ["presence"]


# --- in calm ------------------------------------------------------------------------------------------------


def report(court: Court, start: float, end: float, *, present: bool) -> None:
    """The radar reports twice a second."""
    for half in range(int(2 * start), int(2 * end)):
        court.reported.report("radar", half / 2, present=present)


def test_in_calm_the_presence_is_shown_as_it_is_reported(court: Court) -> None:
    court.weather.ends("storm", 0.0)  # what is felt of it is over ten seconds later
    report(court, 0.0, 20.0, present=True)
    assert court.shown("present", 12.0) == []
    assert court.shown("unknown", 13.9) == []  # two seconds of grace
    assert court.shown("unknown", 14.1) == ["presence_recovery"]
    assert court.shown("present", 19.9) == []
    report(court, 20.0, 30.0, present=False)
    assert court.shown("present", 24.9) == []  # two of hold, and three until it is on a panel
    assert court.shown("present", 27.1) == ["presence_recovery"]


def test_in_calm_a_sensor_that_is_silent_is_not_awaited(court: Court) -> None:
    court.weather.ends("storm", 0.0)
    report(court, 0.0, 10.0, present=True)
    assert court.shown("unknown", 20.0) == []


# --- what was reported --------------------------------------------------------------------------------------


def test_a_message_that_was_held_up_counts_from_when_it_arrives(court: Court) -> None:
    court.reported.report("radar", 9.5, present=False)
    now = [10.0]
    with court.reported.held_up(lambda: now[0]):
        now[0] = 20.0
    assert court.shown("empty", 20.0 + LATE - 0.1) == []
    assert court.shown("empty", 20.0 + LATE + 0.1) == ["presence"]


def test_a_message_that_was_on_its_way_when_the_machine_slept_arrives_afterwards(court: Court) -> None:
    court.reported.report("radar", 5.0, present=True)
    court.reported.report("radar", 9.5, present=False)
    court.reported.note_sleep(600.0, 610.0)
    assert court.shown("present", 610.0) == ["presence"]
    assert court.shown("empty", 609.5 + LATE - 0.1) == []


def test_the_true_of_a_pir_does_not_hold_a_level() -> None:
    court = Court((PIR,))
    court.reported.report("pir", 0.0, present=True)
    assert court.shown("present", HOLD + 3.9) == []
    assert court.shown("present", HOLD + 4.1) == ["presence"]


def test_a_hold_ends_by_the_daemon_s_seconds_on_a_machine_without_a_free_processor() -> None:
    """Our seconds do not count the time for which nobody had one; those of the daemon do."""
    real = [0.0]
    truth = SensorTruth([RADAR], real=lambda: real[0])
    truth.report("radar", 10.0, present=True)
    real[0] = 1.0
    truth.report("radar", 10.1, present=False)
    assert truth.recent("room", 10.2, 0.1) == {PRESENT}
    real[0] += HOLD
    assert truth.recent("room", 10.2, 0.1) == {PRESENT, EMPTY}
