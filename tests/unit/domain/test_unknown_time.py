"""While nothing is known of the time, nothing is published as known."""

from __future__ import annotations

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from placed.board.room_entry import KnownRoom
from placed.domain.machine_clock_health import ClockState
from placed.domain.model import Status
from tests.support.domain_builders import POLICY, at, meeting, room, schedule
from tests.unit.domain.test_corrected_clock import RESOLUTION, WRONG, World


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
