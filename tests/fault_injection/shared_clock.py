"""Clocks that tenant, daemon, panels and oracle share, though they are two processes, and that can be set.

How far they are ahead of the machine's is in a small file that all of them map into memory. Sleeps stay real.
"""

from __future__ import annotations

import mmap
import struct
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

# Seconds of the wall, seconds of the steady clock, whether no name is found.
_LAYOUT = struct.Struct("=dd?")
_ERROR = struct.Struct("=d")  # behind it: seconds by which the clock of the daemon's machine is wrong
_SIZE = _LAYOUT.size + _ERROR.size


class SharedClock(SystemClock):
    """The clocks, shifted by what the file holds."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_SIZE))
        self.delay: Callable[[], float] = lambda: 0.0  # seconds
        self._elapsed = 0.0  # when it was last asked for
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _SIZE)

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._read()[0])

    def steady(self) -> float:
        return super().steady() + self._read()[1]

    @property
    def nameless(self) -> bool:
        """Whether no host name is found at present; the file holds this as well."""
        return self._read()[2]

    def elapsed(self) -> float:
        """The steady clock, but for the time for which the machine had no processor for what is judged.

        It stands still, and does not go back, where such a time is counted later than it was.
        """
        self._elapsed = max(self._elapsed, self.steady() - self.delay())
        return self._elapsed

    def step(self, seconds: float) -> None:
        """The clock on the wall is set, forwards or back."""
        wall, steady, nameless = self._read()
        self._write(wall + seconds, steady, nameless)

    def suspend(self, seconds: float) -> None:
        """The machine sleeps for so long, and wakes up."""
        wall, steady, nameless = self._read()
        self._write(wall + seconds, steady + seconds, nameless)

    def put_wrong(self, seconds: float) -> None:
        """The clock of the daemon's machine alone is so far ahead from now on; 0 sets it right."""
        _ERROR.pack_into(self._shared, _LAYOUT.size, seconds)

    @property
    def error(self) -> float:
        """Seconds by which the clock of the daemon's machine is ahead."""
        (seconds,) = _ERROR.unpack_from(self._shared, _LAYOUT.size)
        return float(seconds)

    def lose_names(self, *, lost: bool) -> None:
        """No host name is found any more, or they are again."""
        wall, steady, _ = self._read()
        self._write(wall, steady, lost)

    @property
    def slept(self) -> float:
        """For how many seconds the machine has slept so far; it grows with each suspend."""
        return self._read()[1]

    def _read(self) -> tuple[float, float, bool]:
        wall, steady, nameless = _LAYOUT.unpack_from(self._shared)
        return wall, steady, nameless

    def _write(self, wall: float, steady: float, nameless: bool) -> None:  # noqa: FBT001 - as it lies there
        _LAYOUT.pack_into(self._shared, 0, wall, steady, nameless)


class DaemonClock(SharedClock):
    """The clocks of the daemon's machine, of which the one on the wall may be wrong."""

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.error)
