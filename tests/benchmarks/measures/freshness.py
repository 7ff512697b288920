"""How soon a booking is known: read by need, against fixed intervals with as many readings."""

from __future__ import annotations

from statistics import fmean, quantiles
from typing import TYPE_CHECKING

from tests.benchmarks.results import Curve, Result, Row
from tests.benchmarks.simulated_time.freshness import measure as live_through

if TYPE_CHECKING:
    from tests.benchmarks.workload_size import Effort

PLOT = "freshness"
_ROOMS = 150
_DAYS = (31, 32)  # seeds that no weight was chosen by


def measure(effort: Effort) -> Result:
    """Lives through working days, each in both ways."""
    days = [live_through(rooms=_ROOMS, seed=seed) for seed in _DAYS[: effort.choose(len(_DAYS), 1)]]
    by_need = quantiles([delay for day in days for delay in day.by_need.all], n=100)
    fixed = quantiles([delay for day in days for delay in day.fixed.all], n=100)
    readings = fmean(day.by_need.readings / day.fixed.readings for day in days)
    changes = sum(day.changes for day in days)
    what = "from a change to its reading, {}, by need; the floor is a fixed interval that costs as much"
    note = f"{changes:,} changes; {readings:.3f} times the readings"
    return Result(
        [
            Row("freshness.p50", what.format("p50"), "s", by_need[49], fixed[49], 0.5, note=note),
            Row("freshness.p99", what.format("p99"), "s", by_need[98], fixed[98], note=note),
        ],
        [
            Curve(PLOT, "floor, fixed intervals", [(float(n + 1), s) for n, s in enumerate(fixed)]),
            Curve(PLOT, "placed, by need", [(float(n + 1), s) for n, s in enumerate(by_need)]),
        ],
    )
