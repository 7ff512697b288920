"""A budget is never exceeded in any minute, whatever comes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from placed.polling.budget import ReadingBudget


def test_urgent_rooms_get_the_rest_of_the_minute() -> None:
    allowance = ReadingBudget(100, 20)
    assert allowance.left(1000.0) == 100
    allowance.begin(80, 1000.0)
    allowance.end(1002.0)
    assert allowance.left(1002.0) == 20
    assert allowance.left_from(20) == 0.0
    assert allowance.left_from(21) == 1062.0
    assert allowance.left(1061.9) == 20
    assert allowance.left(1062.0) == 100


def test_what_can_wait_is_spread_evenly() -> None:
    allowance = ReadingBudget(600, 20)
    begun = []
    for tenth in range(10_000, 10_600):
        moment = tenth / 10
        number = allowance.evenly(moment)
        if number >= 20:
            allowance.begin(20, moment)
            allowance.end(moment)
            begun.append(moment)
    assert len(begun) == 30
    assert all(1.9 < later - earlier < 2.1 for earlier, later in pairwise(begun))


def test_it_reports_when_the_wanted_requests_may_start() -> None:
    allowance = ReadingBudget(600, 20)
    allowance.begin(20, 1000.0)
    allowance.end(1000.0)
    assert allowance.evenly(1000.0) < 20
    assert allowance.evenly(allowance.evenly_from(20)) == 20


@given(
    st.integers(1, 500),
    st.lists(st.tuples(st.floats(0, 30), st.floats(0, 90), st.integers(0, 600), st.booleans()), max_size=40),
)
def test_no_minute_has_more_than_the_budget(
    budget: int, wishes: list[tuple[float, float, int, bool]]
) -> None:
    """Whenever within its reading the service counts a request, and however long readings take."""
    allowance = ReadingBudget(budget, 20)
    moment = 1000.0
    readings: list[tuple[float, float, int]] = []
    for pause, takes, wish, waits in wishes:
        moment += pause
        number = min(wish, allowance.evenly(moment) if waits else allowance.left(moment))
        allowance.begin(number, moment)
        readings.append((moment, moment + takes, number))
        moment += takes
        allowance.end(moment)
    for _, end, _ in readings:
        # Those that may have been counted in the minute from this end on.
        assert sum(n for begun, over, n in readings if over >= end and begun < end + 59.99) <= budget
