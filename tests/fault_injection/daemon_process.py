"""The daemon as a process of its own, among faults: `placed run` with clocks that can be set.

    python -m tests.fault_injection.daemon_process --clock FILE --config FILE [--break RULE]

It is the command `placed run` itself; what differs is the clock, how long it waits
(`tests.fault_injection.shortened_timeouts`), that host names can be lost, and a rule
that is broken on purpose (`tests.fault_injection.broken_rules`).
"""

from __future__ import annotations

import argparse
import ctypes
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from tests.fault_injection.broken_rules import BREAKS
from tests.fault_injection.shared_clock import DaemonClock, SharedClock
from tests.fault_injection.shortened_timeouts import shortened

_WHEN_THE_PARENT_ENDS = 1  # PR_SET_PDEATHSIG, prctl(2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--break", dest="broken", choices=BREAKS)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_WHEN_THE_PARENT_ENDS, signal.SIGKILL)  # a test that is killed leaves none behind
    clock = DaemonClock(options.clock)
    _share(clock)
    _lose_names(clock)
    if options.broken:
        BREAKS[options.broken]()
    sys.argv[1:] = ["run", "--config", str(options.config), "--log-format", "json"]
    from placed.cli import main as placed  # noqa: PLC0415 - after the clock was shared

    with shortened():
        placed()


def _share(clock: SharedClock) -> None:
    import placed.domain.clock  # noqa: PLC0415 - it is patched here and nowhere else

    placed.domain.clock.SystemClock = lambda: clock  # type: ignore[assignment,misc]


def _lose_names(clock: SharedClock) -> None:
    found = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        if clock.nameless and host is not None and not str(host)[:1].isdigit():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return found(host, *rest, **more)

    socket.getaddrinfo = getaddrinfo


if __name__ == "__main__":
    main()
