"""What leaves the daemon over HTTP, and what it leaves on the disk: the oracle of secrecy looks at it.

What it publishes over MQTT is seen by the world's proxy before the broker.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fault_injection.process_supervisor import Unit
    from tests.fault_injection.secrecy_oracle import SecrecyOracle
    from tests.fault_injection.shared_clock import SharedClock

_EVERY = 0.5  # seconds between two looks, at one path each
_OVERLAP = 100  # bytes: longer than any text that is looked for
_PATIENCE = aiohttp.ClientTimeout(total=3.0)
_LISTEN = aiohttp.ClientTimeout(total=0.5)  # to events
_EVENTS = "/api/v1/events"
_PATHS = (
    "/api/v1/rooms",
    _EVENTS,
    "/api/v1/days",
    "/api/v1/rooms/room-1",
    "/api/v1/connections",
    "/api/v1/connections/group/rooms",
    "/api/v1/no-shows",
    "/readyz",
    "/metrics",
)


class WaysOut:
    """Looks again and again.

    Args:
        unit: the daemon; it knows where its endpoint listens, and its folder.
        clock: of the oracle.
        oracle: looks at what is found.
    """

    def __init__(self, unit: Unit, clock: SharedClock, oracle: SecrecyOracle) -> None:
        self._unit = unit
        self._clock = clock
        self._oracle = oracle
        self._seen: dict[Path, tuple[int, int]] = {}  # when a file was changed last, and its size

    async def run(self) -> None:
        """For ever."""
        async with aiohttp.ClientSession(trust_env=False) as session:
            while True:
                for path in _PATHS:
                    await self._ask(session, path)
                    self._look_at_files()
                    await asyncio.sleep(_EVERY)

    async def _ask(self, session: aiohttp.ClientSession, path: str) -> None:
        if self._unit.url is None:
            return
        content, timeout = b"", _LISTEN if path == _EVENTS else _PATIENCE
        with suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(f"{self._unit.url}{path}", timeout=timeout) as answer:
                async for part in answer.content.iter_any():
                    content += part
        self._oracle.look("answers", path, content, self._clock.elapsed())

    def _look_at_files(self) -> None:
        """At those that have changed: the log, and the state directory."""
        for path in (self._unit.log, *self._unit.state_directory.rglob("*")):
            with suppress(OSError):  # it may be gone meanwhile
                status = path.stat()
                changed = status.st_mtime_ns, status.st_size
                if path.is_file() and self._seen.get(path) != changed:
                    with path.open("rb") as file:
                        if path == self._unit.log:  # it only grows
                            file.seek(max(0, self._seen.get(path, (0, 0))[1] - _OVERLAP))
                        self._oracle.look("files", path.name, file.read(), self._clock.elapsed())
                    self._seen[path] = changed
