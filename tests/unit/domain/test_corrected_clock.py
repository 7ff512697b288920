"""A wrong clock is corrected by what the calendar services report, and nothing else moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.board.board import Board
from placed.board.edge_timer import EdgeTimer
from placed.board.room_entry import KnownRoom
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


def test_a_service_time_before_this_release_is_ignored() -> None:
    world = World()
    world.answers(10, off=-40 * 365 * 86_400.0)
    assert world.clock.now() == world.machine.now()


# --- nothing known of the time ---


@pytest.mark.parametrize("by", ["a service", "the clock being set"])
def test_a_clock_of_1970_publishes_nothing_as_known(by: str) -> None:
    with capture_logs() as logs:
        world = World(-56 * 365 * 86_400.0)
        world.board.remember(KnownRoom(room(), schedule(read_at="8:59"), None, at("8:00"), at("8:59")))
        world.board.enroll("contoso", [room()])
        world.keeper.check()
        assert world.status() is Status.UNKNOWN
        world.board.learn("boardroom", schedule(meeting("8:00", "11:00"), read_at="8:59"))
        assert world.status() is Status.UNKNOWN
        assert world.clock.health.state is ClockState.UNSET
        if by == "a service":
            world.answers(2)
        else:
            world.machine.step(56 * 365 * 86_400.0)
            world.keeper.check()
    assert world.clock.believable
    world.board.learn("boardroom", schedule(meeting("8:00", "11:00"), read_at="9:00"))
    assert world.status() is Status.BUSY
    assert [line["event"] for line in logs if line["event"] == "clock.is_unset"]


@pytest.mark.parametrize("off", WRONG)
def test_what_an_earlier_run_noted_is_as_old_as_it_is_once_the_time_is_known(off: float) -> None:
    """It was read at 8:20; unknown at a start with a wrong clock, known later."""
    world = World(off)
    world.board.remember(KnownRoom(room(), schedule(read_at="8:20"), None, at("8:00"), at("8:20")))
    world.board.enroll("contoso", [room()])
    world.answers(2)
    assert world.status() is Status.UNKNOWN


@pytest.mark.parametrize("off", [3600.0, 7200.0])
def test_a_reading_from_before_a_correction_does_not_count_as_of_the_future(off: float) -> None:
    world = World(off)
    world.board.enroll("contoso", [room()])
    asked_at = world.clock.now()
    world.answers(2)
    world.board.learn("boardroom", schedule().__class__((), at("0:00"), at("23:59"), asked_at))
    reported = world.board.statement("boardroom")
    assert reported
    assert reported.occupancy.valid_until <= world.true.now() + POLICY.expire_after + timedelta(
        seconds=RESOLUTION
    )


def test_a_clock_that_was_right_before_is_carried_on_to_the_millisecond() -> None:
    world = World()
    world.answers(5)
    world.machine.step(-720)
    world.answers(20)
    assert abs(world.error) < 0.01


# --- a cache that repeats an old `Date` without `Age` ---


def repeated(world: World, old: datetime, number: int, every: float = 0.05) -> None:
    """Responses of a cache, a moment apart, with the `Date` that it has kept."""
    for _ in range(number):
        asked_at = world.machine.steady()
        world.pass_(every)
        world.clock.hear("contoso", ServiceTime(old, asked_at, world.machine.steady()))


@pytest.mark.parametrize("every", [0.05, 30.0])
def test_a_date_that_does_not_advance_is_not_believed_for_long(every: float) -> None:
    world = World()
    old = (world.true.now() - timedelta(minutes=12)).replace(microsecond=0)
    repeated(world, old, 6, every)
    world.pass_(30)
    repeated(world, old, 1)
    assert world.clock.health.state is not ClockState.CORRECTED
    assert abs((world.clock.now() - world.true.now()).total_seconds()) <= RESOLUTION


def test_a_date_that_did_not_advance_is_forgotten_at_the_first_fresh_answer() -> None:
    world = World()
    repeated(world, (world.true.now() - timedelta(minutes=12)).replace(microsecond=0), 6)
    world.answer()
    assert abs((world.clock.now() - world.true.now()).total_seconds()) <= RESOLUTION


@pytest.mark.parametrize("off", [-720.0, -7200.0])
def test_an_old_date_that_agrees_with_a_wrong_clock_does_not_end_the_correction(off: float) -> None:
    world = World(off=off)
    world.answers()
    assert world.clock.health.state is ClockState.CORRECTED
    repeated(world, world.machine.now().replace(microsecond=0), 5)
    assert world.clock.health.state is ClockState.CORRECTED
    assert abs((world.clock.now() - world.true.now()).total_seconds()) <= RESOLUTION
