"""Computes the interval between two readings of a room from its weight and the rate of all readings. Pure.

A room's interval is `unit / weight`, between the shortest and the longest; the unit is the one with which all
rooms together use the whole rate. Weights are counted by level, four levels per doubling, so that finding the
unit takes as long for 50,000 rooms as for 50.
"""

from __future__ import annotations

import math
from collections import Counter

_A_DOUBLING = 4  # levels
_ROUNDS = 40  # of halving, until the unit is found: to a part in a million million


def level_of(weight: float) -> int:
    """Returns the level of a weight."""
    return round(math.log2(weight) * _A_DOUBLING)


class WeightedIntervals:
    """Counts the rooms of each level, and derives every room's interval.

    Args:
        rate: readings a second, for all of them.
        shortest: the shortest interval in seconds.
        longest: the longest one; it is extended if the rate does not suffice for it.
    """

    def __init__(self, rate: float, shortest: float, longest: float) -> None:
        self._rate = rate
        self._shortest = shortest
        self._longest = longest
        self._levels: Counter[int] = Counter()
        self._rooms = 0
        self._unit = shortest

    def limit(self, rate: float) -> None:
        """Sets another rate; `settle` computes with it."""
        self._rate = rate

    @property
    def longest(self) -> float:
        """The longest interval of a room now, in seconds."""
        return max(self._longest, self._rooms / self._rate)

    @property
    def needed(self) -> float:
        """Readings a second that are needed to read every room at the longest interval."""
        return self._rooms / self._longest

    def add(self, level: int) -> None:
        """Adds a room of that level."""
        self._levels[level] += 1
        self._rooms += 1

    def remove(self, level: int) -> None:
        """Removes a room of that level."""
        self._levels[level] -= 1
        self._rooms -= 1
        if not self._levels[level]:
            del self._levels[level]

    def interval(self, level: int, quiet: float = 1.0) -> float:
        """Returns the seconds between two readings of such a room, by the current unit.

        `quiet`: which part of its share the room takes. The rest is saved; no other room gets it.
        """
        return self._interval(level, self._unit / quiet, self.longest)

    def settle(self) -> None:
        """Computes the unit."""
        if not self._levels:
            return
        longest = self.longest
        # With the lower one every room has the shortest interval, with the upper one every room the longest.
        lower = math.log(self._shortest * _weight(min(self._levels)))
        upper = math.log(longest * _weight(max(self._levels)))
        if self._taken(math.exp(lower), longest) <= self._rate:
            self._unit = math.exp(lower)
            return
        for _ in range(_ROUNDS):
            middle = (lower + upper) / 2
            if self._taken(math.exp(middle), longest) > self._rate:
                lower = middle
            else:
                upper = middle
        self._unit = math.exp(upper)

    def _taken(self, unit: float, longest: float) -> float:
        return sum(count / self._interval(level, unit, longest) for level, count in self._levels.items())

    def _interval(self, level: int, unit: float, longest: float) -> float:
        return min(max(unit / _weight(level), self._shortest), longest)


def _weight(level: int) -> float:
    return float(2.0 ** (level / _A_DOUBLING))
