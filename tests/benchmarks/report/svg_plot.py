"""Draws lines into an SVG that reads well on light and on dark ground."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from tests.benchmarks.report.axis import Axis
from tests.benchmarks.report.number_format import number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.results import Curve

NAMESPACE = "http://www.w3.org/2000/svg"
WIDTH, HEIGHT = 760, 440
LEFT, TOP, BOTTOM = 74, 84, 62
LETTER = 8.4  # px, of a label; as much as wide fonts take on average
APART = 18  # px, between the labels of two lines
EARLY = 40  # px before the field's end
MARKED = 12  # points: a line of so few has each of them marked
FLOOR = "floor"  # a line whose name begins so is dashed: it is what to be compared with

STYLE = """
svg { --ground: #ffffff; --ink: #1f2328; --faint: #59636e; --grid: #e4e8ec;
      --c0: #0b62c4; --c1: #b8500c; --c2: #0d7a5f; --c3: #8a3ffc; --c4: #b3206b; --c5: #6b6100; }
@media (prefers-color-scheme: dark) {
  svg { --ground: #0d1117; --ink: #e6edf3; --faint: #9aa4af; --grid: #262c34;
        --c0: #6cb0ff; --c1: #f5a05a; --c2: #4fd1a5; --c3: #c4a1ff; --c4: #ff8fc2; --c5: #d8c94a; }
}
text { font: 13px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--faint); }
.ground { fill: var(--ground); }
.title { font-size: 17px; font-weight: 600; fill: var(--ink); }
.label { font-weight: 600; paint-order: stroke; stroke: var(--ground); stroke-width: 5px; }
.grid { stroke: var(--grid); }
.axis { stroke: var(--faint); }
.line { fill: none; stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
.floor { stroke-dasharray: 2 6; }
.lead { stroke-width: 1; stroke-dasharray: 1 3; }
.x, .middle { text-anchor: middle; }
.y { text-anchor: end; }
""" + "\n".join(
    f".line.c{n}, .lead.c{n} {{ stroke: var(--c{n}); }} .dot.c{n}, .label.c{n} {{ fill: var(--c{n}); }}"
    for n in range(6)
)
COLOURS = 6


class Point(NamedTuple):
    """On the picture, in px."""

    x: float
    y: float


class Field(NamedTuple):
    """Where the lines are drawn: the axes, and its right and lower end on the picture."""

    x: Axis
    y: Axis
    right: float
    bottom: float

    def at(self, x: float, y: float) -> Point:
        """Where a pair of values is on the picture."""
        return Point(
            round(LEFT + self.x.place(x) * (self.right - LEFT), 1),
            round(self.bottom - self.y.place(y) * (self.bottom - TOP), 1),
        )


def lines(title: str, x_label: str, y_label: str, curves: Sequence[Curve], *, log: bool = False) -> str:
    """The SVG.

    Args:
        title: stands above.
        x_label: stands below.
        y_label: stands above the vertical axis.
        curves: at least one, each with at least one point; each is named where it ends.
        log: whether both axes are logarithmic.

    Raises:
        ValueError: there is nothing to draw, or a value that has no place on a logarithmic axis.
    """
    points = [point for curve in curves for point in curve.points]
    field = Field(
        Axis.over((x for x, _ in points), log=log),
        Axis.over((y for _, y in points), log=log, from_zero=True),
        WIDTH - max(map(_width, curves)) - 32,
        HEIGHT - BOTTOM,
    )
    drawn = [
        f'<svg xmlns="{NAMESPACE}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t">',
        f'<title id="t">{escape(title)}: {escape(y_label)}, by {escape(x_label)}</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'<text class="title" x="20" y="34">{escape(title)}</text>',
        f'<text x="20" y="58">{escape(y_label)}</text>',
        *_axes(field, x_label),
    ]
    for number_, curve in enumerate(curves):
        drawn += _curve(field, curve, f"c{number_ % COLOURS}")
    drawn += _labels(field, curves)
    return "\n".join([*drawn, "</svg>"]) + "\n"


def _axes(field: Field, x_label: str) -> Iterator[str]:
    middle = (LEFT + field.right) / 2
    for tick in field.y.ticks:
        _, y = field.at(field.x.low, tick)
        yield f'<line class="grid" x1="{LEFT}" y1="{y}" x2="{field.right}" y2="{y}"/>'
        yield f'<text class="y" x="{LEFT - 10}" y="{y + 4.5:.1f}">{number(tick)}</text>'
    yield f'<line class="axis" x1="{LEFT}" y1="{field.bottom}" x2="{field.right}" y2="{field.bottom}"/>'
    for tick in field.x.ticks:
        x, _ = field.at(tick, field.y.low)
        yield f'<line class="axis" x1="{x}" y1="{field.bottom}" x2="{x}" y2="{field.bottom + 5}"/>'
        yield f'<text class="x" x="{x}" y="{field.bottom + 21}">{number(tick)}</text>'
    yield f'<text class="middle" x="{middle:.1f}" y="{field.bottom + 45}">{escape(x_label)}</text>'


def _curve(field: Field, curve: Curve, colour: str) -> Iterator[str]:
    placed = [field.at(x, y) for x, y in curve.points]
    floor = " floor" if curve.name.startswith(FLOOR) else ""
    path = " ".join(f"{x},{y}" for x, y in placed)
    yield f'<polyline class="line {colour}{floor}" points="{path}"/>'
    if len(placed) <= MARKED:
        yield from (f'<circle class="dot {colour}" cx="{x}" cy="{y}" r="4"/>' for x, y in placed)


def _labels(field: Field, curves: Sequence[Curve]) -> Iterator[str]:
    """The names, at the lines' ends and clear of each other; a line that ends early has it above its end."""
    beside = []
    for number_, curve in enumerate(curves):
        end, colour = field.at(*curve.points[-1]), f"c{number_ % COLOURS}"
        if LEFT + _width(curve) < end.x < field.right - EARLY:
            yield _label(curve, f"{colour} y", end.x + 4, end.y - 15)
        else:
            beside.append((curve, end, colour))
    heights = spread([end.y for _, end, _ in beside], TOP, field.bottom)
    for (curve, end, colour), y in zip(beside, heights, strict=True):
        x = field.right + 20
        yield f'<line class="lead {colour}" x1="{end.x + 7}" y1="{end.y}" x2="{x - 5}" y2="{y:.1f}"/>'
        yield _label(curve, colour, x, y)


def _label(curve: Curve, colour: str, x: float, y: float) -> str:
    return f'<text class="label {colour}" x="{x:.1f}" y="{y + 4.5:.1f}">{escape(curve.name)}</text>'


def _width(curve: Curve) -> float:
    return len(curve.name) * LETTER


def spread(heights: Sequence[float], top: float, bottom: float) -> list[float]:
    """The same heights in the same order, moved as far as it takes for labels not to touch."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    found = list(heights)
    least = top
    for place in order:
        least = found[place] = max(found[place], least)
        least += APART
    most = bottom
    for place in reversed(order):
        most = found[place] = min(found[place], most)
        most -= APART
    return found
