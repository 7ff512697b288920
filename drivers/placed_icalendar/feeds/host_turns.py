"""Politeness: one request at a time to a host, and none while it asks to be left alone.

A request that takes long is overtaken: the next one begins, so that a feed that hangs delays no other. A host
whose requests all hang is stuck, and nobody waits for it until it answers again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PATIENCE = 5.0  # seconds after which a request is overtaken
MOST_OVERTAKEN = 3  # requests of one host; with these under way it is stuck


class HostTurns:
    """The turns of all hosts of a connection.

    Args:
        most: requests at once to all hosts together, those that were overtaken not counted.
        steady: seconds of a monotonic clock.
    """

    def __init__(self, most: int, steady: Callable[[], float]) -> None:
        self._slots = asyncio.Semaphore(most)
        self._steady = steady
        self._patience = PATIENCE
        self._hosts: dict[str, _Host] = {}

    def is_stuck(self, host: str) -> bool:
        """Whether no request to the host is answered in time."""
        return host in self._hosts and self._hosts[host].stuck

    def rest(self, host: str, seconds: float) -> None:
        """Notes that the host asked to be left alone for so long."""
        found = self._host(host)
        found.rest_until = max(found.rest_until, self._steady() + seconds)

    def rest_of(self, host: str) -> float:
        """The seconds for which the host still asks to be left alone."""
        found = self._hosts.get(host)
        return 0.0 if found is None else max(0.0, found.rest_until - self._steady())

    @asynccontextmanager
    async def turn(self, host: str, overtaken: Callable[[], None]) -> AsyncIterator[None]:
        """Waits for the turn of a request.

        Args:
            host: which host.
            overtaken: is called if the request takes long, or waits for a host that is stuck.
        """
        found = self._host(host)
        await found.enter(overtaken)
        turn = _Turn(found, self._slots, overtaken)
        try:
            await turn.begin(self._patience)
            yield
        finally:
            turn.end()

    def _host(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host())


class _Host:
    """Who waits for a host, and how it answers."""

    def __init__(self) -> None:
        self.rest_until = 0.0  # on the steady clock
        self.stuck = False
        self.overtaken = 0
        self._busy = False
        self._waiting: deque[tuple[asyncio.Future[None], Callable[[], None]]] = deque()

    async def enter(self, overtaken: Callable[[], None]) -> None:
        """Waits for the turn, first come, first served."""
        if not self._busy and self.overtaken < MOST_OVERTAKEN:
            self._busy = True
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((turn, overtaken))
        if self.stuck:
            overtaken()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        """Gives the turn to the next one."""
        self._busy = False
        self._admit()

    def overtake(self) -> None:
        """A request takes long: the next one begins, unless too many do."""
        self.overtaken += 1
        if self.overtaken >= MOST_OVERTAKEN:
            self.stuck = True
        if self.stuck:
            for _, overtaken in self._waiting:
                overtaken()
        self.leave()

    def came_at_last(self) -> None:
        """A request that was overtaken has ended."""
        self.overtaken -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and not self._busy and self.overtaken < MOST_OVERTAKEN:
            turn, _ = self._waiting.popleft()
            if not turn.done():
                self._busy = True
                turn.set_result(None)


class _Turn:
    """The turn of one request."""

    def __init__(self, host: _Host, slots: asyncio.Semaphore, overtaken: Callable[[], None]) -> None:
        self._host = host
        self._slots = slots
        self._overtaken = overtaken
        self._timer: asyncio.TimerHandle | None = None
        self._has_slot = False
        self._was_overtaken = False

    async def begin(self, patience: float) -> None:
        await self._slots.acquire()
        self._has_slot = True
        self._timer = asyncio.get_running_loop().call_later(patience, self._overtake)

    def _overtake(self) -> None:
        self._was_overtaken = True
        self._release_slot()
        self._host.overtake()
        self._overtaken()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._release_slot()
        if self._was_overtaken:
            self._host.came_at_last()
            return
        if self._timer is not None:
            self._host.stuck = False
        self._host.leave()

    def _release_slot(self) -> None:
        if self._has_slot:
            self._has_slot = False
            self._slots.release()
