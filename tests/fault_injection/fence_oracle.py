"""Judges what is reported of fences by what the calendar service lets an application read.

`fence`: a fence is reported as verified only if, at some moment of the last seconds, its canary could not be
read and a room could.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fault_injection.ground_truth import Past
from tests.fault_injection.promise import Violation

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

_VERIFIED = "verified"


class FenceOracle:
    """Takes in what is reported of fences.

    Args:
        budget: for so many seconds it may be reported what was true.
        checked: counts what was judged.
        report: is called with each violation.
    """

    def __init__(self, budget: float, checked: Counter[str], report: Callable[[Violation], None]) -> None:
        self._budget = budget
        self._checked = checked
        self._report = report
        self._provable: dict[str, Past[bool]] = {}
        self._blamed: set[tuple[str, str]] = set()
        self._slept = 0.0

    def note_sleep(self, slept: float) -> None:
        """So many seconds the machine has slept so far, in which nobody could try a fence."""
        self._slept = slept

    def note(self, connection: str, elapsed: float, *, provable: bool) -> None:
        """Whether the connection's canary cannot be read from now on, while a room can."""
        awake = elapsed - self._slept
        past = self._provable.setdefault(connection, Past())
        past.add(awake, provable)
        past.forget(awake - self._budget)

    def see(self, panel: str, connection: str, state: str, elapsed: float) -> None:
        """Judges what is reported of a connection's fence; of one that was never noted, nothing is known."""
        past = self._provable.get(connection)
        if past is None:
            return
        self._checked["fence"] += 1
        if state != _VERIFIED or any(past.within(elapsed - self._slept - self._budget)):
            self._blamed.discard((panel, connection))
        elif (panel, connection) not in self._blamed:
            self._blamed.add((panel, connection))
            shown = f"{state}, though its canary could be read, or no room could"
            self._report(Violation("fence", elapsed, panel, connection, shown, []))
