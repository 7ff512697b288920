"""The oracle tried by itself: what it lets pass, and what it notices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import Status
from placed.panel.state_validity import Place, Shown, Why
from placed_microsoft365.simulator import Tenant
from tests.fault_injection.ground_truth import Sight, Truth
from tests.fault_injection.http_panel import Answer
from tests.fault_injection.oracle import Oracle
from tests.fault_injection.promise import Promise, Violation
from tests.fault_injection.weather import Weather

BERLIN = ZoneInfo("Europe/Berlin")
WALL = 1_791_273_600.0  # when the steady clock shows 0
PROMISE = Promise(budget=12.0, fresh=4.0, recovery=10.0, grace=2.0)


@dataclass
class Court:
    """One room, a truth about it, and the oracle's verdicts."""

    def __post_init__(self) -> None:
        self.truth = Truth(BERLIN, lead=4.0, slack=1.5)
        self.weather = Weather(PROMISE.recovery)
        self.violations: list[Violation] = []
        self.oracle = Oracle(self.truth, self.weather, PROMISE, self.violations.append)
        self.tenant = Tenant(now=lambda: datetime.fromtimestamp(WALL, UTC))
        self.tenant.add_room("room")
        self.truth.tick(0.0, WALL)
        self.note(-100.0)

    def note(self, elapsed: float) -> None:
        self.truth.note("room", self.tenant.meetings("room"), elapsed)

    def book(self, start: float, end: float, *, known: float) -> None:
        """From and until when, and when that becomes true; seconds on the steady clock."""
        self.tenant.book("room", *(datetime.fromtimestamp(WALL + s, UTC) for s in (start, end)))
        self.note(known)

    def shown(
        self,
        status: Status,
        elapsed: float,
        until: float | None = None,
        why: Why | None = None,
        valid_until: float | None = None,
    ) -> list[str]:
        """Shows that, and returns the rules that it breaks."""
        before = len(self.violations)
        moment, end = (
            datetime.fromtimestamp(WALL + seconds, UTC) if seconds is not None else None
            for seconds in (until, valid_until)
        )
        shown = Shown("room", Place("Room"), status, until=moment, why=why, valid_until=end)
        self.oracle.see("panel", shown, elapsed)
        return [violation.rule for violation in self.violations[before:]]


@pytest.fixture
def court() -> Court:
    return Court()


# --- panels -------------------------------------------------------------------------------------------------


def test_what_was_true_within_the_budget_is_no_lie_and_what_was_before_is_one(court: Court) -> None:
    court.weather.begins("storm", gentle=False)
    court.book(0.0, 600.0, known=5.0)
    assert court.shown(Status.FREE, 16.9) == []  # free until 5 s, and that may be shown for 12 s
    assert court.shown(Status.BUSY, 17.0, until=600.0) == []
    assert court.shown(Status.FREE, 17.1) == ["lie"]
    assert court.shown(Status.FREE, 17.2) == []  # it is reported once
    assert court.shown(Status.UNKNOWN, 40.0, why=Why.REPORTED) == []


def test_an_edge_has_to_be_published_at_its_moment_however_old_the_calendar_may_be(court: Court) -> None:
    court.book(20.0, 30.0, known=0.0)
    assert court.shown(Status.STARTING, 16.0, until=20.0) == []
    assert court.shown(Status.STARTING, 21.4, until=20.0) == []
    assert court.shown(Status.STARTING, 21.6, until=20.0) == ["lie"]
    assert court.shown(Status.BUSY, 31.4, until=30.0) == []
    assert court.shown(Status.FREE, 28.4) == ["lie"]


def test_until_when_is_part_of_what_is_shown(court: Court) -> None:
    court.book(0.0, 600.0, known=0.0)
    assert court.shown(Status.BUSY, 20.0, until=600.0) == []
    assert court.shown(Status.BUSY, 20.1, until=900.0) == ["lie"]


def test_a_room_that_is_known_by_its_object_id_alone_is_judged_as_the_room_that_it_is(court: Court) -> None:
    seen = Sight("free", None)
    assert not court.truth.allows("0f9d", seen, 1.0, PROMISE.budget)
    court.truth.also_called("0f9d", "room")
    assert court.truth.allows("0f9d", seen, 1.0, PROMISE.budget)
    assert not court.truth.allows("0f9d", Sight("busy", WALL + 900.0), 1.0, PROMISE.budget)


def test_of_a_room_that_may_not_be_read_nothing_is_shown_beyond_the_budget(court: Court) -> None:
    court.truth.close("room", 0.0)
    assert court.shown(Status.FREE, 11.9) == []
    assert court.shown(Status.FREE, 12.1) == ["lie"]


def test_when_a_clock_was_stepped_either_of_its_times_will_do_for_the_budget(court: Court) -> None:
    court.weather.begins("storm", gentle=False)
    court.book(3000.0, 4000.0, known=-50.0)
    court.truth.tick(1.0, WALL + 1.0 + 3600.0)
    assert court.shown(Status.FREE, 12.0, until=3000.0) == []
    assert court.shown(Status.BUSY, 12.0, until=4000.0) == []
    assert court.shown(Status.FREE, 14.0, until=3000.0) == ["lie"]


def test_in_calm_every_room_is_right(court: Court) -> None:
    court.weather.begins("rain", gentle=False)
    assert court.shown(Status.UNKNOWN, 10.0, why=Why.REPORTED) == []
    court.weather.ends("rain", 20.0)
    assert (
        court.shown(Status.UNKNOWN, 31.9, why=Why.REPORTED) == []
    )  # ten seconds to recover, and two of grace
    assert court.shown(Status.UNKNOWN, 32.1, why=Why.REPORTED) == ["recovery"]
    court.oracle.look("another panel", [], 32.1)  # nothing of it at all
    assert court.violations[-1].panel == "another panel"


def test_where_the_machine_has_too_much_to_do_nothing_is_expected_in_time(court: Court) -> None:
    court.weather.ends("rain", 0.0)
    court.weather.is_overloaded(30.0)
    assert court.shown(Status.UNKNOWN, 31.9, why=Why.REPORTED) == []
    assert court.shown(Status.UNKNOWN, 32.1, why=Why.REPORTED) == ["recovery"]
    court.book(0.0, 600.0, known=33.0)
    court.weather.is_overloaded(50.0)
    assert court.shown(Status.FREE, 50.0) == ["lie"]  # that is no excuse for what is wrong


def test_a_gentle_fault_is_not_to_be_seen(court: Court) -> None:
    court.weather.ends("the start", -20.0)
    court.shown(Status.FREE, 1.0)
    court.weather.begins("breeze", gentle=True)
    assert court.shown(Status.UNKNOWN, 2.0, why=Why.BRIDGE_OFFLINE) == ["flicker"]
    court.shown(Status.FREE, 3.0)
    assert court.shown(Status.UNKNOWN, 4.0, why=Why.OUTDATED) == []  # its time has passed: that is honest
    court.shown(Status.FREE, 4.5, valid_until=4.8)
    assert court.shown(Status.UNKNOWN, 4.8, why=Why.REPORTED) == []  # the same, published by the daemon
    court.shown(Status.FREE, 4.9, valid_until=9.0)
    assert court.shown(Status.UNKNOWN, 4.95, why=Why.REPORTED) == ["flicker"]
    court.shown(Status.FREE, 5.0)
    court.weather.begins("storm", gentle=False)
    assert court.shown(Status.UNKNOWN, 6.0, why=Why.BRIDGE_OFFLINE) == []


def test_a_room_that_is_there_does_not_go_from_a_panel_by_a_gentle_fault(court: Court) -> None:
    court.weather.ends("the start", -20.0)
    court.weather.begins("breeze", gentle=True)
    court.oracle.look("panel", [], 0.5)  # it never showed the room
    assert court.shown(Status.FREE, 1.0) == []
    court.oracle.look("panel", [], 2.0)
    court.oracle.look("panel", [], 2.1)  # it is reported once
    assert [violation.rule for violation in court.violations] == ["withdrawn"]
    assert court.shown(Status.FREE, 3.0) == []
    court.oracle.look("panel", [], 4.0)
    assert [violation.rule for violation in court.violations] == ["withdrawn", "withdrawn"]


def test_a_room_may_go_from_a_panel_if_it_may_not_be_shown_or_by_a_fault_that_is_not_gentle(
    court: Court,
) -> None:
    court.weather.ends("the start", -20.0)
    court.weather.begins("breeze", gentle=True)
    court.shown(Status.FREE, 1.0)
    court.truth.close("room", 1.5)
    court.oracle.look("panel", [], 2.0)
    court.truth.open("room", 2.5)
    court.weather.begins("storm", gentle=False)
    court.oracle.look("panel", [], 3.0)
    assert court.violations == []


# --- answers over HTTP --------------------------------------------------------------------------------------


def shown(status: Status, valid_until: float, until: float | None = None) -> Shown:
    times = [None if s is None else datetime.fromtimestamp(WALL + s, UTC) for s in (until, valid_until)]
    why = Why.REPORTED if status is Status.UNKNOWN else None
    return Shown("room", Place("Room"), status, until=times[0], why=why, valid_until=times[1])


def asked(court: Court, elapsed: float, *rooms: Shown, ready: bool = True) -> list[str]:
    """The rules that this answer breaks."""
    before = len(court.violations)
    court.oracle.look_at_answer("http", Answer(rooms, ready, WALL + elapsed), elapsed)
    return [violation.rule for violation in court.violations[before:]]


def test_no_answer_has_a_status_whose_time_is_past(court: Court) -> None:
    court.weather.begins("storm", gentle=False)
    assert asked(court, 9.9, shown(Status.FREE, 10.0)) == []
    assert asked(court, 10.1, shown(Status.FREE, 10.0)) == ["expired"]
    assert asked(court, 10.2, shown(Status.UNKNOWN, 10.0)) == []
    court.truth.tick(20.0, WALL + 27.0)
    assert (
        asked(court, 20.1, shown(Status.FREE, 21.0)) == []
    )  # it was set forward, and who knows whether rightly
    assert "expired" in asked(court, 33.0, shown(Status.FREE, 32.0))


def test_while_the_daemon_is_ready_its_broker_holds_what_it_answers(court: Court) -> None:
    court.weather.begins("storm", gentle=False)
    court.book(0.0, 600.0, known=0.0)
    court.oracle.look_at_broker("panel", [shown(Status.FREE, 900.0)], 1.0)
    busy = shown(Status.BUSY, 900.0, until=600.0)
    assert asked(court, 1.0, busy) == []
    assert asked(court, 20.9, busy) == []
    assert asked(court, 21.1, busy, ready=False) == []  # it reports that itself
    assert asked(court, 21.2, busy) == []  # and the time begins again
    assert asked(court, 41.3, busy) == ["owed"]
    court.oracle.look_at_broker("panel", [busy], 42.0)
    assert asked(court, 62.0, busy) == []


def test_in_calm_the_endpoint_answers_and_is_ready(court: Court) -> None:
    court.weather.ends("rain", 20.0)
    free = shown(Status.FREE, 900.0)
    assert asked(court, 31.0, free) == []
    assert asked(court, 33.1, free, ready=False) == ["recovery"]
    court.oracle.look_at_answer("http", None, 35.2)
    assert [violation.panel for violation in court.violations] == ["http: not ready", "http"]


def test_a_daemon_that_does_not_answer_has_withdrawn_no_room(court: Court) -> None:
    court.weather.ends("the start", -20.0)
    court.weather.begins("breeze", gentle=True)
    assert asked(court, 1.0, shown(Status.FREE, 900.0)) == []
    court.oracle.look_at_answer("http", None, 2.0)
    assert court.violations == []
    assert asked(court, 3.0) == ["withdrawn"]


# --- fences -------------------------------------------------------------------------------------------------


def fence(court: Court, state: str, elapsed: float) -> list[str]:
    """The rules that this report breaks."""
    before = len(court.violations)
    court.oracle.fences.see("panel", "contoso", state, elapsed)
    return [violation.rule for violation in court.violations[before:]]


def test_a_fence_is_verified_only_if_it_could_be_proven_in_the_last_seconds(court: Court) -> None:
    assert fence(court, "verified", 0.0) == []  # nothing is known of it
    court.oracle.fences.note("contoso", 1.0, provable=False)
    assert fence(court, "unproven", 2.0) == []
    assert fence(court, "verified", 2.0) == ["fence"]
    assert fence(court, "verified", 2.1) == []  # it is reported once
    court.oracle.fences.note("contoso", 3.0, provable=True)
    assert fence(court, "verified", 3.0) == []
    court.oracle.fences.note("contoso", 4.0, provable=False)
    assert fence(court, "verified", 4.0 + PROMISE.fence - 0.1) == []
    assert fence(court, "verified", 4.0 + PROMISE.fence + 0.1) == ["fence"]


def test_while_the_machine_sleeps_nobody_has_to_try_a_fence(court: Court) -> None:
    court.oracle.fences.note("contoso", 0.0, provable=True)
    court.oracle.fences.note("contoso", 1.0, provable=False)
    court.oracle.fences.note_sleep(3600.0)
    assert fence(court, "verified", 3602.0) == []
    assert fence(court, "verified", 3602.0 + PROMISE.fence) == ["fence"]
