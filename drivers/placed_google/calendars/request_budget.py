"""Limits the requests to a number a minute, since Google counts each part of a batch for the account."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MINUTE = 60.0  # seconds; Google's window slides
_ROUNDING = 1e-6  # of a second


def loop_time() -> float:
    """Returns the seconds of the event loop's clock."""
    return asyncio.get_running_loop().time()


class RequestBudget:
    """Counts the requests of one connection in the last minute.

    Args:
        most: how many may begin within a minute.
        time: seconds of a monotonic clock.
        sleep: waits for so many seconds.
    """

    def __init__(
        self,
        most: int,
        time: Callable[[], float] = loop_time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.most = most
        self._time = time
        self._sleep = sleep
        self._begun: deque[tuple[float, int]] = deque()
        self._counted = 0
        self._turn = asyncio.Lock()  # those who wait go on in their order

    @property
    def left(self) -> int:
        """How many may begin now."""
        moment = self._time()
        while self._begun and self._begun[0][0] <= moment - MINUTE + _ROUNDING:
            self._counted -= self._begun.popleft()[1]
        return self.most - self._counted

    def wait_for(self, number: int) -> float:
        """Returns in how many seconds so many requests may begin, if no others do."""
        left, moment = self.left, self._time()
        wait = 0.0
        for begun, count in self._begun:
            if left >= min(number, self.most):
                break
            left += count
            wait = begun + MINUTE - moment
        return max(0.0, wait)

    async def take(self, number: int) -> None:
        """Waits until so many requests may begin, and counts them; at most the whole budget."""
        number = min(number, self.most)
        async with self._turn:
            while self.left < number:
                await self._sleep(max(0.0, self._begun[0][0] + MINUTE - self._time()))
            self._begun.append((self._time(), number))
            self._counted += number
