"""A panel beside the box: it hears the broker all the time, and remembers every look of every room."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from threading import Condition, Event, Thread
from typing import TYPE_CHECKING, Any

from placed.domain.clock import SystemClock
from placed.panel.panel_client import Watching
from placed.panel.state_validity import Panel
from placed.settings.output_settings import Mqtt
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_EVERY = 0.02  # seconds between two looks; by the real clock, since a state ends without a message


class Watcher:
    """What it has seen of each room: (status, why it is unknown), one after the other, each once."""

    def __init__(self, port: int) -> None:
        self.panel = Panel()
        self.seen: dict[str, list[tuple[str, str | None]]] = {}
        self._looked = Condition()
        settings = Mqtt(url=f"mqtt://127.0.0.1:{port}")
        self._watching = Watching(settings, self.panel, SystemClock(), lambda _room: self._look())

    async def run(self) -> None:
        """Looks, for ever."""
        watching = asyncio.create_task(self._watching.run())
        try:
            while True:
                await asyncio.sleep(_EVERY)
                self._look()
        finally:
            watching.cancel()
            await asyncio.wait([watching])

    def wait_for(self, wanted: Callable[[Watcher], Any]) -> None:
        """Returns as soon as it is as wanted."""
        with self._looked:
            assert self._looked.wait_for(lambda: wanted(self), DEADLINE), self.seen

    def _look(self) -> None:
        moment = self._watching.moment()
        with self._looked:
            for room in self.panel.rooms:
                shown = self.panel.shows(room, moment)
                looks = self.seen.setdefault(room, [])
                look = (shown.status.value, shown.why.value if shown.why else None)
                if not looks or looks[-1] != look:
                    looks.append(look)
            self._looked.notify_all()


@contextmanager
def watcher(port: int) -> Iterator[Watcher]:
    """It watches in a thread of its own, until the end of the block."""
    made = Watcher(port)
    ready, stop = Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def run() -> None:
        watching = asyncio.create_task(made.run())
        ready.set()
        await stop.wait()
        watching.cancel()
        await asyncio.wait([watching])

    thread = Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    ready.wait()
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
