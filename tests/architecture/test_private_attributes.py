"""No code of ours depends on a private attribute of a library, which may change with any release of it."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import textwrap
from functools import cache
from typing import TYPE_CHECKING

from tests.architecture.import_graph import DRIVERS, ROOT, SHARED_BY_SIMULATORS, modules, tree

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLIC = {"_replace", "_asdict", "_fields", "_make"}  # of named tuples


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


def private_names(node: ast.AST) -> set[str]:
    """The private attributes that a piece of source reads, sets or defines."""
    found = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    found |= {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    return set(filter(is_private, found))


def touched_of_others(module: ast.Module) -> Iterator[str]:
    """`thing._name` where the file itself defines no such name, and private names that it imports."""
    nodes = [*ast.walk(module)]
    own = set()
    for node in nodes:
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                own.add(node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            own.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            own.add(node.target.id)
    for node in nodes:
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from filter(is_private, parts)


@cache
def foreign_private_names(kind: type) -> set[str]:
    """The private names of a class of a library: its methods, and the attributes that it gives itself."""
    names = set(filter(is_private, vars(kind)))
    try:
        source = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError, SyntaxError):  # written in C
        return names
    return names | private_names(source)


def shared_with_a_library(module: str) -> Iterator[str]:
    """Private names that a class of ours and the class of a library that it derives from both have."""
    ours = {"placed", SHARED_BY_SIMULATORS, *DRIVERS}
    classes = {n.name: n for n in ast.walk(tree(modules()[module])) if isinstance(n, ast.ClassDef)}
    for name, kind in vars(importlib.import_module(module)).items():
        if name in classes and inspect.isclass(kind) and kind.__module__ == module:
            for base in kind.__mro__[1:]:
                top = base.__module__.partition(".")[0]
                if top not in ours and top not in sys.stdlib_module_names:
                    for shared in private_names(classes[name]) & foreign_private_names(base):
                        yield f"{name}.{shared} is of {base.__module__}.{base.__qualname__}"


def test_private_attributes_of_others_are_found() -> None:
    source = (
        "from library._inside import thing, _other\n"
        "class A:\n    def __init__(self): self._mine = thing\n"
        "    def f(self, other): return other._mine, thing._theirs, self._mine._deep, thing._replace()\n"
    )
    assert sorted(touched_of_others(ast.parse(source))) == [
        "_inside",
        "_other",
        "self._mine._deep",
        "thing._theirs",
    ]


def test_no_private_attribute_of_a_library_is_touched() -> None:
    found = {}
    for module, path in modules().items():
        name = path.relative_to(ROOT).as_posix()
        touched = {*touched_of_others(tree(path))}
        if path.name != "__main__.py":
            touched |= {*shared_with_a_library(module)}
        if touched:
            found[name] = sorted(touched)
    assert found == {}
