"""A simulated service whose requests can be waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from placed_simulator.loopback_server import LoopbackServer
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from placed_simulator.http_messages import RequestRecord


class WatchedRequests(LoopbackServer):
    """To be named before the class of the service."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._asked = asyncio.Event()

    def log(self, record: RequestRecord) -> None:
        super().log(record)
        self._asked.set()

    async def asked(self, times: int) -> None:
        """Waits until it was asked so many times more."""
        wanted = len(self.requests) + times
        async with asyncio.timeout(DEADLINE):
            while len(self.requests) < wanted:
                self._asked.clear()
                await self._asked.wait()
