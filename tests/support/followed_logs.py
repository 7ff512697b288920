"""What is logged by this process, which can be waited for."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from structlog.testing import capture_logs

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from structlog.typing import EventDict


class FollowedLogs:
    """The entries so far, in order.

    Args:
        entries: is added to.
        loop: of the test.
    """

    def __init__(self, entries: Sequence[EventDict], loop: asyncio.AbstractEventLoop) -> None:
        self.entries = entries
        self._loop = loop
        self._added = asyncio.Event()

    @property
    def events(self) -> list[str]:
        """The names of the entries."""
        return [entry["event"] for entry in self.entries]

    def of(self, *events: str) -> list[EventDict]:
        """The entries with these names."""
        return [entry for entry in self.entries if entry["event"] in events]

    async def until(self, *events: str) -> EventDict:
        """The first entry with one of these names, as soon as it is there."""
        async with asyncio.timeout(DEADLINE):
            while not (found := self.of(*events)):
                self._added.clear()
                await self._added.wait()
        return found[0]

    def note(self) -> None:
        """An entry was added, by any thread."""
        self._loop.call_soon_threadsafe(self._added.set)


@contextmanager
def followed_logs() -> Iterator[FollowedLogs]:
    """Nothing is printed; what is logged can be waited for."""
    with capture_logs() as entries:
        logs = FollowedLogs(entries, asyncio.get_running_loop())
        processors = structlog.get_config()["processors"]
        (capture,) = processors

        def note(logger: Any, name: str, event: EventDict) -> Any:
            try:
                return capture(logger, name, event)
            finally:
                logs.note()

        processors[:] = [note]
        yield logs
