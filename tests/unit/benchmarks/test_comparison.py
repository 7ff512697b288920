from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.report.comparison import TRIES, Verdict, compare, judge
from tests.unit.benchmarks.sample_results import result, row

if TYPE_CHECKING:
    from tests.benchmarks.results import Result, Row

COMMITTED = row(ours=15.0, floor=10.0, at_most=2.0)  # 1.5 floors


def verdicts(was: Row, now: Row) -> list[Verdict]:
    return [compared.verdict for compared in compare([was], [now])]


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (10.0, Verdict.OK),  # better
        (15.0, Verdict.OK),
        (18.7, Verdict.OK),  # within a quarter more
        (18.8, Verdict.WORSE),
        (20.1, Verdict.WORSE),
    ],
)
def test_a_ratio_may_be_a_quarter_more_than_in_the_table(ours: float, verdict: Verdict) -> None:
    assert verdicts(COMMITTED, row(ours=ours, floor=10.0, at_most=2.0)) == [verdict]


@pytest.mark.parametrize(
    ("ours", "verdict"), [(19.9, Verdict.OK), (20.0, Verdict.OK), (20.1, Verdict.TOO_MUCH)]
)
def test_where_only_the_bound_counts_a_ratio_may_be_anything_below_it(ours: float, verdict: Verdict) -> None:
    found = compare([COMMITTED], [row(ours=ours, floor=10.0, at_most=2.0)], bounds_only=True)
    assert [compared.verdict for compared in found] == [verdict]


def test_a_slower_machine_is_no_regression() -> None:
    assert verdicts(COMMITTED, row(ours=1500.0, floor=1000.0, at_most=2.0)) == [Verdict.OK]


def test_of_a_figure_without_a_floor_only_the_bound_counts() -> None:
    was = row(ours=1.0, at_most=50.0)
    assert verdicts(was, row(ours=49.0, at_most=50.0)) == [Verdict.OK]
    assert verdicts(was, row(ours=51.0, at_most=50.0)) == [Verdict.TOO_MUCH]
    assert verdicts(row(ours=1.0), row(ours=9000.0)) == [Verdict.OK]


def test_peers_are_compared_one_by_one() -> None:
    def beside(one: float, other: float) -> Row:
        return row(ours=1.0, peers={"one": one, "other": other}, peers_at_most={"one": 0.01})

    assert verdicts(beside(1000, 300), beside(1100, 200)) == [Verdict.OK, Verdict.OK, Verdict.WORSE]
    assert verdicts(beside(1000, 300), beside(90, 300)) == [Verdict.OK, Verdict.WORSE, Verdict.OK]


def test_a_row_missing_in_the_table_is_reported_and_held_to_its_bound() -> None:
    assert verdicts(COMMITTED, row("poll.new", ours=15.0, floor=10.0)) == [Verdict.NEW]
    assert verdicts(COMMITTED, row("poll.new", ours=15.0, floor=10.0, at_most=1.4)) == [Verdict.TOO_MUCH]


def test_what_was_not_measured_is_passed_over() -> None:
    assert [compared.key for compared in compare([COMMITTED, row("poll.other")], [COMMITTED])] == [
        COMMITTED.key
    ]


def test_what_looks_worse_is_measured_again_and_the_best_of_each_figure_counts() -> None:
    def both(first: float, second: float) -> Result:
        return result(row("a", first, floor=10.0), row("b", second, floor=10.0))

    takes = [both(30.0, 10.0), both(10.0, 30.0), both(0.0, 0.0)]
    found = judge(both(10.0, 10.0), lambda: takes.pop(0))
    assert [(compared.key, compared.now.value) for compared in found] == [("a", 1.0), ("b", 1.0)]
    assert len(takes) == 1


def test_what_stays_worse_is_measured_three_times() -> None:
    taken = []

    def measure() -> Result:
        taken.append(1)
        return result(row(ours=90.0, floor=10.0))

    found = judge(result(COMMITTED), measure)
    assert [compared.verdict for compared in found] == [Verdict.WORSE]
    assert len(taken) == TRIES


def test_what_fails_is_not_measured_again() -> None:
    takes = [None, result(COMMITTED)]
    assert judge(result(COMMITTED), lambda: takes.pop(0)) == []
    assert len(takes) == 1
