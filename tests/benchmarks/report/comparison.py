"""What was measured now beside the committed table: whether it got worse.

Only ratios are compared. A figure that stands for itself, such as seconds or bytes, belongs to the machine
that it was measured on; of it, only the bound counts. A busy machine makes a figure worse, and hardly ever
better: a measure that looks worse is taken again, and the best of each figure counts. The short form is taken
wherever the tests run, on busy machines too: of it the bounds count alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.table import Table as Grid

from tests.benchmarks.report.number_format import number, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.benchmarks.results import Figure, Result, Row

MORE = 1.25  # times the committed ratio, at most
TRIES = 3


class Verdict(StrEnum):
    """Of a figure."""

    OK = "ok"
    WORSE = "worse"
    TOO_MUCH = "too much"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure then and now.

    Attributes:
        key: of the row.
        was: in the committed table; None if it is not in it.
        now: the best of what was measured.
        bounds_only: whether only the bound counts, and not how much more it is than in the table.
    """

    key: str
    was: Figure | None
    now: Figure
    bounds_only: bool = False

    @property
    def verdict(self) -> Verdict:
        """A ratio that is in the table may be a little worse than it; for all others the bound counts."""
        if self.was is not None and self.now.against and not self.bounds_only:
            return Verdict.WORSE if self.now.value > MORE * self.was.value else Verdict.OK
        if not self.now.kept:
            return Verdict.TOO_MUCH
        return Verdict.NEW if self.was is None else Verdict.OK

    @property
    def passes(self) -> bool:
        """Whether it is no worse than it may be."""
        return self.verdict in (Verdict.OK, Verdict.NEW)


def compare(
    committed: Iterable[Row], measured: Iterable[Row], *, bounds_only: bool = False
) -> list[Compared]:
    """Every figure that was measured. What is in the table and was not measured is passed over."""
    were = _figures(committed)
    return [Compared(key[0], were.get(key), now, bounds_only) for key, now in _figures(measured).items()]


def best(first: Iterable[Compared], second: Iterable[Compared]) -> list[Compared]:
    """Of each figure the lesser one, of two takes of the same measure."""
    found = {(compared.key, compared.now.against): compared for compared in first}
    for compared in second:
        key = compared.key, compared.now.against
        if key not in found or compared.now.value < found[key].now.value:
            found[key] = compared
    return list(found.values())


def judge(
    committed: Result | None, measure: Callable[[], Result | None], *, bounds_only: bool = False
) -> list[Compared]:
    """Measures once, and again where something looks worse than it may be.

    Args:
        committed: what the table has of this measure, if anything.
        measure: takes it; None where that failed, which is no reason to try again.
        bounds_only: whether only the bounds count.
    """
    found: list[Compared] = []
    for _ in range(TRIES):
        result = measure()
        if result is None:
            break
        rows = committed.rows if committed is not None else ()
        found = best(found, compare(rows, result.rows, bounds_only=bounds_only))
        if all(compared.passes for compared in found):
            break
    return found


def _figures(rows: Iterable[Row]) -> dict[tuple[str, str], Figure]:
    return {(row.key, figure.against): figure for row in rows for figure in row.figures}


def grid(found: Iterable[Compared]) -> Grid:
    """For a terminal."""
    shown = Grid("row", "against", "was", "now", "at most", "", box=None, pad_edge=False, header_style="bold")
    for compared in found:
        now, was = compared.now, compared.was
        formatted = ratio if now.against else number
        shown.add_row(
            compared.key,
            now.against or "-",
            "-" if was is None else formatted(was.value),
            formatted(now.value),
            "-" if now.at_most is None else formatted(now.at_most),
            compared.verdict,
            style="" if compared.passes else "bold red",
        )
    return shown
