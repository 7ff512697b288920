from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.benchmarks.report import table
from tests.benchmarks.report.number_format import number, ratio
from tests.benchmarks.report.table import Machine, Table
from tests.unit.benchmarks.sample_results import result, row

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = Machine(2, "CPython 3.11.2", "Linux x86_64")
WITH_PEERS = row(
    ours=30.0,
    floor=20.0,
    at_most=2.0,
    peers={"msgraph-sdk 1.2": 36_000.0, "O365 2.1": 3000.0},
    peers_at_most={"msgraph-sdk 1.2": 0.001, "O365 2.1": 0.005},
)


@pytest.mark.parametrize(
    ("value", "reported"),
    [(0, "0"), (0.01234, "0.0123"), (12.345, "12.3"), (123.4, "123"), (1_234_567, "1,234,567")],
)
def test_a_number_has_three_digits_that_count(value: float, reported: str) -> None:
    assert number(value) == reported


@pytest.mark.parametrize(
    ("value", "reported"), [(0, "0.00"), (1.314, "1.31"), (0.0001, "1/10,000"), (0.005, "1/200")]
)
def test_a_small_share_is_written_as_a_fraction(value: float, reported: str) -> None:
    assert ratio(value) == reported


def test_placed_floor_and_peers_are_columns_of_one_table() -> None:
    assert table.cells(WITH_PEERS) == (
        "CPU per room",
        "30 µs",
        "20 µs",
        "msgraph-sdk 1.2: 36,000 µs\nO365 2.1: 3,000 µs",
        "1.50 x floor\n1/1,200 of msgraph-sdk 1.2\n1/100 of O365 2.1",
        "2.00\n1/1,000\n1/200",
        "too much",
    )


def test_a_row_without_a_floor_is_held_against_its_bound() -> None:
    assert table.cells(row(ours=12.0, at_most=50.0)) == (
        "CPU per room",
        "12 µs",
        "-",
        "-",
        "-",
        "50 µs",
        "ok",
    )


def test_a_row_without_a_bound_is_for_information() -> None:
    assert table.cells(row(note="idle")) == ("CPU per room\n(idle)", "30 µs", "-", "-", "-", "-", "")


def test_the_page_has_a_row_for_each_row_in_both_forms() -> None:
    page = table.markdown(Table(MACHINE, {"polling": result(WITH_PEERS, row())}, {"polling": result(row())}))
    lines = [line for line in page.splitlines() if line.startswith("| CPU")]
    assert len(lines) == 3
    assert lines[0].count(" | ") == 6
    assert "1.50 x floor<br>1/1,200 of msgraph-sdk 1.2" in lines[0]
    assert "2 cores with CPython 3.11.2" in page
    assert page.endswith(" |\n")


def test_a_terminal_shows_the_same_without_breaking_a_line() -> None:
    screen = StringIO()
    Console(file=screen, width=180).print(table.grid([WITH_PEERS]))
    first = screen.getvalue().splitlines()[1]
    for text in ("CPU per room", "30 µs", "20 µs", "36,000 µs", "1.50 x floor", "2.00", "too much"):
        assert text in first


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    written = Table(MACHINE, {"polling": result(WITH_PEERS)}, {"polling": result(row())})
    table.write(written, tmp_path / "new")
    assert table.read(tmp_path / "new") == written
    assert table.read(tmp_path) is None
