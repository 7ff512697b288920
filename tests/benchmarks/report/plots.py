"""Which plots there are, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.report.svg_plot import lines

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.results import Curve, Result


class Caption(NamedTuple):
    """What stands around a plot.

    Attributes:
        log: whether both axes are logarithmic.
    """

    title: str
    x: str
    y: str
    log: bool = False


CAPTIONS = {
    "polling": Caption("What a poll costs", "rooms", "seconds of the processor, a poll", log=True),
    "throttling": Caption("The pace before a service that throttles", "seconds", "batches"),
    "freshness": Caption(
        "From a change of a calendar to its reading", "percent of all changes, the soonest first", "seconds"
    ),
}


def draw(results: dict[str, Result], folder: Path) -> None:
    """Draws each plot into a file of its name."""
    plots: dict[str, list[Curve]] = {}
    for result in results.values():
        for curve in result.curves:
            plots.setdefault(curve.plot, []).append(curve)
    for name, curves in plots.items():
        caption = CAPTIONS.get(name, Caption(name, "", ""))
        drawn = lines(caption.title, caption.x, caption.y, curves, log=caption.log)
        (folder / f"{name}.svg").write_text(drawn, "utf-8")
