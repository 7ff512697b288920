"""The panels of a campaign: each hears a real broker, and the oracle sees what it shows."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from placed.domain.model import Status
from placed.panel.panel_client import Watching
from placed.panel.state_validity import Panel
from placed.settings.output_settings import Mqtt
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from placed.panel.state_validity import Shown
    from tests.fault_injection.oracle import Oracle
    from tests.fault_injection.shared_clock import SharedClock

_EVERY = 0.1  # seconds between two looks


class Screen:
    """One panel.

    Args:
        name: of the panel.
        port: of the broker, or of a line to it.
        clock: of the panel.
        oracle: sees what it shows.
        at_broker: it is connected to the broker itself, so that what it shows is what the broker holds.
    """

    def __init__(
        self, name: str, port: int, clock: SharedClock, oracle: Oracle, *, at_broker: bool = False
    ) -> None:
        self.name = name
        self.panel = Panel()
        self.heard = 0  # messages
        self.interruptions = 0
        self._received = asyncio.Event()
        self._oracle = oracle
        self._look = oracle.look_at_broker if at_broker else oracle.look
        self._clock = clock
        self._watching = Watching(Mqtt(url=f"mqtt://127.0.0.1:{port}"), self.panel, clock, self._news)

    def shows(self) -> list[Shown]:
        """What is on it now."""
        moment = self._watching.moment()
        return [self.panel.shows(room, moment) for room in self.panel.rooms]

    async def shows_all(self, rooms: int) -> None:
        """Waits until so many rooms are known on it."""
        await self.until(lambda shows: sum(shown.status is not Status.UNKNOWN for shown in shows) >= rooms)

    async def until(self, wanted: Callable[[Sequence[Shown]], bool]) -> None:
        """Waits until what is on it is wanted."""
        async with asyncio.timeout(DEADLINE):
            while not wanted(self.shows()):
                self._received.clear()
                await self._received.wait()

    async def shows_presence(self, room: str, state: str) -> None:
        """Waits until this presence of a room is known on it."""
        while (presence := self.panel.shows(room, self._watching.moment()).presence) is None or (
            presence.state != state
        ):
            self._received.clear()
            await self._received.wait()

    def look(self) -> None:
        """The oracle looks at it."""
        self._look(self.name, self.shows(), self._clock.elapsed())

    async def run(self) -> None:
        """Hears and is looked at, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watching.run())
            group.create_task(self._be_looked_at())

    async def _be_looked_at(self) -> None:
        while True:
            await asyncio.sleep(_EVERY)
            self.look()

    def _news(self, room: str | None) -> None:
        self.heard += 1
        self._received.set()
        if room is None:
            self.interruptions += self._watching.trouble is not None
            self.look()  # all rooms may look different until the next message, which may come at once
            return
        moment = self._watching.moment()
        if self.panel.knows(room):
            self._oracle.see(self.name, self.panel.shows(room, moment), self._clock.elapsed())


class Running(Protocol):
    """A panel of whatever kind."""

    async def run(self) -> None:
        """Is looked at, for ever."""


@asynccontextmanager
async def running(*screens: Running) -> AsyncIterator[None]:
    """They hear, for the time of a `with`."""
    tasks = [asyncio.create_task(screen.run()) for screen in screens]
    try:
        yield
        for task in tasks:
            if task.done():
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
