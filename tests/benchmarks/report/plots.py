"""The plots: which there are, and each as an SVG that can be read on a light and on a dark background."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tests.benchmarks.report.number_format import number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from tests.benchmarks.results import Curve, Result


class Caption(NamedTuple):
    """The texts of a plot.

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

# Each colour on a light background, and the same on a dark one.
GROUND = ("#ffffff", "#0d1117")
INK = ("#1f2328", "#e6edf3")
FAINT = ("#59636e", "#9aa4af")
GRID = ("#e4e8ec", "#262c34")
LINES = (
    ("#0b62c4", "#6cb0ff"),
    ("#b8500c", "#f5a05a"),
    ("#0d7a5f", "#4fd1a5"),
    ("#8a3ffc", "#c4a1ff"),
    ("#b3206b", "#ff8fc2"),
    ("#6b6100", "#d8c94a"),
)
FLOOR = "floor"  # the name of a line to compare with begins so; it is dotted
MARKED = 12  # points: each point of a line with no more is marked

SETTINGS: dict[Any, Any] = {  # of matplotlib
    "svg.fonttype": "none",  # texts stay texts, in a font of the reader
    "svg.hashsalt": "placed",  # the same ids at each run
    "font.family": ["DejaVu Sans"],
    "text.parse_math": False,
}


def draw(results: dict[str, Result], folder: Path) -> None:
    """Draws each plot into a file of its name."""
    plots: dict[str, list[Curve]] = {}
    for result in results.values():
        for curve in result.curves:
            plots.setdefault(curve.plot, []).append(curve)
    for name, curves in plots.items():
        drawn = svg(CAPTIONS.get(name, Caption(name, "", "")), curves)
        (folder / f"{name}.svg").write_text(drawn, "utf-8")


def svg(caption: Caption, curves: Sequence[Curve]) -> str:
    """The SVG of one plot; the same curves give the same bytes.

    Args:
        caption: its texts.
        curves: at least one, each with at least one point.

    Raises:
        ValueError: a value cannot be shown on a logarithmic axis.
    """
    if caption.log and any(min(point) <= 0 for curve in curves for point in curve.points):
        raise ValueError("a logarithmic axis shows values above 0 only")
    with rc_context(SETTINGS):
        figure = Figure(figsize=(9.5, 5.0), layout="constrained", facecolor=GROUND[0])
        _plot(figure.add_subplot(facecolor="none"), caption, curves)
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Title": caption.title})
    return _with_dark_colours(drawn.getvalue())


def _plot(axes: Axes, caption: Caption, curves: Sequence[Curve]) -> None:
    axes.set_title(caption.title, loc="left", color=INK[0], fontweight="bold", fontsize=13, pad=14)
    axes.set_xlabel(caption.x, color=FAINT[0])
    axes.set_ylabel(caption.y, color=FAINT[0])
    for place, curve in enumerate(curves):
        axes.plot(
            *zip(*curve.points, strict=True),
            label=curve.name,
            color=LINES[place % len(LINES)][0],
            linewidth=2,
            linestyle=":" if curve.name.startswith(FLOOR) else "-",
            marker="o" if len(curve.points) <= MARKED else "",
            gid=f"curve-{place}",
        )
    if caption.log:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    elif all(y >= 0 for curve in curves for _, y in curve.points):
        axes.set_ylim(bottom=0)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="both", color=GRID[0], labelcolor=FAINT[0])
    axes.grid(axis="y", color=GRID[0])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT[0])
    # The names stand beside the plot, in the order in which the lines end.
    by_end = sorted(zip(axes.get_lines(), curves, strict=True), key=lambda pair: -pair[1].points[-1][1])
    axes.legend(
        handles=[line for line, _ in by_end],
        loc="center left",
        bbox_to_anchor=(1, 0.5),
        frameon=False,
        labelcolor="linecolor",
    )


def _with_dark_colours(drawn: str) -> str:
    """The SVG with variables in place of colours, which are others on a dark background."""
    colours = (GROUND, INK, FAINT, GRID, *LINES)
    light = " ".join(f"--c{place}: {colour};" for place, (colour, _) in enumerate(colours))
    dark = " ".join(f"--c{place}: {colour};" for place, (_, colour) in enumerate(colours))
    for place, (colour, _) in enumerate(colours):
        drawn = drawn.replace(colour, f"var(--c{place})")
    style = f"<style>svg {{ {light} }} @media (prefers-color-scheme: dark) {{ svg {{ {dark} }} }}</style>"
    return drawn.replace("<defs>", f"{style}\n <defs>", 1)
