"""How long a machine with too much to do kept processes from running: nothing that they are to blame for."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_EVERY = 0.02  # seconds between two readings
_AT_MOST = 0.9  # of the time that passes: a wait ends on the busiest machine, too
# Seconds that may be counted later: what waits at the same time counts one after the other.
_OUTSTANDING = 5.0
_RECENT = 20.0  # seconds that are looked at for an overload
_OVERLOADED = 0.6  # of these without a processor; with so few, messages wait longer than can be counted


class MachineDelay:
    """Counts the time for which threads wanted a processor and had none.

    The kernel reports it of every thread (`/proc/<pid>/task/<tid>/schedstat`, the second number).

    Args:
        processes: gives those that matter now.
        read: gives the seconds of each thread of a process so far.
        steady: seconds, on a clock that nobody sets.
    """

    def __init__(
        self,
        processes: Callable[[], Iterable[int]],
        read: Callable[[int], Iterable[tuple[str, float]]] | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._processes = processes
        self._waits = read or _waits
        self._steady = steady
        self._seen: dict[tuple[int, str], float] = {}
        self._outstanding = 0.0
        self._counted = 0.0
        self._at = steady()
        # Moments of the last seconds, and what was counted by then.
        self._recent = deque([(self._at, 0.0)])
        self.overloaded = 0.0  # seconds
        self._grown()

    def seconds(self) -> float:
        """So far, at most nine tenths of the time."""
        passed = self._steady() - self._at
        if passed >= _EVERY:
            self._at += passed
            self._outstanding = min(self._outstanding + self._grown(), _OUTSTANDING)
            more = min(self._outstanding, _AT_MOST * passed)
            self._outstanding -= more
            self._counted += more
            self._recent.append((self._at, self._counted))
            while self._at - self._recent[0][0] > _RECENT:
                self._recent.popleft()
            self.overloaded += passed if self.is_overloaded else 0.0
        return self._counted

    @property
    def is_overloaded(self) -> bool:
        """Whether most of the last seconds were without a processor."""
        (since, before), (until, now) = self._recent[0], self._recent[-1]
        return now - before > _OVERLOADED * max(until - since, _RECENT / 4)

    def _grown(self) -> float:
        now = {(pid, thread): waited for pid in self._processes() for thread, waited in self._waits(pid)}
        grown = sum(max(0.0, waited - self._seen.get(key, 0.0)) for key, waited in now.items())
        self._seen = now
        return grown


def _waits(pid: int) -> Iterator[tuple[str, float]]:
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            yield task.name, int((task / "schedstat").read_text("ascii").split()[1]) / 1e9
    except OSError:  # it has ended, or this kernel does not report it
        return
