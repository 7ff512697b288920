"""A wrong clock is corrected by what the calendar services report, and nothing else moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.board.board import Board
from placed.board.edge_timer import EdgeTimer
from placed.domain.corrected_clock import CorrectedClock, ServiceTimes
from placed.domain.machine_clock_health import ClockState
from placed.domain.model import Schedule, Status
from placed.domain.privacy import Show
from placed.driver import ServiceTime
from tests.support.domain_builders import POLICY, FakeClock, at, meeting, room, schedule

if TYPE_CHECKING:
    from collections.abc import Iterable


EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
RESOLUTION = 1.3  # seconds: that of `Date`, and the time that an answer takes
WRONG = (-12 * 60.0, -3 * 86_400.0, 2 * 3600.0, 400 * 86_400.0)


class World:
    """A machine with a clock that may be wrong, and services with clocks of their own."""

    def __init__(self, off: float = 0.0, connections: Iterable[str] = ("contoso",)) -> None:
        self.true = FakeClock(at("9:00"))
        self.machine = FakeClock(at("9:00") + timedelta(seconds=off))
        self.times = ServiceTimes(EARLIEST)
        self.times.keep(list(connections))
        self.clock = CorrectedClock(self.machine, self.times)
        self.board = Board(
            POLICY, Show.NOTHING, self.clock.now, epoch=1, believable=lambda: self.clock.believable
        )
        self.keeper = EdgeTimer(self.board, self.clock)
        self.clock.news = self.keeper.check

    def pass_(self, seconds: float) -> None:
        self.true.pass_(seconds)
        self.machine.pass_(seconds)

    def answer(self, connection: str = "contoso", *, off: float = 0.0, took: float = 0.2) -> None:
        """A service answers; its own clock may be wrong, too."""
        asked_at = self.machine.steady()
        self.pass_(took)
        shown = (self.true.now() + timedelta(seconds=off)).replace(microsecond=0)
        self.clock.hear(connection, ServiceTime(shown, asked_at, self.machine.steady()))

    def answers(self, number: int = 3, connection: str = "contoso", *, off: float = 0.0) -> None:
        for _ in range(number):
            self.pass_(7.37)
            self.answer(connection, off=off)

    @property
    def error(self) -> float:
        """Seconds by which the corrected clock is wrong."""
        return (self.clock.now() - self.true.now()).total_seconds()

    def status(self) -> Status:
        reported = self.board.statement("boardroom")
        assert reported
        return reported.occupancy.status


@pytest.mark.parametrize("off", WRONG)
def test_a_clock_that_is_wrong_is_corrected_to_within_a_second(off: float) -> None:
    world = World(off)
    world.answers(2)
    assert abs(world.error) <= RESOLUTION
    world.answers(30)
    assert 0.0 <= world.error <= 0.5
    assert world.clock.health.state is ClockState.CORRECTED
    assert world.clock.health.offset == pytest.approx(off, abs=RESOLUTION)


@pytest.mark.parametrize("off", [0.0, 4.0, -4.0])
def test_a_deviation_within_five_seconds_is_not_corrected(off: float) -> None:
    world = World(off)
    for _ in range(50):
        world.answers(1)
        assert world.clock.now() == world.machine.now()
    assert world.clock.health.state is ClockState.RIGHT
    assert world.clock.health.document()["offset_seconds"] == 0


def test_without_the_time_of_any_service_the_clock_is_not_corrected() -> None:
    world = World(-720)
    world.pass_(100)
    world.keeper.check()
    assert world.clock.now() == world.machine.now()
    assert world.clock.health.state is ClockState.UNKNOWN
    assert world.clock.health.offset is None


@pytest.mark.parametrize("off", [-86_400.0, 86_400.0, 300.0])
@pytest.mark.parametrize("known", [0, 5])
def test_one_response_does_not_correct_the_clock(off: float, known: int) -> None:
    world = World()
    world.answers(known)
    for _ in range(10):
        world.answer(off=off)
        assert world.clock.now() == world.machine.now()
        world.answers(2)
        assert world.clock.now() == world.machine.now()


@pytest.mark.parametrize("off", WRONG)
def test_a_room_that_was_read_with_the_first_answer_is_unknown_until_a_second_one(off: float) -> None:
    """Its `Date` may be a cache's, and the clock may be wrong: nobody knows yet what the room is now."""
    world = World(off)
    world.answer()
    world.board.enroll("contoso", [room()])
    read = Schedule(
        (meeting("8:00", "11:00"),),
        at("0:00") - timedelta(days=9999),
        at("0:00") + timedelta(days=9999),
        world.clock.now(),
    )
    world.board.learn("boardroom", read)
    assert world.status() is Status.UNKNOWN
    assert world.clock.health.document()["state"] == "doubted"
    world.pass_(30)
    world.answer()
    assert world.status() is Status.BUSY
    assert world.clock.health.state is ClockState.CORRECTED


def test_a_clock_that_the_second_answer_agrees_with_is_right() -> None:
    world = World()
    world.answer(off=-10_800)
    assert not world.clock.believable
    world.answer()
    assert world.clock.health.state is ClockState.RIGHT


def test_a_service_that_shows_any_time_does_not_keep_rooms_unknown_for_ever() -> None:
    world = World()
    for number in range(20):
        world.answers(1, off=-600.0 * (number + 1))
    assert world.clock.health.state is ClockState.UNKNOWN
    assert world.clock.now() == world.machine.now()


def test_one_response_does_not_change_an_existing_correction() -> None:
    world = World(-720)
    world.answers(5)
    for off in (86_400.0, -86_400.0, 900.0, -300.0):
        world.answer(off=off)
        assert abs(world.error) <= RESOLUTION
        world.answers(1)


def test_a_service_whose_own_clock_is_set_is_followed_after_three_answers() -> None:
    world = World(-720)
    world.answers(5)
    world.answers(2, off=3600)
    assert abs(world.error) <= RESOLUTION
    world.answers(1, off=3600)
    assert world.error == pytest.approx(3600, abs=RESOLUTION)


@pytest.mark.parametrize("off", WRONG)
def test_a_clock_that_is_set_right_is_noticed_at_once_and_rooms_stay_as_they_are(off: float) -> None:
    world = World(off)
    world.answers(5)
    world.board.enroll("contoso", [room()])
    world.board.learn("boardroom", schedule(meeting("8:00", "11:00"), read_at="9:00:30"))
    assert world.status() is Status.BUSY
    with capture_logs() as logs:
        world.machine.step(-off)
        assert abs(world.error) <= RESOLUTION  # before anybody has looked
        world.keeper.check()
    assert world.clock.now() == world.machine.now() == world.true.now()
    assert world.status() is Status.BUSY
    assert world.clock.health.state is ClockState.RIGHT
    assert [line["event"] for line in logs] == ["clock.was_stepped", "clock.is_right_again"]


@pytest.mark.parametrize("off", WRONG)
def test_a_clock_that_is_set_wrong_is_corrected_at_once(off: float) -> None:
    world = World()
    world.answers(5)
    world.board.enroll("contoso", [room()])
    world.board.learn("boardroom", schedule(meeting("8:00", "11:00"), read_at="9:00:30"))
    world.machine.step(off)
    assert abs(world.error) <= RESOLUTION
    world.keeper.check()
    assert abs(world.error) <= RESOLUTION
    assert world.status() is Status.BUSY
    assert world.clock.health.state is ClockState.CORRECTED


def test_a_machine_that_stood_still_without_counting_it_is_right_with_the_next_answer() -> None:
    """As a virtual machine that was paused: its steady clock stood still, its wall clock was set since."""
    world = World()
    world.answers(5)
    world.true.pass_(3600)
    world.machine.step(3600)
    world.keeper.check()
    world.answer()
    assert world.error == 0
    assert world.clock.health.state is ClockState.RIGHT


def test_a_suspend_that_the_steady_clock_counts_changes_nothing() -> None:
    world = World(-720)
    world.answers(5)
    world.pass_(8 * 3600)
    world.keeper.check()
    assert abs(world.error) <= RESOLUTION


def test_a_wrong_clock_is_logged_once_when_it_begins_and_once_when_it_ends() -> None:
    with capture_logs() as logs:
        world = World(-720)
        world.answers(20)
        world.machine.step(720)
        world.answers(20)
    events = [line for line in logs if line["event"].startswith("clock.is_")]
    assert [line["event"] for line in events] == ["clock.is_wrong", "clock.is_right_again"]
    assert events[0]["offset"] == pytest.approx(-720, abs=RESOLUTION)
    assert "12 min behind the calendar services" in events[0]["problem"]
    assert "timedatectl" in events[0]["remedy"]


def test_a_clock_at_the_limit_does_not_come_and_go() -> None:
    world = World(-5.0)
    with capture_logs() as logs:
        for step in (-0.3, 0.3, -0.3, 0.3, -0.2, 0.2):
            world.machine.step(step)
            world.answers(10)
    assert len([line for line in logs if line["event"].startswith("clock.is_")]) <= 1


def test_the_corrected_time_never_goes_back_as_more_is_learned() -> None:
    world = World(-720)
    world.answers(2)
    before = world.clock.now()
    for _ in range(200):
        world.answer(took=0.37)
        assert world.clock.now() >= before
        before = world.clock.now()


def test_slow_answers_that_show_little_move_no_clock() -> None:
    world = World()
    for _ in range(5):
        world.answer(took=25.0)
        assert world.clock.now() == world.machine.now()


@pytest.mark.parametrize("interval", [0.2, 1.0, 2.5, 30.0])
def test_a_date_that_stands_still_from_the_first_answer_on_moves_no_clock(interval: float) -> None:
    world = World()
    passed = 0.0
    while passed < 300.0:
        world.pass_(interval - 0.1)
        passed += interval
        world.answer(off=-passed, took=0.1)
        assert world.clock.now() == world.machine.now()
    assert world.clock.believable


@pytest.mark.parametrize("off", [0.0, -720.0])
@pytest.mark.parametrize("pace", [0.0, 0.5, 1.5])
@pytest.mark.parametrize("interval", [0.2, 1.0, 2.0, 5.0, 30.0])
def test_a_service_whose_clock_keeps_another_pace_is_not_followed(
    off: float, pace: float, interval: float
) -> None:
    """As behind a gateway whose clock has stopped: answers in quick succession show nearly the same."""
    world = World(off)
    world.answers(5)
    passed, worst = 0.0, 0.0
    while passed < 300.0:
        world.pass_(interval - 0.1)
        passed += interval
        world.answer(off=passed * (pace - 1), took=0.1)
        worst = max(worst, abs(world.error))
    assert worst <= 4.0


def test_the_majority_of_services_and_machine_sets_the_clock() -> None:
    world = World(0, ["contoso", "fabrikam"])
    world.answers(5, "contoso", off=7200)
    assert world.error == pytest.approx(7200, abs=RESOLUTION)  # of two witnesses the service
    world.answers(5, "fabrikam")
    assert world.error == 0  # two against one
    world = World(-720, ["contoso", "fabrikam", "woodgrove"])
    world.answers(5, "fabrikam", off=7200)
    world.answers(5, "contoso")
    world.answers(5, "woodgrove")
    assert abs(world.error) <= RESOLUTION
    assert world.clock.health.services_disagree


def test_a_connection_that_is_gone_does_not_count() -> None:
    world = World(-720)
    world.answers(5)
    world.times.keep(["fabrikam"])
    world.keeper.check()
    assert world.clock.now() == world.machine.now()


def test_one_odd_date_right_after_the_start_is_made_good_by_the_next_answer() -> None:
    world = World()
    world.answer()
    world.pass_(30)
    world.answer(off=-18_000)
    world.answer()
    assert world.clock.health.state is ClockState.RIGHT


def test_a_date_that_stands_still_at_another_time_corrects_no_clock() -> None:
    """As of recorded answers: several in the first second agree with each other."""
    world = World()
    for passed in (0.2, 0.4, 0.6, 30.0, 30.2, 30.4):
        world.pass_(passed - 0.2 - (world.machine.now() - at("9:00")).total_seconds())
        since = (world.true.now() - at("9:00")).total_seconds()
        world.answer(off=-3600.0 - since)
        assert world.clock.now() == world.machine.now()
        assert not world.clock.believable


def test_a_service_time_at_the_end_of_the_calendar_is_ignored() -> None:
    world = World()
    for second in range(50, 60):
        shown = datetime(9999, 12, 31, 23, 59, second, tzinfo=UTC)
        world.pass_(1)
        world.clock.hear("contoso", ServiceTime(shown, world.machine.steady(), world.machine.steady()))
    assert world.clock.now() == world.machine.now()
    assert world.clock.health.state is ClockState.UNKNOWN


def test_a_service_time_before_this_release_is_ignored() -> None:
    world = World()
    world.answers(10, off=-40 * 365 * 86_400.0)
    assert world.clock.now() == world.machine.now()
