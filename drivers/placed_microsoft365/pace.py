"""How many requests may be under way: slow start, one more a round trip, half after a throttle (AIMD)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Pace:
    """Bounds the requests under way, and learns from the service's answers how many are welcome.

    Args:
        most: the bound's upper end, from the settings.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.window = min(2.0, float(most))
        self._slow_start_until = float(most)
        self._under_way = 0
        self._changed = asyncio.Condition()
        self._rest_until = 0.0  # on the event loop's clock

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a place among the requests under way, and for the end of a rest the service asked for."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._under_way < max(1, int(self.window)))
            self._under_way += 1
        try:
            rest = self._rest_until - asyncio.get_running_loop().time()
            if rest > 0:
                await asyncio.sleep(rest)
            yield
        finally:
            async with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def succeeded(self) -> None:
        """A request came back well."""
        growth = 1.0 if self.window < self._slow_start_until else 1.0 / self.window
        self.window = min(float(self.most), self.window + growth)

    def was_throttled(self, rest: float = 0.0) -> None:
        """The service asked for patience, for `rest` seconds if it said so."""
        self.window = max(1.0, self.window / 2)
        self._slow_start_until = self.window
        self._rest_until = max(self._rest_until, asyncio.get_running_loop().time() + rest)
