"""Judges how large the daemon becomes: no answer, however large, makes it grow beyond what its rooms need.

`memory`: the largest resident memory of each daemon so far, as the kernel has counted it, is below a limit.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

_KIB = 1024


class MemoryOracle:
    """Looks at one process after the other.

    Args:
        most: bytes.
        checked: counts looks.
        complain: is called with the bytes of a process that has become too large, once of each.
    """

    def __init__(self, most: int, checked: Counter[str], complain: Callable[[int], None]) -> None:
        self._most = most
        self._checked = checked
        self._complain = complain
        self._blamed: int | None = None

    def look(self, pid: int | None) -> None:
        """Looks at a process; None is none."""
        largest = largest_memory(pid) if pid is not None else None
        if largest is None:
            return
        self._checked["memory"] += 1
        if largest > self._most and pid != self._blamed:
            self._blamed = pid
            self._complain(largest)


def largest_memory(pid: int) -> int | None:
    """The largest resident memory that a process had, in bytes; None if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * _KIB
    return None
