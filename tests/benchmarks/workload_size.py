"""How much is done to find a figure out."""

from __future__ import annotations

from dataclasses import dataclass

_BUSY = 1.4  # how much worse such a ratio becomes on a machine whose cores are all in use


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

    def bound(self, floors: float) -> float:
        """A bound for ratios of milliseconds: the short form runs beside all tests, on busy machines too."""
        return _BUSY * floors if self.short else floors
