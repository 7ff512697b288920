"""The machine's own clocks."""

from __future__ import annotations

from datetime import UTC

import pytest

from placed.domain.clock import SystemClock


def test_the_clock_on_the_wall_is_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


async def test_the_steady_clock_never_goes_back() -> None:
    clock = SystemClock()
    before = clock.steady()
    await clock.sleep(0.01)
    assert clock.steady() - before >= 0.009


@pytest.mark.parametrize("seconds", [0.0, -5.0])
async def test_a_moment_that_has_passed_is_not_waited_for(seconds: float) -> None:
    clock = SystemClock()
    before = clock.steady()
    await clock.sleep(seconds)
    assert clock.steady() - before < 1
