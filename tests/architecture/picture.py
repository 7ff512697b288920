"""Draws the folders and their imports into docs/architecture.md, between markers: `scripts/architecture`.

The picture is a flow chart of Mermaid. An import that follows from others is left out: where `cli` imports
`runtime`, and `runtime` imports `mqtt`, there is no arrow from `cli` to `mqtt`. The table of the folders has
the first sentence of each package's docstring.
"""

from __future__ import annotations

import ast
from functools import cache

from tests.architecture.import_graph import (
    DRIVERS,
    PARTS,
    ROOT,
    SHARED_BY_SIMULATORS,
    Kind,
    circle,
    folder_graph,
    folder_of,
    modules,
    tree,
)

PAGE = ROOT / "docs" / "architecture.md"
COMMAND = "scripts/architecture"


@cache
def edges() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The imports between folders at run time; and all of them, with those for types that close no circle."""
    at_run_time = folder_graph(Kind.START, Kind.CALL)
    assert circle(at_run_time) == []
    everything = {folder: set(names) for folder, names in at_run_time.items()}
    for folder, names in folder_graph().items():
        for name in sorted(names - everything[folder]):
            everything[folder].add(name)
            if circle(everything):
                everything[folder].remove(name)
    return at_run_time, everything


def below(folder: str, graph: dict[str, set[str]]) -> set[str]:
    """All that a folder imports, directly or through others."""
    found: set[str] = set()
    waiting = [folder]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def direct(folder: str, graph: dict[str, set[str]]) -> set[str]:
    """The imports of a folder that do not follow from its other imports."""
    return {
        name
        for name in graph[folder]
        if not any(name in below(other, graph) for other in graph[folder] if other != name)
    }


def picture() -> str:
    """The flow chart: `a --> b` for an import, `a -.-> b` for one of types only."""
    at_run_time, everything = edges()
    lines = ["```mermaid", "flowchart TD"]
    lines += [f'    {driver}["{driver} (driver)"]' for driver in DRIVERS]
    lines += [f'    {_node(part)}["{part.replace(".", "/")}"]' for part in PARTS]
    for folder in sorted(everything, key=lambda name: (-len(below(name, everything)), name)):
        lines += [
            f"    {_node(folder)} {'-->' if name in at_run_time[folder] else '-.->'} {_node(name)}"
            for name in sorted(direct(folder, everything))
        ]
    return "\n".join([*lines, "```"])


def _node(folder: str) -> str:
    return folder.replace(".", "_")


def table() -> str:
    """What each package holds, by its docstring."""
    rows = ["| folder | what it holds |", "|---|---|"]
    for name, path in sorted(modules().items(), key=lambda item: _order(item[0])):
        if path.name == "__init__.py" and name != "placed":
            folder = path.parent.relative_to(ROOT).as_posix()
            rows.append(f"| `{folder}/` | {_first_sentence(tree(path))} |")
    return "\n".join(rows)


def _order(module: str) -> tuple[object, ...]:
    """The folders of `placed` from those that import nothing to those that import most; then the drivers."""
    _, everything = edges()
    folder = folder_of(module)
    return (
        folder in (*DRIVERS, SHARED_BY_SIMULATORS),
        len(below(folder, everything)) if folder in everything else 0,
        module,
    )


def _first_sentence(module: ast.Module) -> str:
    docstring = ast.get_docstring(module)
    assert docstring
    return docstring.partition("\n")[0].removesuffix(".").replace("|", "\\|")


def drawn(page: str) -> str:
    """The page with its picture and its table drawn again."""
    for name, block in (("imports", picture()), ("folders", table())):
        begin, end = f"<!-- {name}: drawn by {COMMAND} -->\n", f"<!-- end of {name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        assert found, f"{PAGE}: {begin.strip()} is missing"
        assert closed, f"{PAGE}: {end} is missing"
        page = f"{before}{begin}{block}\n{end}{after}"
    return page


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")
