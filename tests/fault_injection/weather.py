"""Which faults there are in a campaign, and what is still felt of those that are over."""

from __future__ import annotations

import math
from collections import Counter


class Weather:
    """Which faults there are, and since when there are none.

    Args:
        lasting: for how many seconds a fault is felt after it is over.
    """

    def __init__(self, lasting: float) -> None:
        self._lasting = lasting
        self._now: Counter[str] = Counter()
        self._ended: dict[str, float] = {}
        self._rough: Counter[str] = Counter()
        self._calm_from = -math.inf
        self._gentle_from = -math.inf
        self._overloaded_at = -math.inf

    def report(self, elapsed: float) -> list[str]:
        """What is felt now, for people."""
        over = {fault: elapsed - ended for fault, ended in self._ended.items() if fault not in self._now}
        felt = [f"{fault} until {ago:.1f} s ago" for fault, ago in over.items() if ago < self._lasting]
        return [*sorted(self._now), *felt]

    def begins(self, fault: str, *, gentle: bool) -> None:
        """A fault begins; a gentle one is not to be seen on panels that stay connected."""
        self._now[fault] += 1
        self._calm_from = math.inf
        if not gentle:
            self._rough[fault] += 1
            self._gentle_from = math.inf

    def ends(self, fault: str, elapsed: float) -> None:
        """It is over."""
        self._ended[fault] = elapsed
        self._now -= Counter([fault])
        self._rough -= Counter([fault])
        if not self._now:
            self._calm_from = elapsed + self._lasting
        if not self._rough and self._gentle_from == math.inf:
            self._gentle_from = elapsed + self._lasting

    def is_overloaded(self, elapsed: float) -> None:
        """The machine has so much to do now that nothing can be expected to be there in time."""
        self._overloaded_at = elapsed

    def calm_since(self, elapsed: float) -> float | None:
        """Since when nothing is felt of any fault, nor of an overload; None while a fault is felt."""
        return max(self._calm_from, self._overloaded_at) if elapsed >= self._calm_from else None

    def is_gentle(self, elapsed: float) -> bool:
        """Whether nothing is felt of any fault that is not gentle."""
        return elapsed >= self._gentle_from
