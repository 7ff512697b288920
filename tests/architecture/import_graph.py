"""The graph of imports between the modules of `placed` and of the drivers, read from their sources."""

from __future__ import annotations

import ast
from enum import Enum
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
SHARED_BY_SIMULATORS = "placed_simulator"  # lies with the drivers, and is none
DRIVERS = sorted(
    path.parent.name
    for path in (ROOT / "drivers").glob("*/__init__.py")
    if path.parent.name != SHARED_BY_SIMULATORS
)


# A folder within a folder of `placed` that counts as one of its own: others import it that the rest may not.
PARTS = ("sensors.payload",)


class Kind(Enum):
    """When an import takes effect."""

    START = "when the module is imported"
    CALL = "when a function is called"
    TYPES = "for the type checker only"


class Import(NamedTuple):
    """An import statement's name.

    Attributes:
        name: the dotted name; of `from a import b` it is `a.b`, which may be a module or a name in one.
        kind: when it takes effect.
    """

    name: str
    kind: Kind


def within(name: str, package: str) -> bool:
    """Whether a dotted name is the package or lies in it."""
    return name == package or name.startswith(f"{package}.")


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_bytes(), path)


def files(folder: str) -> list[Path]:
    """The Python files below a folder of the repository."""
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """Every import of a module, wherever it stands."""
    return tuple(_imports(tree(path).body, Kind.START))


def _imports(statements: Iterable[ast.AST], kind: Kind) -> Iterator[Import]:
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, kind) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from (Import(f"{node.module}.{alias.name}", kind) for alias in node.names)
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            yield from _imports(node.body, Kind.TYPES)
            yield from _imports(node.orelse, kind)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _imports(node.body, Kind.CALL if kind is Kind.START else kind)
        elif not isinstance(node, ast.expr):  # the blocks of `if`, `try`, `with`, `class`, `match`
            yield from _imports(ast.iter_child_nodes(node), kind)


def _is_type_checking(test: ast.expr) -> bool:
    name = test.id if isinstance(test, ast.Name) else test.attr if isinstance(test, ast.Attribute) else ""
    return name == "TYPE_CHECKING"


@cache
def modules() -> Mapping[str, Path]:
    """The files of all modules of `placed` and the drivers, by dotted name."""
    found = {}
    for folder in ("placed", "drivers"):
        for path in files(folder):
            parts = path.relative_to(ROOT).with_suffix("").parts[folder == "drivers" :]
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imported(module: str) -> tuple[Import, ...]:
    """What one of our modules imports, with the name of the module where that is one of ours."""
    return tuple(Import(_module_of(name), kind) for name, kind in imports(modules()[module]))


def _module_of(name: str) -> str:
    parent = name.rpartition(".")[0]
    return parent if name not in modules() and parent in modules() else name


def graph(*kinds: Kind) -> dict[str, set[str]]:
    """For each of our modules those of our modules that it imports; of all kinds unless some are named."""
    return {
        module: {
            name
            for name, kind in imported(module)
            if name in modules() and name != module and kind in (kinds or Kind)
        }
        for module in modules()
    }


def folder_of(module: str) -> str:
    """The folder of `placed` that a module lies in, or the driver."""
    top, _, rest = module.partition(".")
    if top != "placed":
        return top
    return next((part for part in PARTS if within(rest, part)), rest.partition(".")[0])


def folder_graph(*kinds: Kind) -> dict[str, set[str]]:
    """For each folder of `placed` and each driver the others that its modules import."""
    found: dict[str, set[str]] = {}
    for module, names in graph(*kinds).items():
        ours = folder_of(module)
        found.setdefault(ours, set()).update({folder_of(name) for name in names} - {ours, ""})
    found.pop("", None)
    return found


def circle(edges: Mapping[str, Collection[str]]) -> list[str]:
    """A circle of imports, its first module repeated at the end; empty if there is none."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found[::-1]
    return []


def reached(module: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every name that is imported when a module is, also by what it imports; each with the way to it."""
    waiting: list[tuple[str, ...]] = [(module,)]
    seen = {module}
    while waiting:
        way = waiting.pop()
        names = [name for name, kind in imported(way[-1]) if kind is Kind.START]
        # Importing a module imports the packages around it.
        parents = [way[-1].rpartition(".")[0]] if "." in way[-1] else []
        for name in [*parents, *names]:
            if name not in modules():
                yield name, way
            elif name not in seen:
                seen.add(name)
                waiting.append((*way, name))
