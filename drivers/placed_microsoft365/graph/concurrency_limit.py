"""How many requests may be under way: slow start, one more a round trip, half after a throttle (AIMD)."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ConcurrencyLimit:
    """Bounds the requests under way, and learns from the service's answers how many are welcome.

    Args:
        most: the bound's upper end, from the settings.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.window = min(2.0, float(most))
        self._slow_start_until = float(most)
        self._under_way = 0
        self._begun = 0
        self._halved_at = 0  # how many had begun then
        self._waiting: deque[asyncio.Future[None]] = deque()  # in their order
        self._rest_until = 0.0  # on the event loop's clock

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """Waits for a place among the requests under way, and for the end of a rest the service asked for.

        Gives the request's number, by which `was_throttled` knows it.
        """
        await self._enter()
        try:
            clock = asyncio.get_running_loop().time
            while (rest := self._rest_until - clock()) > 0:  # noqa: ASYNC110 - it may have grown meanwhile
                await asyncio.sleep(rest)
            self._begun += 1
            yield self._begun
        finally:
            self._leave()

    def succeeded(self) -> None:
        """A request came back well."""
        growth = 1.0 if self.window < self._slow_start_until else 1.0 / self.window
        self.window = min(float(self.most), self.window + growth)
        self._let_in()

    def was_throttled(self, number: int, rest: float = 0.0) -> bool:
        """The service asked for patience, for `rest` seconds if it said so; whether that was news.

        Those that were under way together are throttled together, which halves the window once.
        """
        news = number > self._halved_at
        if news:
            self._halved_at = self._begun
            self.window = max(1.0, self.window / 2)
            self._slow_start_until = self.window
        self._rest_until = max(self._rest_until, asyncio.get_running_loop().time() + rest)
        return news

    # --- the queue ---

    async def _enter(self) -> None:
        """Waits for a place. Nobody passes those who wait: they would be let in only where a place is new.

        And that is the one that the service is most likely to refuse.
        """
        slot = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        self._let_in()
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled():
                self._leave()
            raise

    def _let_in(self) -> None:
        while self._waiting and self._under_way < max(1, int(self.window)):
            slot = self._waiting.popleft()
            if not slot.done():
                self._under_way += 1
                slot.set_result(None)

    def _leave(self) -> None:
        self._under_way -= 1
        self._let_in()
