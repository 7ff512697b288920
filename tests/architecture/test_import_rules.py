"""The rules of imports, read from the sources of `placed` and the drivers."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.architecture.import_graph import (
    DRIVERS,
    ROOT,
    SHARED_BY_SIMULATORS,
    Kind,
    circle,
    files,
    folder_of,
    graph,
    imports,
    modules,
    reached,
    tree,
    within,
)

if TYPE_CHECKING:
    from pathlib import Path

# What the modules of a folder of placed/ may import of the other folders: all that is below them, and never
# sideways between the outputs. What a driver may import of placed is in `test_a_driver_imports_...`.
MAY_IMPORT: dict[str, set[str]] = {
    "domain": set(),
    "driver": {"domain"},
    "sensors.payload": {"domain"},
    "settings": {"domain", "driver", "sensors.payload"},
    "board": {"domain", "settings"},
    "store": {"domain", "driver", "settings", "board"},
    "actions": {"domain", "driver", "settings", "board", "store"},
    "polling": {"domain", "driver", "settings", "board", "store"},
    "mqtt": {"domain", "driver", "settings", "board"},
    "sensors": {"domain", "driver", "sensors.payload", "settings", "board", "mqtt"},
    "http": {"domain", "driver", "settings", "board"},
    "panel": {"domain", "settings", "mqtt"},
    "consent": {"domain", "driver"},
    "disconnect": {"domain", "driver", "settings", "store", "mqtt"},
    "doctor": {
        "domain",
        "driver",
        "sensors.payload",
        "settings",
        "store",
        "polling",
        "mqtt",
        "sensors",
        "http",
    },
    "runtime": {
        "domain",
        "driver",
        "settings",
        "store",
        "board",
        "actions",
        "polling",
        "mqtt",
        "sensors",
        "http",
    },
    "cli": {
        "domain",
        "driver",
        "settings",
        "store",
        "polling",
        "panel",
        "consent",
        "disconnect",
        "sensors",
        "actions",
        "doctor",
        "runtime",
    },
}
# What the pure modules may stand on: types and arithmetic, nothing that reads a clock, a file or a socket.
PURE_LIBRARIES = {
    "__future__",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "itertools",
    "math",
    "msgspec",
    "operator",
    "re",
    "types",
    "typing",
    "zoneinfo",
}
# The modules of the domain that read a clock, or know the errors of a socket.
IMPURE = {
    "placed.domain.clock",  # the machine's clocks
    "placed.domain.corrected_clock",  # called from the threads of drivers, so it has a lock
    "placed.domain.task_heartbeat",  # reads the steady clock
    "placed.domain.network_errors",  # the errors that the module `socket` raises
}
PURE = sorted(name for name in modules() if folder_of(name) == "domain" and name not in IMPURE)


def stray_imports(folder: str, *forbidden: str, allowed: tuple[str, ...] = ()) -> list[str]:
    """The imports of forbidden packages by modules of a folder, apart from what is allowed of them."""
    return [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files(folder)
        for name, _ in imports(path)
        if any(within(name, package) for package in forbidden)
        and not any(within(name, package) for package in allowed)
    ]


def test_every_kind_of_import_is_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "import a.b as c, d\n"
        "from e.f import g as h, i\n"
        "if TYPE_CHECKING:\n    from j import k\n"
        "try:\n    import l\nexcept ImportError:\n    pass\n"
        "def late():\n    import m\n"
    )
    assert imports(module) == (
        ("a.b", Kind.START),
        ("d", Kind.START),
        ("e.f.g", Kind.START),
        ("e.f.i", Kind.START),
        ("j.k", Kind.TYPES),
        ("l", Kind.START),
        ("m", Kind.CALL),
    )


# --- between the folders of placed/ -------------------------------------------------------------------------


def test_the_table_names_every_folder_and_has_no_circle() -> None:
    assert set(MAY_IMPORT) == {folder_of(name) for name in modules() if within(name, "placed")} - {""}
    assert circle(MAY_IMPORT) == []


def test_a_folder_imports_only_what_the_table_allows() -> None:
    against = [
        f"{module} imports {name}"
        for module, names in graph().items()
        if within(module, "placed") and folder_of(module)
        for name in names
        if folder_of(name) not in MAY_IMPORT[folder_of(module)] | {folder_of(module), ""}
    ]
    assert sorted(against) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) in (
        ["a", "b", "c", "a"],
        ["b", "c", "a", "b"],
        ["c", "a", "b", "c"],
    )
    assert circle(graph(Kind.START, Kind.CALL)) == []


def test_no_modules_name_each_others_types_in_a_circle() -> None:
    assert circle(graph()) == []


# --- the drivers --------------------------------------------------------------------------------------------


def test_placed_imports_no_driver() -> None:
    assert set(DRIVERS) >= {"placed_google", "placed_microsoft365"}
    assert stray_imports("placed", *DRIVERS) == []


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_imports_only_the_model_and_the_port_of_placed(driver: str) -> None:
    others = [other for other in DRIVERS if other != driver]
    allowed = ("placed.domain.model", "placed.driver")
    assert stray_imports(f"drivers/{driver}", "placed", *others, allowed=allowed) == []


SIMULATED = [driver for driver in DRIVERS if (ROOT / "drivers" / driver / "simulator").is_dir()]


@pytest.mark.parametrize("driver", SIMULATED)
def test_a_simulated_service_imports_nothing_of_what_it_is_to_try(driver: str) -> None:
    simulator = f"{driver}.simulator"
    found = stray_imports(f"drivers/{driver}/simulator", "placed", *DRIVERS, allowed=(simulator,))
    assert found == []


@pytest.mark.parametrize("driver", SIMULATED)
def test_the_driver_does_not_import_its_simulator(driver: str) -> None:
    found = stray_imports(f"drivers/{driver}", f"{driver}.simulator", SHARED_BY_SIMULATORS)
    assert [line for line in found if "/simulator/" not in line] == []


def test_what_simulators_share_imports_no_driver_and_nothing_of_placed() -> None:
    assert stray_imports(f"drivers/{SHARED_BY_SIMULATORS}", "placed", *DRIVERS) == []
    assert stray_imports("placed", SHARED_BY_SIMULATORS) == []


# --- what is pure -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", PURE)
def test_the_domain_imports_no_clock_network_disk_or_log_even_through_others(module: str) -> None:
    against = [
        " -> ".join((*way, name))
        for name, way in reached(module)
        if name.partition(".")[0] not in PURE_LIBRARIES
    ]
    assert against == []
    called = {node.attr for node in ast.walk(tree(modules()[module])) if isinstance(node, ast.Attribute)}
    assert called.isdisjoint({"now", "utcnow", "today"})


def test_what_is_impure_in_the_domain_still_has_to_be() -> None:
    pure = {
        module
        for module in IMPURE
        if all(name.partition(".")[0] in PURE_LIBRARIES for name, _ in reached(module))
    }
    assert pure == set()


def test_importing_the_domain_loads_no_pydantic_logger_socket_or_event_loop() -> None:
    program = f"import sys, {', '.join(PURE)}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True
    )
    loaded = set(done.stdout.split())
    assert loaded & {"asyncio", "aiohttp", "logging", "pydantic", "socket", "structlog"} == set()


# --- how asyncio is used ------------------------------------------------------------------------------------


def test_no_code_stops_the_event_loop_with_time_sleep() -> None:
    sleep = re.compile(rb"\btime[.]sleep\b|from time import [^\n]*\bsleep\b")
    apart = {
        ROOT / "tests" / "benchmarks",
        ROOT / "tests" / "architecture",
    }  # the first in threads of their own
    sleeping = [
        str(path.relative_to(ROOT))
        for folder in ("placed", "drivers", "tests")
        for path in files(folder)
        if apart.isdisjoint(path.parents) and sleep.search(path.read_bytes())
    ]
    assert sleeping == []


def test_nothing_is_raised_where_a_group_is_caught() -> None:
    """Python 3.11.2, which is Debian 12's, puts what is raised there into a group again."""
    handlers = [
        (path, handler)
        for folder in ("placed", "drivers")
        for path in files(folder)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.TryStar)
        for handler in node.handlers
    ]
    assert handlers
    raising = [p for p, handler in handlers if any(isinstance(n, ast.Raise) for n in ast.walk(handler))]
    assert raising == []
