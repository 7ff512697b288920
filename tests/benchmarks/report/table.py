"""The table: what was measured on one machine, and how it is written down and shown."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from rich.table import Table as Grid

from tests.benchmarks.report.number_format import bound, number, relation
from tests.benchmarks.results import Result, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

JSON, MARKDOWN = "table.json", "table.md"
HEADINGS = ("what", "ours", "floor", "peers", "ratio", "at most", "")
TOO_MUCH = "too much"


class Machine(msgspec.Struct, frozen=True):
    """Where it was measured.

    Attributes:
        cores: that could be used.
        python: and its version.
        system: and kind of processor.
    """

    cores: int
    python: str
    system: str

    @classmethod
    def this(cls) -> Machine:
        """The one that this runs on."""
        python = f"{platform.python_implementation()} {platform.python_version()}"
        return cls(len(os.sched_getaffinity(0)), python, f"{platform.system()} {platform.machine()}")


class Table(msgspec.Struct):
    """What was measured, by measure.

    Attributes:
        machine: of all of it.
        full: what is shown.
        short: the same with less effort, so that the short form has what to be compared with.
    """

    machine: Machine
    full: dict[str, Result] = {}
    short: dict[str, Result] = {}

    def of(self, *, short: bool) -> dict[str, Result]:
        """What was measured in one of the two forms."""
        return self.short if short else self.full


def read(folder: Path) -> Table | None:
    """The table in this folder; None if there is none."""
    try:
        return msgspec.json.decode((folder / JSON).read_bytes(), type=Table)
    except FileNotFoundError:
        return None


def write(table: Table, folder: Path) -> None:
    """Writes it down, as JSON and as Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / JSON).write_bytes(msgspec.json.format(msgspec.json.encode(table)) + b"\n")
    (folder / MARKDOWN).write_text(markdown(table), "utf-8")


def rows(results: dict[str, Result]) -> Iterator[tuple[str, Row]]:
    """The rows of all measures, each with its measure's name."""
    for name, result in results.items():
        for row in result.rows:
            yield name, row


class Cells(NamedTuple):
    """A row as it is shown; each may have several lines."""

    what: str
    ours: str
    floor: str
    peers: str
    ratio: str
    at_most: str
    verdict: str


def cells(row: Row) -> Cells:
    """The row as it is shown: the lines of ratio and bound belong together."""
    figures = list(row.figures)
    peers = [f"{peer}: {number(theirs)} {row.unit}" for peer, theirs in row.peers.items()]
    return Cells(
        what=row.what + (f"\n({row.note})" if row.note else ""),
        ours=f"{number(row.ours)} {row.unit}",
        floor="-" if row.floor is None else f"{number(row.floor)} {row.unit}",
        peers="\n".join(peers) or "-",
        ratio="\n".join(map(relation, figures)) or "-",
        at_most="\n".join(bound(figure, row.unit) for figure in figures),
        verdict=verdict(row),
    )


def verdict(row: Row) -> str:
    """In a word; none where the row is for information."""
    if all(figure.at_most is None for figure in row.figures):
        return ""
    return "ok" if row.kept else TOO_MUCH


def markdown(table: Table) -> str:
    """The page of it."""
    machine = table.machine
    lines = [
        "# What placed costs",
        "",
        f"Written by `scripts/bench` on {machine.cores} cores with {machine.python}, {machine.system}.",
        "Times and sizes are those of that machine; what counts are the ratios.",
        "[What each row means](../performance.md).",
        "",
    ]
    if table.full:
        lines += [*_section(table.full), ""]
    if table.short:
        lines += ["## The short form", "", "What `scripts/bench --check --short` compares with.", ""]
        lines += [*_section(table.short), ""]
    return "\n".join(lines)


def _section(results: dict[str, Result]) -> Iterator[str]:
    yield _line(HEADINGS)
    yield _line(("---", "--:", "--:", "---", "---", "---", "---"))
    for _, row in rows(results):
        yield _line(cells(row))


def _line(texts: Iterable[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|").replace("\n", "<br>") for text in texts) + " |"


def grid(found: Iterable[Row]) -> Grid:
    """The same for a terminal."""
    shown = Grid(*HEADINGS, box=None, pad_edge=False, header_style="bold")
    for number_ in (1, 2):
        shown.columns[number_].justify = "right"
    for row in found:
        shown.add_row(*cells(row), style="" if row.kept else "bold red")
    return shown
