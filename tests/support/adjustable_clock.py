"""The machine's clock, with leaps."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.clock import SystemClock

if TYPE_CHECKING:
    from datetime import datetime


class LeapingClock(SystemClock):
    """Follows the machine's clock, until a test lets it leap.

    Daemon and tenant are given the same one, so that neither notices anything but the time being later.
    """

    def __init__(self) -> None:
        self._ahead = 0.0
        self._leapt = asyncio.Event()

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._ahead)

    def steady(self) -> float:
        return super().steady() + self._ahead

    async def sleep(self, seconds: float) -> None:
        end = self.steady() + seconds
        while (left := end - self.steady()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._leapt.wait()
            except TimeoutError:
                return

    def leap(self, seconds: float) -> None:
        """So much time has passed, at once; tasks that sleep wake up and check the time."""
        self._ahead += seconds
        leapt, self._leapt = self._leapt, asyncio.Event()
        leapt.set()
