"""What a process of ours uses: processor time and memory, as Linux counts them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

# Fields of /proc/PID/stat after the command's name, which is in parentheses, whatever it contains: proc(5).
_USER_TIME, _SYSTEM_TIME, _RESIDENT_PAGES = 11, 12, 21


class ProcessUse(NamedTuple):
    """Seconds of processor time since its start, and bytes of resident memory."""

    seconds: float
    memory: int


def process_use(pid: int) -> ProcessUse | None:
    """What a process uses; None if it has ended, or the machine does not show it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        ticks = int(fields[_USER_TIME]) + int(fields[_SYSTEM_TIME])
        pages = int(fields[_RESIDENT_PAGES])
    except (OSError, ValueError, IndexError):
        return None
    return ProcessUse(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))
