"""JMESPath expressions in which a field that is missing gives nothing.

In JMESPath `state == 'ON'` is false for a message without `state`, and `!vacant` is true for one without
`vacant`. A sensor sends several kinds of messages, so that would make a room empty, or used, by a message
that states nothing about it. Here a comparison with a missing field, and its negation, have no value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGICAL = frozenset(("comparator", "not_expression", "or_expression", "and_expression"))


class CarefulExpression:
    """A compiled expression.

    Args:
        expression: JMESPath, see https://jmespath.org/specification.html.

    Raises:
        ValueError: it is not.
    """

    def __init__(self, expression: str) -> None:
        try:
            self._search = jmespath.compile(expression)
        except JMESPathError as error:
            reason = str(error).splitlines()[0].rstrip(":")
            raise ValueError(f"expected a JMESPath expression: {reason}") from None
        for problem in _wrong_calls(self._search.parsed):
            raise ValueError(f"expected a JMESPath expression: {problem}")

    def __call__(self, message: object) -> object:
        """Returns the value of the expression for a decoded message; None if it has none."""
        try:
            return _value(self._search.parsed, message)
        except (
            JMESPathError,
            TypeError,
            ValueError,
            ArithmeticError,
            RecursionError,
        ):  # a function, given such a message
            return None


def _value(node: Any, message: object) -> object:
    if node["type"] not in _LOGICAL:
        return _plain_value(node, message)
    first, *others = node["children"]
    value = _value(first, message)
    if node["type"] == "not_expression":
        return None if value is None else not _is_true(value)
    if node["type"] == "comparator":
        undecided = any(_is_missing(child, message) for child in node["children"])
        return None if undecided and not _names_null(node) else _plain_value(node, message)
    if node["type"] == "and_expression":
        return _value(others[0], message) if _is_true(value) else value
    if _is_true(value):
        return value
    other = _value(others[0], message)
    undecided = value is None and first["type"] in _LOGICAL and not _is_true(other)
    return None if undecided else other


def _wrong_calls(node: Any) -> Iterator[str]:
    """Calls of unknown functions, or with a wrong number of arguments: they would never have a value."""
    if not isinstance(node, dict):  # of a slice: a number, or nothing
        return
    if node["type"] == "function_expression":
        name, given = node["value"], len(node["children"])
        known = Functions.FUNCTION_TABLE.get(name)
        if known is None:
            yield f"there is no function {name}"
            return
        wanted = known["signature"]
        if given < len(wanted) or (given > len(wanted) and not wanted[-1].get("variadic")):
            yield f"the function {name} takes {len(wanted)} argument{'s'[: len(wanted) - 1]}, not {given}"
    for child in node["children"]:
        yield from _wrong_calls(child)


def _is_missing(node: Any, message: object) -> bool:
    return node["type"] != "literal" and _value(node, message) is None


def _names_null(comparison: Any) -> bool:
    """Whether it asks on purpose if a field is missing: `field == `null``."""
    return any(child["type"] == "literal" and child["value"] is None for child in comparison["children"])


def _is_true(value: object) -> bool:
    """Whether JMESPath takes a value for true: all but null, false and what is empty; zero is true."""
    return value is not None and value is not False and value not in ("", [], {})


def _plain_value(node: Any, message: object) -> object:
    return jmespath.visitor.TreeInterpreter().visit(node, message)
