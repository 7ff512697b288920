"""Limits how many requests a minute are taken, for each key by itself. Pure, but for its clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MINUTE = 60.0


class RateLimit:
    """As many requests as the limit are taken at once; later ones at an even rate.

    Args:
        steady: a clock that is never set, in seconds.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._left: dict[str, tuple[float, float]] = {}  # by key: how many are left, and when that was

    def wait(self, key: str, most_per_minute: int) -> float:
        """Takes a request and returns 0, or returns in how many seconds the next one is taken."""
        now, rate = self._steady(), most_per_minute / _MINUTE
        left, then = self._left.get(key, (most_per_minute, now))
        left = min(most_per_minute, left + (now - then) * rate)
        if left < 1:
            self._left[key] = left, now
            return (1 - left) / rate
        self._left[key] = left - 1, now
        return 0.0
