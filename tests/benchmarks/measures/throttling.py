"""What becomes of the rate against a service that throttles: a plot, and that it settles."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

from tests.benchmarks.results import Curve, Result, Row
from tests.benchmarks.simulated_time.throttling import a_second
from tests.benchmarks.simulated_time.throttling import measure as poll

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.workload_size import Effort

PLOT = "throttling"
_SHOWN = 60  # seconds
_A_SECOND = 15.0  # batches that the service lets in


def _points(times: Sequence[float], values: Sequence[float]) -> list[tuple[float, float]]:
    """Of the first minute, in which all of it is to be seen."""
    return list(zip(times, values, strict=True))[:_SHOWN]


def _smooth(rates: Sequence[float]) -> list[float]:
    """The mean of five seconds, since a service that lets in so many a second lets some in at once."""
    return [fmean(rates[max(0, n - 2) : n + 3]) for n in range(len(rates))]


def measure(effort: Effort) -> Result:
    """Polls a service that lets in so many batches a second."""
    found = poll(a_second(_A_SECOND), seconds=effort.choose(180, 60))
    return Result(
        [
            Row(
                "throttling.refused",
                f"batches refused where {_A_SECOND:.0f} a second are let in, once the rate has settled",
                "share",
                found.refused,
                at_most=0.1,
                note=f"{found.settled:.0%} of what it lets in is used; "
                f"the longest of {len(found.rounds)} rounds took {max(found.rounds):.1f} s",
            )
        ],
        [
            Curve(
                PLOT, "floor: what is let in, a second", [(0.0, found.limit), (float(_SHOWN), found.limit)]
            ),
            Curve(PLOT, "served, a second", _points(found.times, _smooth(found.rates))),
            Curve(PLOT, "window of the pace (AIMD)", _points(found.times, found.windows)),
            Curve(PLOT, "refused, a second", _points(found.times, found.refusals)),
        ],
    )
