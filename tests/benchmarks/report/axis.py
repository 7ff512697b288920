"""An axis of a plot: which numbers stand at it, and where a value is on it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, isclose, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_TICKS = 6  # some
_FEW = 3
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Axis:
    """From one value to another.

    Attributes:
        low: the least value that is shown.
        high: the greatest.
        ticks: values that are written at it, in order.
        log: whether it is logarithmic.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool

    @classmethod
    def over(cls, values: Iterable[float], *, log: bool, from_zero: bool = False) -> Axis:
        """One on which all these values have a place.

        Args:
            values: at least one; more than 0 on a logarithmic axis.
            log: whether it is to be logarithmic.
            from_zero: whether a linear one begins at 0 even if no value is near.

        Raises:
            ValueError: there are no values, or one of them has no place on a logarithmic axis.
        """
        values = list(values)
        if log:
            return cls._logarithmic(min(values), max(values))
        return cls._linear(min(0.0, *values) if from_zero else min(values), max(values))

    @classmethod
    def _linear(cls, low: float, high: float) -> Axis:
        if low == high:
            high = low + 1
        magnitude = 10 ** floor(log10((high - low) / _TICKS))
        step = next(n * magnitude for n in _STEPS if (high - low) / (n * magnitude) <= _TICKS)
        first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
        ticks = tuple(round(n * step, 12) for n in range(first, last + 1))
        return cls(ticks[0], ticks[-1], ticks, log=False)

    @classmethod
    def _logarithmic(cls, low: float, high: float) -> Axis:
        if low <= 0:
            raise ValueError(f"{low} has no place on a logarithmic axis")
        if isclose(low, high):
            low, high = low / 2, high * 2
        decades = range(floor(log10(low)), ceil(log10(high)) + 1)
        for steps in ((1,), (1, 2, 5)):
            inside = [
                n * 10.0**k
                for k in decades
                for n in steps
                if low <= n * 10.0**k * 1.001 and n * 10.0**k <= high * 1.001
            ]
            if len(inside) >= _FEW:
                break
        return cls(low, high, tuple(inside), log=True)

    def place(self, value: float) -> float:
        """From 0 at its low end to 1 at the high one."""
        if self.log:
            return log10(value / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)
