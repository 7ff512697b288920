"""Reports the state of the service to systemd, and feeds its watchdog: sd_notify(3).

Does nothing without systemd.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING, Self

import structlog

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from placed.domain.clock import Clock
    from placed.domain.problem import Problem
    from placed.domain.task_heartbeat import TaskHeartbeat

_PATIENCE = (
    1.0  # seconds for a queue that is full, as while a machine boots: without READY the start never ends
)
_LONGEST = 1000  # characters; systemd ignores messages of more than 4,096 bytes

log = structlog.get_logger("placed.watchdog")


class Supervisor:
    """The notification socket that systemd gave, if it gave one."""

    def __init__(self, address: str | None, watchdog: float | None = None) -> None:
        self._address = address
        self.watchdog = watchdog  # seconds within which a sign of life is expected

    @classmethod
    def from_environment(cls) -> Self:
        """Reads what systemd sets for a service: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        microseconds = os.environ.get("WATCHDOG_USEC", "")
        ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        watchdog = int(microseconds) / 1e6 if microseconds.isdecimal() and ours else 0.0
        return cls(os.environ.get("NOTIFY_SOCKET"), watchdog or None)

    @property
    def listens(self) -> bool:
        """Whether there is anybody to notify."""
        return bool(self._address)

    def ready(self) -> None:
        """Start-up, or a reload, is over."""
        self._notify("READY=1", patience=_PATIENCE)

    def reloading(self) -> None:
        """A reload has begun."""
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}", patience=_PATIENCE)

    def stopping(self) -> None:
        """The stop has begun."""
        self._notify("STOPPING=1")

    def alive(self) -> None:
        """A sign of life for the watchdog."""
        self._notify("WATCHDOG=1")

    def status(self, text: str) -> bool:
        """A line for `systemctl status`, and whether systemd took it. Line breaks become spaces."""
        line = " ".join(text.split())
        return self._notify(f"STATUS={line[:_LONGEST]}")

    def _notify(self, message: str, patience: float = 0.0) -> bool:
        if not self._address:
            return False
        # A name that begins with @ is in the abstract name space.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.settimeout(patience)
                channel.sendto(message.encode(errors="replace"), address)
        except OSError:
            return False  # systemd cannot be reached now, which must not affect the rooms
        return True


async def show_life(supervisor: Supervisor, heartbeats: Collection[TaskHeartbeat], clock: Clock) -> None:
    """Notifies systemd regularly while no task is stuck. A service that is away makes no task stuck."""
    every = supervisor.watchdog
    reported = False
    while every is not None:
        stuck = [heartbeat.name for heartbeat in heartbeats if heartbeat.stuck]
        if not stuck:
            supervisor.alive()
        elif not reported:
            log.error("daemon.is_stuck", parts=stuck, remedy="systemd starts it again; please report it")
        reported = bool(stuck)
        await clock.sleep(every / 3)


def first_of(problems: Sequence[Problem]) -> str:
    """The first problem, and how many more there are."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0].line if problems else 'unknown'}{more}"
