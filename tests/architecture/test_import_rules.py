"""The rules of the house, read off the sources."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE = Path(__file__).resolve().parents[2]
BENCHMARKS = HOUSE / "tests" / "benchmarks"
DRIVERS = sorted(
    path.name for path in (HOUSE / "drivers").iterdir() if path.is_dir() and path.name != "__pycache__"
)
CORE = sorted(path.stem for path in (HOUSE / "placed").glob("*.py"))
WAYS_OUT = ("mqtt", "http", "cli")
BUILDERS = {"runtime", "disconnect", "doctor", "panel"}  # put parts together, try them, and part with one


def modules(folder: str) -> list[Path]:
    found = sorted((HOUSE / folder).rglob("*.py"))
    assert found
    return found


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes(), path)


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it, and for types only, too.

    Of `from a import b` it is `a.b`, which may be a module or a name in one.
    """
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def strays(folder: str, *forbidden: str, allowed: tuple[str, ...] = ()) -> list[str]:
    """What modules of a folder import of forbidden packages, but for what is allowed of them."""
    return [
        f"{path.relative_to(HOUSE)}: {name}"
        for path in modules(folder)
        for name in imports(path)
        if any(within(name, package) for package in forbidden)
        and not any(within(name, package) for package in allowed)
    ]


def test_imports_are_seen(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "import a.b as c, d\n"
        "from e.f import g as h, i\n"
        "if TYPE_CHECKING:\n    from j import k\n"
        "def late():\n    import l\n"
    )
    assert list(imports(module)) == ["a.b", "d", "e.f.g", "e.f.i", "j.k", "l"]


def test_placed_imports_no_driver() -> None:
    assert "placed_microsoft365" in DRIVERS
    assert strays("placed", *DRIVERS) == []


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_imports_of_placed_the_model_and_the_port_alone(driver: str) -> None:
    others = [other for other in DRIVERS if other != driver]
    assert (
        strays(f"drivers/{driver}", "placed", *others, allowed=("placed.domain.model", "placed.driver")) == []
    )


def test_the_simulated_tenant_imports_nothing_of_what_it_is_to_try() -> None:
    simulator = "placed_microsoft365.simulator"
    assert strays("drivers/placed_microsoft365/simulator", "placed", *DRIVERS, allowed=(simulator,)) == []


def test_the_driver_knows_nothing_of_its_simulator() -> None:
    told = strays("drivers/placed_microsoft365", "placed_microsoft365.simulator")
    assert [line for line in told if "/simulator/" not in line] == []


@pytest.mark.parametrize("way", WAYS_OUT)
def test_the_ways_out_know_nothing_of_each_other(way: str) -> None:
    others = (f"placed.{other}" for other in WAYS_OUT if other != way)
    assert strays(f"placed/{way}", *others) == []


def test_only_what_puts_the_parts_together_knows_the_ways_out() -> None:
    core = {path: path.relative_to(HOUSE / "placed").parts[0] for path in modules("placed")}
    knowing = {
        part.removesuffix(".py")
        for path, part in core.items()
        for name in imports(path)
        if part not in WAYS_OUT and any(within(name, f"placed.{way}") for way in WAYS_OUT)
    }
    assert knowing == BUILDERS


def test_the_ways_out_do_not_reach_for_what_feeds_the_board() -> None:
    behind = (
        "placed.runtime.daemon",
        "placed.runtime.signals",
        "placed.runtime.reload_trial",
        "placed.polling.poller",
        "placed.settings.loader",
    )
    for way in ("mqtt", "http"):
        assert strays(f"placed/{way}", *behind) == []


@pytest.mark.parametrize("module", ["model", "occupancy", "room_events", "state_document"])
def test_the_rules_know_no_clock_network_disk_or_log(module: str) -> None:
    outside = {
        "aiohttp",
        "aiomqtt",
        "asyncio",
        "io",
        "logging",
        "os",
        "pathlib",
        "socket",
        "ssl",
        "structlog",
        "subprocess",
        "sys",
        "threading",
        "time",
    }
    path = HOUSE / "placed" / "domain" / f"{module}.py"
    assert outside.isdisjoint(name.partition(".")[0] for name in imports(path))
    called = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert called.isdisjoint({"now", "utcnow", "today"})


def test_nobody_waits_on_the_event_loop_with_a_sleep_that_stops_it() -> None:
    sleeping = [
        f"{path.relative_to(HOUSE)}:{node.lineno}"
        for folder in ("placed", "drivers", "tests")
        for path in modules(folder)
        for node in ast.walk(tree(path))
        if BENCHMARKS not in path.parents  # these start processes from a thread of their own
        and isinstance(node, ast.Attribute)
        and node.attr == "sleep"
        and isinstance(node.value, ast.Name)
        and node.value.id == "time"
    ]
    assert sleeping == []
    for folder in ("placed", "drivers", "tests"):
        assert strays(folder, "time.sleep") == []


# --- the repository -----------------------------------------------------------------------------------------

# Of root's home only what is in the box of the tests of systemd.
_OWN_PLACES = re.compile(r"(?<![\w.$}-])/(?:work|root|home/\w+|Users/\w+)/")
_BOX = "tests/end_to_end/systemd/"
_MIRROR = re.compile(
    r"""(?:index-url|index_url|extra-index|find-links|UV_INDEX\w*|UV_DEFAULT_INDEX|PIP_INDEX_URL|GOPROXY)"""
    r"""["']?\s*[=:]\s*["']?\w+://""",
    re.IGNORECASE,
)


def tracked() -> list[Path]:
    """Every file of the repository."""
    git = shutil.which("git")
    if git is None or not (HOUSE / ".git").exists():
        pytest.skip("no git, or no checkout")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=HOUSE, capture_output=True, check=False, text=True)
    if listed.returncode != 0:
        pytest.skip(f"git: {listed.stderr.strip()}")
    return [HOUSE / name for name in listed.stdout.split("\0") if name and (HOUSE / name).is_file()]


def test_no_file_names_a_place_on_somebodys_own_machine() -> None:
    told = []
    for path in tracked():
        name = path.relative_to(HOUSE).as_posix()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), start=1):
            found = _OWN_PLACES.search(line)
            if found and not (name.startswith(_BOX) and found[0].startswith("/root")):
                told.append(f"{name}:{number}: {found[0]}")
            if _MIRROR.search(line):
                told.append(f"{name}:{number}: an index of its own")
    assert told == []


def test_the_lock_file_names_the_public_index_alone() -> None:
    lock = (HOUSE / "uv.lock").read_text("utf-8")
    assert set(re.findall(r"\w+://([^/\"\s]+)", lock)) == {"pypi.org", "files.pythonhosted.org"}
    assert set(re.findall(r"registry = \"([^\"]+)\"", lock)) == {"https://pypi.org/simple"}


@pytest.mark.parametrize("folder", ["placed", "drivers"])
def test_nothing_is_raised_where_a_group_is_caught(folder: str) -> None:
    """Python 3.11.2, which is Debian 12's, puts what is raised there into a group again."""
    handlers = [
        (path, handler)
        for path in modules(folder)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.TryStar)
        for handler in node.handlers
    ]
    assert handlers
    raising = [p for p, handler in handlers if any(isinstance(n, ast.Raise) for n in ast.walk(handler))]
    assert raising == []
