"""How much is done to find a figure out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """The full form is for the table; the short one sees a regression in a minute.

    Attributes:
        short: whether this is the short form.
    """

    short: bool = False

    def choose(self, full: int, short: int) -> int:
        """One of two numbers: of rooms, of repetitions."""
        return short if self.short else full
