"""docs/performance.md and what scripts/bench wrote for it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.measures import MEASURES
from tests.benchmarks.report import table
from tests.benchmarks.report.plots import CAPTIONS

if TYPE_CHECKING:
    from tests.benchmarks.report.table import Table

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "performance.md").read_text("utf-8")


@pytest.fixture(scope="module")
def committed() -> Table:
    found = table.read(DOCS / "performance")
    assert found is not None
    return found


def test_the_page_has_a_part_for_every_measure() -> None:
    headings = re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)
    assert sorted(headings) == sorted(MEASURES)


def test_the_page_names_every_row_of_the_table(committed: Table) -> None:
    """But for the number of rooms at its end."""
    rows = [row for results in (committed.full, committed.short) for _, row in table.rows(results)]
    assert rows
    names = {re.sub(r"\.\d+$", "", row.key) for row in rows}
    assert sorted(name for name in names if f"`{name}`" not in PAGE) == []


def test_no_two_rows_have_the_same_key(committed: Table) -> None:
    for results in (committed.full, committed.short):
        keys = [row.key for _, row in table.rows(results)]
        assert len(keys) == len(set(keys))


def test_the_table_and_its_page_are_of_one_run(committed: Table) -> None:
    assert (DOCS / "performance" / table.MARKDOWN).read_text("utf-8") == table.markdown(committed)


def test_every_plot_is_there_shown_and_has_its_caption(committed: Table) -> None:
    for plot in {curve.plot for result in committed.full.values() for curve in result.curves}:
        assert (DOCS / "performance" / f"{plot}.svg").is_file()
        assert f"(performance/{plot}.svg)" in PAGE
        assert plot in CAPTIONS
