"""How long to wait before the next attempt. Pure, but for the random numbers that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Backoff:
    """Pauses that double from `first` to `longest` seconds, each shortened at random by up to half.

    The random part keeps the daemons of a site from reconnecting to their broker at the same moment.
    `random` returns a number in [0, 1).
    """

    def __init__(self, first: float, longest: float, random: Callable[[], float]) -> None:
        self._first = self._next = first
        self._longest = longest
        self._random = random

    def next_pause(self) -> float:
        """Returns the seconds to wait this time."""
        pause, self._next = self._next, min(2 * self._next, self._longest)
        return pause * (1 - self._random() / 2)

    def reset(self) -> None:
        """Starts with `first` again."""
        self._next = self._first
