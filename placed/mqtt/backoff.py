"""How long to wait before the next attempt. Pure but for the dice, which are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Backoff:
    """Pauses that double from `first` to `longest` seconds, each shortened by chance by up to half.

    Chance keeps the daemons of a whole site from coming back to their broker at the same moment.
    """

    def __init__(self, first: float, longest: float, chance: Callable[[], float]) -> None:
        self._first = self._next = first
        self._longest = longest
        self._chance = chance  # [0, 1)

    def pause(self) -> float:
        """Seconds to wait this time."""
        pause, self._next = self._next, min(2 * self._next, self._longest)
        return pause * (1 - self._chance() / 2)

    def restore(self) -> None:
        """Begins with `first` again."""
        self._next = self._first
