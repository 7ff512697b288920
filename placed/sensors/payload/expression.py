"""Expressions that take one value from a message: a plain dotted path, or JMESPath.

A plain path such as `object.occupied` means the same in JMESPath; it is followed here, which takes a
hundredth of the time, and JMESPath is imported only where an expression is more than a path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def compiled(expression: str) -> Callable[[object], object]:
    """Returns a function from a decoded message to the value of the expression; None if it has none.

    Raises:
        ValueError: it is not JMESPath.
    """
    if expression == "@":
        return _whole
    if _PATH.fullmatch(expression):
        return _Path(expression)
    from placed.sensors.payload.jmespath_with_missing_fields import CarefulExpression  # noqa: PLC0415 - 19 ms of import

    return CarefulExpression(expression)


def _whole(message: object) -> object:
    return message


class _Path:
    def __init__(self, path: str) -> None:
        self._names = path.split(".")

    def __call__(self, message: object) -> object:
        for name in self._names:
            if not isinstance(message, dict):
                return None
            message = message.get(name)
        return message
