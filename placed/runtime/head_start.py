"""A head start: who asks the calendar services goes first, and the rest is made while they wait."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 0.25  # seconds; a driver need not tell, and one that has nothing to ask does not
_TURN = 0.0005  # seconds; Python's own are ten times as long


class HeadStart:
    """That of several connections. It is made on the event loop.

    Args:
        connections: how many there are.
    """

    def __init__(self, connections: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._missing = connections
        self._over = asyncio.Event()

    def asked(self) -> None:
        """The first question of a connection is on its way; may be said from any thread."""
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(self._count)

    def _count(self) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self._over.set()

    async def over(self) -> None:
        """Waits until every connection has asked, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST):
                await self._over.wait()


@contextmanager
def giving_way() -> Iterator[None]:
    """Whatever takes the processor meanwhile lets the threads that ask have it as soon as they want it."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)
