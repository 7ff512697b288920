"""Which plots there are, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench.plot import lines

if TYPE_CHECKING:
    from pathlib import Path

    from bench.row import Curve, Result


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
    "throttling": Caption("Requests to a service that throttles", "seconds", "requests"),
    "freshness": Caption("From a booking to its reading", "share of bookings in percent", "seconds"),
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
