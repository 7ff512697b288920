"""How a cost grows."""

from __future__ import annotations

from math import log
from statistics import linear_regression
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def exponent(points: Iterable[tuple[float, float]]) -> float:
    """The k of cost ~ size^k that fits (size, cost) best; 1 is linear."""
    sizes, costs = zip(*((log(size), log(cost)) for size, cost in points), strict=True)
    return linear_regression(sizes, costs).slope
