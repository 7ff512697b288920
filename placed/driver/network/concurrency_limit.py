"""The limit of parallel requests: slow start, one more per round trip, half after a throttling (AIMD)."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ConcurrencyLimit:
    """Limits the requests that run in parallel, and adapts to the service's responses.

    Args:
        most: the maximum, from the settings.
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
        """Waits for a free slot, and for the end of a pause that the service asked for.

        It returns the request's number, for `was_throttled`.
        """
        await self._enter()
        try:
            clock = asyncio.get_running_loop().time
            while (rest := self._rest_until - clock()) > 0:  # noqa: ASYNC110 - it may have been extended meanwhile
                await asyncio.sleep(rest)
            self._begun += 1
            yield self._begun
        finally:
            self._leave()

    def succeeded(self) -> None:
        """Notes a successful request."""
        growth = 1.0 if self.window < self._slow_start_until else 1.0 / self.window
        self.window = min(float(self.most), self.window + growth)
        self._let_in()

    def was_throttled(self, number: int, rest: float = 0.0) -> bool:
        """Notes a throttled request and its pause, if any; returns whether the limit was lowered.

        Requests that ran in parallel are throttled together, which halves the limit only once.
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
        """Waits for a slot, first come, first served, also if the limit has just grown.

        The newest slot is the one that the service is most likely to refuse.
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
