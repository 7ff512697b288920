from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.benchmarks.report.plots import CAPTIONS, GROUND, LINES, Caption, draw, svg
from tests.benchmarks.results import Curve
from tests.unit.benchmarks.sample_results import result

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow  # matplotlib draws each plot in a third of a second

NAMESPACE = "{http://www.w3.org/2000/svg}"
CURVES = [
    Curve("polling", "placed, unchanged", [(500, 0.026), (5500, 0.29), (50_000, 2.9)]),
    Curve("polling", "placed <changed> & more", [(500, 0.19), (5500, 2.0)]),
    Curve("polling", "floor, unchanged", [(500, 0.02), (5500, 0.22), (50_000, 2.9)]),
]


def drawn(*, log: bool) -> str:
    return svg(Caption("Cost", "rooms", "seconds", log), CURVES)


def curves_in(picture: str) -> list[ET.Element]:
    elements = ET.fromstring(picture).iter(f"{NAMESPACE}g")  # noqa: S314 - we made it
    return [element for element in elements if element.get("id", "").startswith("curve-")]


@pytest.mark.parametrize("log", [True, False])
def test_every_curve_is_drawn_and_named(log: bool) -> None:  # noqa: FBT001 - a parameter of the test
    picture = drawn(log=log)
    curves = curves_in(picture)
    assert len(curves) == len(CURVES)
    texts = {text.text for text in ET.fromstring(picture).iter(f"{NAMESPACE}text")}  # noqa: S314 - we made it
    assert {"Cost", "rooms", "seconds", *(curve.name for curve in CURVES)} <= texts
    marks = [len(list(curve.iter(f"{NAMESPACE}use"))) for curve in curves]
    assert marks == [len(curve.points) for curve in CURVES]
    lines = [ET.tostring(curve, "unicode") for curve in curves]
    assert ["stroke-dasharray" in line for line in lines] == [False, False, True]


def test_a_plot_has_colours_for_light_and_dark() -> None:
    picture = drawn(log=False)
    assert "prefers-color-scheme: dark" in picture
    style = picture[picture.index("<style>svg") : picture.index("</style>", picture.index("<style>svg"))]
    for light, dark in (GROUND, *LINES):
        assert light in style
        assert dark in style
        assert picture.count(light) == style.count(light)


def test_a_plot_is_the_same_each_time_it_is_drawn() -> None:
    assert drawn(log=True) == drawn(log=True)


def test_a_logarithmic_plot_refuses_what_it_cannot_show() -> None:
    with pytest.raises(ValueError, match="logarithmic"):
        svg(Caption("Cost", "rooms", "seconds", log=True), [Curve("polling", "placed", [(0.0, 1.0)])])


def test_each_plot_is_a_file_with_its_own_caption(tmp_path: Path) -> None:
    other = Curve("throttling", "in flight", [(0, 1), (1, 2)])
    draw({"a": result(curves=(*CURVES,)), "b": result(curves=(other,))}, tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["polling.svg", "throttling.svg"]
    assert CAPTIONS["polling"].title in (tmp_path / "polling.svg").read_text("utf-8")
