from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.report.axis import Axis
from tests.benchmarks.report.plots import CAPTIONS, draw
from tests.benchmarks.report.svg_plot import APART, NAMESPACE, lines, spread
from tests.benchmarks.results import Curve
from tests.unit.benchmarks.sample_results import result

if TYPE_CHECKING:
    from pathlib import Path

CURVES = [
    Curve("polling", "placed, unchanged", [(500, 0.026), (5500, 0.29), (50_000, 2.9)]),
    Curve("polling", "placed <changed> & more", [(500, 0.19), (5500, 2.0)]),
    Curve("polling", "floor, unchanged", [(500, 0.02), (5500, 0.22), (50_000, 2.9)]),
]


def found(drawn: str, kind: str, name: str) -> list[ET.Element]:
    """The elements of this kind and class."""
    elements = ET.fromstring(drawn).iter(f"{{{NAMESPACE}}}{kind}")  # noqa: S314 - we made it
    return [element for element in elements if name in element.get("class", "").split()]


@pytest.mark.parametrize("log", [True, False])
def test_every_curve_is_drawn_and_named(log: bool) -> None:  # noqa: FBT001 - a parameter of the test
    drawn = lines("Cost", "rooms", "seconds", CURVES, log=log)
    assert len(found(drawn, "polyline", "line")) == len(CURVES)
    assert {label.text for label in found(drawn, "text", "label")} == {curve.name for curve in CURVES}
    assert [len(line.get("points", "").split()) for line in found(drawn, "polyline", "line")] == [3, 2, 3]
    assert len(found(drawn, "polyline", "floor")) == 1


def test_a_plot_has_colours_for_light_and_dark() -> None:
    assert "prefers-color-scheme: dark" in lines("Cost", "rooms", "seconds", CURVES)


def test_all_that_is_drawn_is_on_the_picture() -> None:
    drawn = lines("Cost", "rooms", "seconds", CURVES, log=True)
    _, _, width, height = map(float, (ET.fromstring(drawn).get("viewBox") or "").split())  # noqa: S314 - ours
    for line in found(drawn, "polyline", "line"):
        for point in line.get("points", "").split():
            x, y = map(float, point.split(","))
            assert 0 < x < width
            assert 0 < y < height


def test_labels_do_not_touch() -> None:
    heights = spread([300.0, 100.0, 101.0, 302.0, 301.0], 80.0, 310.0)
    in_order = sorted(heights)
    assert all(above + APART <= below for above, below in pairwise(in_order))
    assert in_order[0] >= 80.0
    assert in_order[-1] <= 310.0
    assert heights[1] < heights[2] < heights[0] < heights[4] < heights[3]


@pytest.mark.parametrize(
    ("values", "log", "ticks"),
    [
        ((0, 599), False, (0, 100, 200, 300, 400, 500, 600)),
        ((0.1, 0.35), False, (0.1, 0.15, 0.2, 0.25, 0.3, 0.35)),
        ((3, 3), False, (3, 3.2, 3.4, 3.6, 3.8, 4)),
        ((500, 50_000), True, (500, 1000, 2000, 5000, 10_000, 20_000, 50_000)),
        ((0.002, 70), True, (0.01, 0.1, 1, 10)),
        ((7, 7), True, (5, 10)),
    ],
)
def test_round_numbers_stand_at_an_axis(
    values: tuple[float, ...],
    log: bool,  # noqa: FBT001 - a parameter of the test
    ticks: tuple[float, ...],
) -> None:
    axis = Axis.over(values, log=log)
    assert axis.ticks == pytest.approx(ticks)
    assert all(-0.001 <= axis.place(value) <= 1.001 for value in (*values, *axis.ticks))


def test_nothing_has_no_place_on_a_logarithmic_axis() -> None:
    with pytest.raises(ValueError, match="logarithmic"):
        Axis.over([0.0, 1.0], log=True)


def test_each_plot_is_a_file_with_its_own_caption(tmp_path: Path) -> None:
    other = Curve("throttling", "in flight", [(0, 1), (1, 2)])
    draw({"a": result(curves=(*CURVES,)), "b": result(curves=(other,))}, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["polling.svg", "throttling.svg"]
    assert CAPTIONS["polling"].title in (tmp_path / "polling.svg").read_text("utf-8")
