"""Keeps the watchdog of systemd quiet while no task is stuck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Collection

    from placed.domain.clock import Clock
    from placed.domain.task_heartbeat import Pulse
    from placed.runtime.systemd import Supervisor

log = structlog.get_logger("placed.watchdog")


async def show_life(supervisor: Supervisor, pulses: Collection[Pulse], clock: Clock) -> None:
    """Notifies systemd regularly while no task is stuck. A service that is away makes no task stuck."""
    every = supervisor.watchdog
    reported = False
    while every is not None:
        stuck = [pulse.name for pulse in pulses if pulse.stuck]
        if not stuck:
            supervisor.alive()
        elif not reported:
            log.error("daemon.is_stuck", parts=stuck, remedy="systemd starts it again; please report it")
        reported = bool(stuck)
        await clock.sleep(every / 3)
