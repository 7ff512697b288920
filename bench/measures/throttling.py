"""What becomes of the rate against a service that throttles: a plot, and that it settles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.row import Curve, Result, Row
from bench.throttling import a_second
from bench.throttling import measure as poll

if TYPE_CHECKING:
    from bench.effort import Effort

PLOT = "throttling"
_A_SECOND = 15.0  # batches that the service lets in


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
                PLOT,
                "floor: the service's limit, a second",
                [(0.0, found.limit), (found.times[-1], found.limit)],
            ),
            Curve(PLOT, "served, a second", list(zip(found.times, found.rates, strict=True))),
            Curve(PLOT, "refused, a second", list(zip(found.times, found.refusals, strict=True))),
            Curve(PLOT, "window (AIMD)", list(zip(found.times, found.windows, strict=True))),
        ],
    )
