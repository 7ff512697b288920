from __future__ import annotations

import os
import select
import shutil
from pathlib import Path

import pytest

from tests.benchmarks import run_measures
from tests.benchmarks.measures import MEASURES, SHORT
from tests.benchmarks.run_measures import Failed, measure_apart
from tests.benchmarks.run_one_measure import reason
from tests.benchmarks.workload_size import Effort
from tests.unit.benchmarks.sample_results import result, row

pytestmark = pytest.mark.slow  # each measure is a process of its own

BENCH = Path(run_measures.__file__).parent
MADE_UP = """
import os
import structlog
from tests.benchmarks.results import Result, Row

def measure(effort):
    print("this is no JSON")
    structlog.get_logger().info("room.became_busy")
    structlog.get_logger().warning("graph.was_throttled")
    os.system("echo neither is this")
    return Result([Row("poll.unchanged.5500", "CPU per room", "µs", 30.0 if effort.short else 60.0)])
"""
LEAVING = """
import subprocess
from tests.benchmarks.results import Result

def measure(effort):
    subprocess.Popen("exec sleep 600 >held", shell=True)
    open("held", "w")
    return Result([])
"""
FAILING = """
def measure(effort):
    raise ExceptionGroup("several", [ExceptionGroup("of them", [ValueError("not what\\nwas meant")])])
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bench that has some made-up measures."""
    shutil.copytree(BENCH, tmp_path / "tests" / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    for name, code in (("made_up", MADE_UP), ("leaving", LEAVING), ("failing", FAILING)):
        (tmp_path / "tests" / "benchmarks" / "measures" / f"{name}.py").write_text(code, "utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow  # it starts a process
def test_a_measure_runs_in_its_own_process_and_may_print_anything() -> None:
    assert measure_apart("made_up", Effort(short=True)) == result(row(ours=30.0))
    assert measure_apart("made_up", Effort()) == result(row(ours=60.0))


def test_a_failed_measure_reports_its_reason_in_one_line() -> None:
    with pytest.raises(Failed, match=r"^ValueError: not what was meant$"):
        measure_apart("failing", Effort())


def test_a_measure_that_cannot_be_imported_has_failed() -> None:
    with pytest.raises(Failed, match="ModuleNotFoundError"):
        measure_apart("nowhere", Effort())


def test_a_measure_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_measures, "LONGEST", 0.001)
    with pytest.raises(Failed, match="not done"):
        measure_apart("made_up", Effort())


def test_what_a_measure_leaves_behind_is_ended() -> None:
    os.mkfifo("held")
    held = os.open("held", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert measure_apart("leaving", Effort()) == result()
        watched = select.poll()
        watched.register(held, select.POLLHUP)
        assert watched.poll(10_000)  # nobody holds it any more
    finally:
        os.close(held)


def test_an_error_is_reported_in_one_line() -> None:
    assert reason(KeyError("room")) == "KeyError: 'room'"


def test_every_measure_that_there_is_has_its_place_in_the_order() -> None:
    modules = {path.stem for path in (BENCH / "measures").glob("*.py")} - {"__init__"}
    assert modules - set(MEASURES) == set()
    assert set(SHORT) <= set(MEASURES)
    assert run_measures.names() == [name for name in MEASURES if name in modules]
