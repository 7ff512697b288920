"""Limits the readings to a budget per minute, and spreads those that can wait evenly. Pure.

Times are seconds on the steady clock. A reading counts from its begin until a minute after its end, since it
is not known when the service counted it.
"""

from __future__ import annotations

from collections import deque

_MINUTE = 60.0
_AT_ONCE = 2.0  # seconds for which what was not used is kept, so that they are not always a batch too late
_ROUNDING = 1e-6  # of a reading


class ReadingBudget:
    """Counts the readings of one connection.

    Args:
        budget: the maximum of readings a minute.
        batch: how many rooms one request reads.
    """

    def __init__(self, budget: int, batch: int) -> None:
        self._batch = batch
        self.limit(budget)
        self._kept = self._most_kept  # negative after many that could not wait
        self._kept_at = 0.0
        self._over: deque[tuple[float, int]] = (
            deque()
        )  # the time and number of readings that ended in the last minute
        self._counted = 0  # of these
        self._under_way = 0

    def limit(self, budget: int) -> None:
        """Sets another maximum."""
        self._budget = budget
        self._rate = budget / _MINUTE
        self._most_kept = max(float(min(self._batch, budget)), self._rate * _AT_ONCE)

    def left(self, moment: float) -> int:
        """Returns how many may begin, if they cannot wait."""
        while self._over and self._over[0][0] <= moment - _MINUTE + _ROUNDING:
            self._counted -= self._over.popleft()[1]
        return self._budget - self._counted - self._under_way

    def evenly(self, moment: float) -> int:
        """Returns how many may begin, if others begin soon after."""
        self._keep(moment)
        return max(0, min(self.left(moment), int(self._kept + _ROUNDING)))

    def begin(self, number: int, moment: float) -> None:
        """Notes readings that begin."""
        self._keep(moment)
        self._kept -= number
        self._under_way += number

    def end(self, moment: float) -> None:
        """Notes that all readings have ended."""
        if self._under_way:
            self._over.append((moment, self._under_way))
            self._counted += self._under_way
            self._under_way = 0

    def left_from(self, number: int) -> float:
        """Returns when so many may begin, if they cannot wait."""
        left = self._budget - self._counted - self._under_way
        when = 0.0
        for over, count in self._over:
            if left >= number:
                break
            left += count
            when = over + _MINUTE
        return when

    def evenly_from(self, number: int) -> float:
        """Returns when so many may begin, if others begin soon after."""
        return max(self.left_from(number), self._kept_at + max(0.0, number - self._kept) / self._rate)

    def _keep(self, moment: float) -> None:
        self._kept = min(self._most_kept, self._kept + max(0.0, moment - self._kept_at) * self._rate)
        self._kept_at = max(moment, self._kept_at)
