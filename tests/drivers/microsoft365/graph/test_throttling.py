"""A service that throttles all the time: reading goes on, at about the rate that it lets in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.simulated_time.throttling import a_second, at_once, measure

if TYPE_CHECKING:
    from tests.benchmarks.simulated_time.rate_limited_graph import Limits


@pytest.mark.parametrize("limits", [at_once(3), a_second(5.0)], ids=["3 at once", "5 a second"])
def test_every_round_ends_and_the_rate_settles(limits: Limits) -> None:
    seen = measure(limits, rooms=600, seconds=120.0)
    assert len(seen.rounds) >= 10
    assert max(seen.rounds) < 3 * 600 / 20 / seen.limit
    assert seen.unread < 2 * max(seen.rounds)  # no room is refused again and again
    assert seen.settled > 0.7
    assert seen.refused < 0.25
    half = seen.windows[len(seen.windows) // 2 :]
    assert 1.0 <= min(half) <= max(half) < 6.0
