"""The findings of `placed doctor` as text: a table at a terminal, else one line per finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from placed.doctor.report import BROKER, SENSORS
from placed.driver import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed.doctor import Chart, NamedFinding
    from placed.driver import Finding

SHAPES = {Verdict.GOOD: "✓", Verdict.DOUBTFUL: "!", Verdict.BAD: "✗"}
_STYLES = {Verdict.GOOD: "green", Verdict.DOUBTFUL: "yellow", Verdict.BAD: "bold red"}


def lines(chart: Chart) -> Iterator[str]:
    """One line per finding, and a last one with the counts."""
    for name, finding in chart.findings:
        where = f"{name} " if name is not None else ""
        yield f"{SHAPES[finding.verdict]} {where}{finding.check}: {finding.text}{_next(finding, ' -> ')}"
    yield summary(chart)


def summary(chart: Chart) -> str:
    """`12 ✓ 1 ! 0 ✗`."""
    return " ".join(f"{chart.count(verdict)} {shape}" for verdict, shape in SHAPES.items())


def table(chart: Chart) -> Group:
    """A table of the findings, grouped by connection."""
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("", "check", "found", "next step"):
        shown.add_column(heading, no_wrap=heading == "check", ratio={"found": 5, "next step": 4}.get(heading))
    title = None
    for item in chart.findings:
        if (group := _group(item)) != title:
            title = group
            shown.add_row()
            shown.add_row("", Text(title, "bold"))
        _, finding = item
        style = _STYLES[finding.verdict]
        # As Text, since rich would parse a string as markup, and paths may contain brackets.
        shown.add_row(
            Text(SHAPES[finding.verdict], style),
            Text(finding.check),
            Text(finding.text, "dim" if finding.blocked_by else ""),
            Text(_next(finding, ""), style if not finding.blocked_by else "dim"),
        )
    numbers = Text("\n")
    for verdict, shape in SHAPES.items():
        numbers.append(f"{chart.count(verdict)} {shape} ", _STYLES[verdict])
    return Group(shown, numbers)


def _group(item: NamedFinding) -> str:
    name, finding = item
    if name is not None:
        return name
    if finding.check in SENSORS:
        return "sensors"
    return "broker" if finding.check in BROKER else "this machine"


def _next(finding: Finding, before: str) -> str:
    if finding.blocked_by:
        return f"{before}first: {finding.blocked_by}"
    return f"{before}{finding.remedy}" if finding.remedy else ""
