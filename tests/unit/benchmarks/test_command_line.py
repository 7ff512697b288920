from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.benchmarks import __main__ as command
from tests.benchmarks.report import table
from tests.benchmarks.report.table import Machine, Table
from tests.benchmarks.results import Curve, Result
from tests.benchmarks.run_measures import Failed
from tests.unit.benchmarks.sample_results import result, row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.benchmarks.workload_size import Effort

pytestmark = pytest.mark.slow  # each run draws its plots with matplotlib

NAMES = ["startup", "polling", "memory"]
SHORT = ("polling", "startup")


class BenchRun:
    """Runs the command with measures that return given results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ratio = 1.5
        self.failing: set[str] = set()
        self.taken: list[tuple[str, bool]] = []
        self.output = ""

    def measure(self, name: str, effort: Effort) -> Result:
        self.taken.append((name, effort.short))
        if name in self.failing:
            raise Failed("the broker has gone")
        rooms = effort.choose(5500, 500)
        curve = Curve("polling", name, [(1, 1), (2, 2)])
        return result(row(f"{name}.cost.{rooms}", self.ratio, floor=1.0, at_most=2.0), curves=(curve,))

    def run(self, *arguments: str, out: bool = True) -> int:
        screen = StringIO()
        where = ["--out", str(self.folder)] if out else []
        try:
            return command.main([*arguments, *where], self.measure, Console(file=screen, width=180))
        finally:
            self.output = screen.getvalue()

    def keys(self, *, short: bool = False) -> list[str]:
        written = table.read(self.folder)
        assert written is not None
        return [row.key for _, row in table.rows(written.of(short=short))]

    def files(self) -> set[str]:
        return {file.name for file in self.folder.iterdir()}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BenchRun:
    monkeypatch.setattr(command, "names", lambda: NAMES)
    monkeypatch.setattr(command, "SHORT", SHORT)
    return BenchRun(tmp_path)


def keys(names: Iterable[str], rooms: int) -> list[str]:
    return [f"{name}.cost.{rooms}" for name in names]


def test_the_whole_is_measured_shown_and_written_in_both_forms(bench: BenchRun) -> None:
    assert bench.run() == 0
    assert bench.keys() == keys(NAMES, 5500)
    assert bench.keys(short=True) == keys(["startup", "polling"], 500)
    assert bench.files() == {"table.json", "table.md", "polling.svg"}
    assert "memory ... 0 s" in bench.output
    assert "1.50 x floor" in bench.output


def test_a_failed_measure_is_reported_in_one_line_and_the_others_run(bench: BenchRun) -> None:
    bench.failing = {"polling"}
    assert bench.run() == 1
    assert "polling ... FAILED: the broker has gone\n" in bench.output
    assert bench.keys() == keys(["startup", "memory"], 5500)


def test_a_bound_that_is_not_kept_fails(bench: BenchRun) -> None:
    bench.ratio = 2.1
    assert bench.run() == 1
    assert "too much" in bench.output


def test_measuring_some_again_leaves_what_else_is_in_the_table(bench: BenchRun) -> None:
    bench.ratio = 2.5  # which is too much, and not what is asked for then
    bench.run()
    bench.taken.clear()
    bench.ratio = 1.2
    assert bench.run("--only", "polling") == 0
    assert bench.taken == [("polling", False), ("polling", True)]
    written = table.read(bench.folder)
    assert written is not None
    assert [row.ours for _, row in table.rows(written.full)] == [2.5, 1.2, 2.5]


def test_figures_of_two_machines_do_not_come_into_one_table(
    bench: BenchRun, capsys: pytest.CaptureFixture[str]
) -> None:
    table.write(Table(Machine(64, "CPython 3.14.0", "Linux aarch64")), bench.folder)
    with pytest.raises(SystemExit) as ended:
        bench.run("--only", "polling")
    assert ended.value.code == 2
    assert "another machine" in capsys.readouterr().err
    assert bench.run() == 0


def test_the_short_form_writes_only_to_the_given_path(
    bench: BenchRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "HERE", bench.folder)
    assert bench.run("--short", out=False) == 0
    assert bench.taken == [("startup", True), ("polling", True)]
    assert bench.files() == set()
    assert bench.run("--short") == 0
    assert bench.keys() == []
    assert bench.keys(short=True) == keys(["startup", "polling"], 500)


@pytest.mark.parametrize("form", [[], ["--short"]])
def test_a_check_passes_where_nothing_got_worse_and_writes_nothing(bench: BenchRun, form: list[str]) -> None:
    bench.run()
    before = {name: (bench.folder / name).read_bytes() for name in bench.files()}
    bench.ratio = 1.8
    bench.taken.clear()
    assert bench.run("--check", *form) == 0
    assert {name: (bench.folder / name).read_bytes() for name in bench.files()} == before
    assert len(bench.taken) == (len(SHORT) if form else len(NAMES))


def test_a_check_fails_where_something_got_worse(bench: BenchRun) -> None:
    bench.run()
    bench.ratio = 1.9
    assert bench.run("--check", "--only", "polling") == 1
    (line,) = [line for line in bench.output.splitlines() if line.startswith("polling.cost")]
    assert line.split() == ["polling.cost.5500", "floor", "1.50", "1.90", "2.00", "worse"]


def test_a_check_fails_where_a_measure_does(bench: BenchRun) -> None:
    bench.run()
    bench.failing = {"memory"}
    assert bench.run("--check") == 1
    assert "memory ... FAILED" in bench.output


@pytest.mark.parametrize("arguments", [["--only", "nothing"], ["--check"], ["--fast"]])
def test_a_mistake_in_the_command_is_no_failure_of_a_measure(bench: BenchRun, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        bench.run(*arguments)
    assert ended.value.code == 2
    assert bench.taken == []
