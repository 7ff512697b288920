"""How long ago the process was started, which is before Python and the imports began."""

from __future__ import annotations

import os
import time
from pathlib import Path

_STAT = Path("/proc/self/stat")
_STARTED = 19  # of the fields behind the name: in ticks since the boot (proc(5): starttime)


def process_age(stat: Path = _STAT) -> float:
    """Seconds; 0 where the system does not show it."""
    try:
        started = int(stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[_STARTED])
    except (OSError, ValueError, IndexError):
        return 0.0
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK"))
