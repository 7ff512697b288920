"""Scripts for PowerShell as trees: their commands, changes and mistakes."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import tree_sitter
import tree_sitter_powershell

from tests.drivers.microsoft365.setup_kit.sample_kits import scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

CHANGING = re.compile(r"(?:New|Set|Add|Remove|Update|Enable|Disable|Clear)-", re.IGNORECASE)
SHOULD = re.compile(r"\$PSCmdlet\.ShouldProcess\((?:(?!\s-(?:or|and)\s).)*\)")
HARMLESS = {"set-strictmode"}
REQUEST = "invoke-mggraphrequest"
NAMES = [
    "calendar-processing.ps1",
    "fence-access-policy.ps1",
    "fence-rbac.ps1",
    "move-to-rbac.ps1",
    "register.ps1",
    "retire-certificate.ps1",
    "room-group.ps1",
    "undo.ps1",
]
NAMES_OF_ACTIONS = sorted({*NAMES, "auto-release.ps1"} - {"room-group.ps1", "calendar-processing.ps1"})
Node = tree_sitter.Node


@cache
def parsed(text: str) -> Node:
    return (
        tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
        .parse(text.encode())
        .root_node
    )


def words(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()


def every(node: Node, *kinds: str) -> Iterator[Node]:
    """The nodes below of these kinds, in the order of the text."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if found.type in kinds:
            yield found
        waiting += reversed(found.children)


def above(node: Node) -> Iterator[Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def mistakes(node: Node) -> list[str]:
    waiting, found = [node], []
    while waiting:
        one = waiting.pop()
        waiting += one.children
        if one.type == "ERROR" or one.is_missing:
            found.append(f"{one.start_point}: {words(one)[:80]!r}")
    return found


def commands(node: Node) -> list[tuple[str, Node]]:
    """What is called, by its name; what a script block holds that is handed to a call counts by itself."""
    return [
        (words(name), call)
        for call in every(node, "command")
        for name in call.children
        if name.type == "command_name"
    ]


def asked_first(call: Node) -> bool:
    """Whether it stands in a block that is run only if ShouldProcess allows it."""
    for node in above(call):
        if node.type == "statement_block" and node.parent is not None:
            owner = node.parent
            if owner.type in ("if_statement", "elseif_clause"):
                condition = next(child for child in owner.children if child.type == "pipeline")
                own = next(child for child in owner.children if child.type == "statement_block")
                if own == node and SHOULD.fullmatch(words(condition)):
                    return True
    return False


def changes(node: Node) -> list[tuple[str, Node]]:
    defined = {words(name).lower() for name in every(node, "function_name")}
    return [
        (name, call)
        for name, call in commands(node)
        if name.lower() not in defined | HARMLESS
        and (CHANGING.match(name) or (name.lower() == REQUEST and "-Method GET" not in words(call)))
    ]


def body(node: Node) -> list[str]:
    """What the script itself calls, outside of its functions, in order."""
    return [
        name
        for name, call in commands(node)
        if not any(parent.type == "function_statement" for parent in above(call))
    ]


def ordered(called: list[str], *expected: str) -> bool:
    places = [called.index(name) for name in expected]
    return places == sorted(places)


def root(name: str) -> Node:
    return parsed(scripts("rbac", "rooms", "worldwide")[name])


def within(call: Node, name: str) -> bool:
    """Whether a call stands in a script block that is handed to this function."""
    return any(
        words(word) == name
        for node in above(call)
        if node.type == "command"
        for word in every(node, "command_name")
    )
