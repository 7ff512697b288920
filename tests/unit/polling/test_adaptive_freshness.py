"""That reading by need is worth it: a short form of `tests.benchmarks.simulated_time.freshness`."""

from __future__ import annotations

import pytest

from tests.benchmarks.simulated_time.freshness import measure

pytestmark = pytest.mark.slow  # it simulates a day of thirty calendars twice


def test_by_need_changes_are_read_sooner_for_as_many_readings() -> None:
    found = measure(rooms=30)
    assert abs(found.by_need.readings / found.fixed.readings - 1) < 0.01
    assert found.by_need.p50 < found.fixed.p50 / 1.5
    assert found.by_need.mean < found.fixed.mean / 1.2
    assert found.by_need.requests < 1.15 * found.by_need.readings / 20
