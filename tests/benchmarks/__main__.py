"""The command line of `scripts/bench`.

It ends with 0 if every measure found something and every bound is kept, with 1 if not, and with 2 if it was
asked for what there is not.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tests.benchmarks.measures import SHORT
from tests.benchmarks.report import comparison, table
from tests.benchmarks.report.plots import draw
from tests.benchmarks.report.table import Machine, Table
from tests.benchmarks.run_measures import Failed, measure_apart, names
from tests.benchmarks.workload_size import Effort

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.benchmarks.results import Result

HERE = Path("docs", "performance")
FULL, IN_SHORT = Effort(), Effort(short=True)
_WIDTH = 180  # where nobody looks on, so that no line is broken


class Taker:
    """Takes one measure after another, and prints its progress.

    Args:
        measure: has a measure run; raises `Failed`.
        console: on which the progress is printed.

    Attributes:
        failed: whether one of them did.
    """

    def __init__(self, measure: Callable[[str, Effort], Result], console: Console) -> None:
        self._measure = measure
        self._console = console
        self.failed = False

    def take(self, name: str, effort: Effort) -> Result | None:
        """What it found; None if it failed."""
        # No bar that moves: it would take from the cores that are measured on.
        self._print(f"{name}{', short' if effort.short else ''} ... ", end="")
        begun = time.monotonic()
        try:
            result = self._measure(name, effort)
        except Failed as error:
            self.failed = True
            self._print(f"FAILED: {error}")
            return None
        self._print(f"{time.monotonic() - begun:.0f} s")
        return result

    def _print(self, text: str, end: str = "\n") -> None:
        self._console.print(text, end=end, markup=False, highlight=False, soft_wrap=True)
        self._console.file.flush()


def fill(found: Table, plan: Sequence[tuple[str, Effort]], taker: Taker) -> None:
    """Puts what is measured into the table, in its order; a measure that failed is removed."""
    taken = {(name, effort): taker.take(name, effort) for name, effort in plan}
    for effort in (FULL, IN_SHORT):
        results = found.of(short=effort.short)
        now = {name: taken.get((name, effort), results.get(name)) for name in names()}
        results.clear()
        results.update({name: result for name, result in now.items() if result is not None})


def show(found: Table, plan: Sequence[tuple[str, Effort]], console: Console) -> bool:
    """Shows what was measured now. Returns whether every bound of it is kept."""
    kept = True
    for effort in (FULL, IN_SHORT):
        rows = [row for name, row in table.rows(found.of(short=effort.short)) if (name, effort) in plan]
        if rows:
            console.print("\nThe short form" if effort.short else "", table.grid(rows), sep="\n")
        kept = kept and all(row.kept for row in rows)
    return kept


def check(committed: Table, plan: Sequence[tuple[str, Effort]], taker: Taker, console: Console) -> bool:
    """Whether no figure is worse than in the committed table; in the short form, than its bound."""
    found: list[comparison.Compared] = []
    for name, effort in plan:
        was = committed.of(short=effort.short).get(name)

        def measure(name: str = name, effort: Effort = effort) -> Result | None:
            return taker.take(name, effort)

        found += comparison.judge(was, measure, bounds_only=effort.short)
    console.print(comparison.grid(found))
    return all(compared.passes for compared in found)


def main(
    arguments: Sequence[str] | None = None,
    measure: Callable[[str, Effort], Result] = measure_apart,
    console: Console | None = None,
) -> int:
    """Reads the command line, and does it. Returns the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    console = console or Console(width=None if sys.stdout.isatty() else _WIDTH)
    taker = Taker(measure, console)
    chosen = [name for name in names() if name in (given.only or (SHORT if given.short else names()))]
    plan = [(name, IN_SHORT if given.short else FULL) for name in chosen]
    folder = given.out or HERE
    known = table.read(folder)
    if given.check:
        if known is None:
            parser.error(f"no {folder / table.JSON} to compare with. Remedy: write one with scripts/bench")
        return 0 if check(known, plan, taker, console) and not taker.failed else 1
    if given.only and known is not None and known.machine != Machine.this():
        parser.error(
            f"{folder / table.JSON} is of another machine. Remedy: measure all, or choose another --out"
        )
    if not given.short:
        plan += [(name, IN_SHORT) for name in chosen if name in SHORT]
    found = known if given.only and known is not None else Table(Machine.this())
    fill(found, plan, taker)
    kept = show(found, plan, console)
    if given.out or not given.short:
        table.write(found, folder)
        draw(found.full or found.short, folder)
    return 0 if kept and not taker.failed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measures what placed costs, beside its peers and the least possible cost.",
        epilog="docs/performance.md explains each row. "
        "A single measure: .venv/bin/python -m tests.benchmarks.run_one_measure NAME",
    )
    parser.add_argument("--only", nargs="+", choices=names(), metavar="NAME", help=f"of {', '.join(names())}")
    parser.add_argument("--short", action="store_true", help="the cheap and steady ones, with less effort")
    parser.add_argument("--check", action="store_true", help="compare with the table instead of writing it")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"where the table is; {HERE} as a rule")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
