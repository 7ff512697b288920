"""What it takes until everybody who follows the events has heard of a change.

The endpoint over a board runs in a process of its own, all clients in this one. A bare aiohttp in the same
process writes the same bytes to as many clients of its own, which it has in a list.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles
from typing import TYPE_CHECKING, Any

from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.event_stream_clients import Crowd
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers.status_endpoint import allow_many_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.workload_size import Effort

AT_MOST = 1.5  # floors


@dataclass(frozen=True, slots=True)
class Change:
    """What a change took.

    Attributes:
        heard: the seconds until each client had all of it.
        ours: seconds of the processor.
        floor: the same of the bare aiohttp.
    """

    heard: list[float]
    ours: float
    floor: float


class Comparison:
    """Two crowds of as many, one at the endpoint and one at the bare aiohttp."""

    def __init__(self, server: Child, clients: int) -> None:
        self._server = server
        self._seq: int = server.begun["seq"]
        self._ours, self._bare = Crowd(clients, self._seq), Crowd(clients, self._seq)

    async def gather(self) -> None:
        """Everybody comes."""
        await self._ours.gather(self._server.begun["url"])
        await self._bare.gather(self._server.begun["bare"])

    async def leave(self) -> None:
        """Everybody goes."""
        self._ours.leave()
        self._bare.leave()
        await asyncio.sleep(0)  # in which the connections end

    async def change(self, rooms: int) -> Change:
        """So many rooms change at once."""
        self._seq += rooms
        heard, ours = await self._spent(self._ours, "change", rooms=rooms)
        with tempfile.NamedTemporaryFile() as file:
            file.write(self._ours.frames)
            file.flush()
            self._server.ask("frames", file=file.name)
        _, floor = await self._spent(self._bare, "send")
        return Change(heard, ours, floor)

    async def _spent(self, crowd: Crowd, command: str, **more: Any) -> tuple[list[float], float]:
        before: float = self._server.ask("spent")
        heard = await crowd.hear(self._server, self._seq, command, **more)
        return heard, self._server.ask("spent") - before


@contextmanager
def endpoint(rooms: int) -> Iterator[Child]:
    """The endpoint over so many rooms."""
    allow_many_files()
    with Child("tests.benchmarks.servers.status_endpoint", f"--rooms={rooms}") as server:
        yield server


async def _row(comparison: Comparison, clients: int, rooms: int, times: int, at_most: float | None) -> Row:
    changes = [await comparison.change(rooms) for _ in range(times)]
    heard = [seconds for change in changes for seconds in change.heard]
    what = "a room changes" if rooms == 1 else f"{rooms} rooms change at once"
    return Row(
        "streams.one" if rooms == 1 else f"streams.many.{rooms}",
        f"{what}, and {clients} clients follow the events",
        "ms",
        min(change.ours for change in changes) * 1000,
        min(change.floor for change in changes) * 1000,
        at_most,
        note=f"p99 until a client has it: {quantiles(heard, n=100)[98] * 1000:.0f} ms",
    )


async def _measure(effort: Effort) -> Result:
    clients, rooms = effort.choose(500, 200), effort.choose(5500, 1000)
    with endpoint(rooms) as server:
        comparison = Comparison(server, clients)
        await comparison.gather()
        one = await _row(comparison, clients, 1, effort.choose(40, 10), AT_MOST)
        many = await _row(comparison, clients, rooms // 10, effort.choose(8, 3), None)
        await comparison.leave()
    return Result([one, many])


def measure(effort: Effort) -> Result:
    """Has rooms change while many follow."""
    settle_on(0)
    return asyncio.run(_measure(effort))
