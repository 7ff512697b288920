"""The intervals of rooms, by their weights and the rate of all readings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.polling.weighted_intervals import WeightedIntervals, level_of


def shared(rate: float, weights: list[float], shortest: float = 5.0, longest: float = 300.0) -> list[float]:
    """The intervals of rooms with those weights."""
    intervals = WeightedIntervals(rate, shortest, longest)
    levels = [level_of(weight) for weight in weights]
    for level in levels:
        intervals.add(level)
    intervals.settle()
    return [intervals.interval(level) for level in levels]


def test_twice_the_weight_is_half_the_interval() -> None:
    one, two, four = shared(0.1, [1.0, 2.0, 4.0])
    assert one == pytest.approx(2 * two) == pytest.approx(4 * four)
    assert 1 / one + 1 / two + 1 / four == pytest.approx(0.1)


def test_with_plenty_every_room_has_the_shortest_interval() -> None:
    assert shared(1000.0, [1.0, 8.0]) == [5.0, 5.0]


def test_with_too_little_all_intervals_stretch_alike() -> None:
    assert shared(0.005, [1.0, 8.0]) == pytest.approx([400.0, 400.0])


def test_what_a_quiet_room_leaves_is_saved() -> None:
    intervals = WeightedIntervals(0.1, 5.0, 300.0)
    intervals.add(0)
    intervals.settle()
    assert intervals.interval(0) == pytest.approx(10.0)
    assert intervals.interval(0, 0.1) == pytest.approx(100.0)


def test_rooms_come_and_go() -> None:
    intervals = WeightedIntervals(1.0, 5.0, 300.0)
    intervals.settle()
    for _ in range(20):
        intervals.add(0)
    intervals.settle()
    assert intervals.interval(0) == pytest.approx(20.0)
    for _ in range(10):
        intervals.remove(0)
    intervals.settle()
    assert intervals.interval(0) == pytest.approx(10.0)
    assert intervals.needed == pytest.approx(10 / 300)


@given(st.floats(0.01, 1000), st.lists(st.floats(0.1, 100), min_size=1, max_size=50))
def test_all_together_never_take_more_than_the_rate(rate: float, weights: list[float]) -> None:
    intervals = shared(rate, weights)
    assert sum(1 / interval for interval in intervals) <= rate * (1 + 1e-6)
    assert min(intervals) >= 5.0
