"""A cache that repeats an old `Date` without `Age` moves no clock."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from placed.domain.machine_clock_health import ClockState
from placed.driver import ServiceTime
from tests.unit.domain.test_corrected_clock import RESOLUTION, World


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
