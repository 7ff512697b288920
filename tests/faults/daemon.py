"""The daemon as a process of its own, among faults: `placed run` with clocks that can be set.

    python -m tests.faults.daemon --clock FILE --config FILE [--break RULE]

It is the command `placed run` itself; what differs is the clock, how long it waits (`tests.faults.scale`),
that host names can be lost, and, to see that the oracle notices, a rule that is broken on purpose.
"""

from __future__ import annotations

import argparse
import ctypes
import signal
import socket
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.faults.clock import DaemonClock, SharedClock
from tests.faults.scale import shortened

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.model import Schedule


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
    import placed.clock  # noqa: PLC0415 - it is patched here and nowhere else

    placed.clock.SystemClock = lambda: clock  # type: ignore[assignment,misc]


def _lose_names(clock: SharedClock) -> None:
    found = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        if clock.nameless and host is not None and not str(host)[:1].isdigit():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return found(host, *rest, **more)

    socket.getaddrinfo = getaddrinfo


# --- rules that may be broken on purpose ---


def _stale() -> None:
    """A state that was not read for long is told on and on."""
    from placed import occupancy  # noqa: PLC0415 - only where it is broken

    def expiry(schedule: Schedule, moment: datetime, *_: object) -> datetime:
        return min(moment + timedelta(minutes=1), schedule.until)

    occupancy.expiry = expiry  # type: ignore[assignment]

    from placed.board import Board  # noqa: PLC0415 - the same

    def renewal(self: Any, place: Any) -> datetime:
        del place
        return self._now() + timedelta(seconds=1)  # type: ignore[no-any-return]

    Board._renewal = renewal  # type: ignore[method-assign]


def _will() -> None:
    """The will is not delayed."""
    from placed.mqtt.publisher import Publisher  # noqa: PLC0415 - only where it is broken

    defaults = Publisher.__init__.__kwdefaults__
    assert defaults is not None
    defaults["timing"] = replace(defaults["timing"], will_delay=0.0)


def _republish() -> None:
    """After a reconnect only what is new is told."""
    from placed.mqtt.session import Session  # noqa: PLC0415 - only where it is broken

    say_all = Session._say_all

    async def first_time_only(self: Session) -> None:
        if self._setup.tally.connections == 1:
            await say_all(self)
        self._sender.all_is_owed()

    Session._say_all = first_time_only  # type: ignore[method-assign]


def _repeat() -> None:
    """What the broker refused is not repeated."""
    from placed.mqtt.refusals import Refusals  # noqa: PLC0415 - only where it is broken

    def nothing(self: Refusals, steady: float) -> list[object]:
        del self, steady
        return []

    Refusals.due = nothing  # type: ignore[assignment]


BREAKS: dict[str, Callable[[], None]] = {
    "repeat": _repeat,
    "stale": _stale,
    "will": _will,
    "republish": _republish,
}


if __name__ == "__main__":
    main()
