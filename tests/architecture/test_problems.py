"""What is wrong is one value, `Problem`, from where it is noticed to the operator."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from placed.domain.problem import Problem
from tests.architecture.import_graph import ROOT, tree

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = {"remedy", "lasting", "retry_after"}
SEPARATORS = {": ", "; "}

# The field, and why it is not a problem's.
OTHER_FIELDS = {
    "placed/domain/fence_result.py: Fence.remedy": "the driver's steps; each caller makes a sentence of them",
    "placed/store/records.py: FenceRecord.remedy": "the same, as the journal keeps it",
    "drivers/placed_microsoft365/graph/response.py: Answer.retry_after": "the header of a response",
}


def trees() -> Iterator[tuple[str, ast.Module]]:
    """The modules of placed and of the drivers; the simulator is a service, and knows no problems."""
    for folder in ("placed", "drivers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "simulator" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), tree(path)


def test_no_other_class_has_the_fields_of_a_problem() -> None:
    found = {
        f"{name}: {node.name}.{item.target.id}"
        for name, module in trees()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and node.name != "Problem"
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.target.id in FIELDS
    }
    assert found == set(OTHER_FIELDS)


def test_no_sentence_is_taken_apart() -> None:
    found = {
        name
        for name, module in trees()
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("partition", "rpartition", "split", "rsplit")
        and any(isinstance(given, ast.Constant) and given.value in SEPARATORS for given in node.args)
    }
    assert found == set()


def test_a_line_has_file_key_text_and_remedy() -> None:
    problem = Problem("mqtt.url", "expected mqtt://host", "correct it", file="placed.toml", found="found 3")
    assert problem.statement == "placed.toml: mqtt.url: found 3, expected mqtt://host"
    assert problem.line == "placed.toml: mqtt.url: found 3, expected mqtt://host; correct it"
    assert Problem("", "the service is down").line == "the service is down"
    assert Problem("connections.one", "AADSTS1", "ask", joint=": ").line == "connections.one: AADSTS1: ask"


def test_a_problem_is_one_line() -> None:
    assert Problem("a\nb", "c\td", "e\x1bf").line == r"a\nb: c\td; e\x1bf"
