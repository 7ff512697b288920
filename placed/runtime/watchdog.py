"""Who gets on: every part promises to be heard of again within some time; who is not is stuck."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Collection

    from placed.domain.clock import Clock
    from placed.runtime.systemd import Supervisor

log = structlog.get_logger("placed.watchdog")


class Pulse:
    """That of one part. By a clock that stands still while the machine is suspended, as the part does."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._until = math.inf  # nothing is promised yet

    def expect(self, seconds: float) -> None:
        """It gets on, and will do so again within so many seconds."""
        self._until = time.monotonic() + seconds

    @property
    def stuck(self) -> bool:
        """Whether it has not kept its promise."""
        return time.monotonic() > self._until


async def show_life(supervisor: Supervisor, pulses: Collection[Pulse], clock: Clock) -> None:
    """Keeps systemd's watchdog quiet while every part gets on; for want of a service none fails to."""
    every = supervisor.watchdog
    told = False
    while every is not None:
        stuck = [pulse.name for pulse in pulses if pulse.stuck]
        if not stuck:
            supervisor.alive()
        elif not told:
            log.error("daemon.is_stuck", parts=stuck, remedy="systemd starts it again; please report it")
        told = bool(stuck)
        await clock.sleep(every / 3)
