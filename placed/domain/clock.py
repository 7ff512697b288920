"""The clock interface; tests replace the clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two clocks and a way to wait."""

    def now(self) -> datetime:
        """The wall clock, in UTC. It may be stepped."""
        ...

    def steady(self) -> float:
        """Seconds of a monotonic clock, which goes on while the machine is suspended."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits for `seconds`, and longer if the machine is suspended meanwhile."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """The system's real-time clock."""
        return datetime.now(UTC)

    def steady(self) -> float:
        """CLOCK_BOOTTIME, which unlike CLOCK_MONOTONIC counts a suspend."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        """Sleeps on the event loop."""
        await asyncio.sleep(max(0.0, seconds))
