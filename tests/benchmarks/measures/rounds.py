"""How long a round takes when the service is slow: whether as much is under way as may be."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.poller_setup import CONCURRENCY, building
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers.graph import BATCH

if TYPE_CHECKING:
    from tests.benchmarks.workload_size import Effort

DELAY = 0.4  # seconds until a batch is answered
AT_MOST = 1.2  # floors


async def _round(graph: Child, rooms: int, times: int) -> float:
    """The least seconds that a round takes, after one in which the pace was found."""
    least = float("inf")
    async with building(graph, rooms) as ours:
        await ours.poll()
        graph.ask("delay", seconds=DELAY)
        for _ in range(times):
            asked = graph.ask("asked")["batch"]
            begun = time.monotonic()
            await ours.poll()
            least = min(least, time.monotonic() - begun)
            if (found := graph.ask("asked")["batch"] - asked) != -(-rooms // BATCH):
                raise RuntimeError(f"{found} batches were asked")
    return least


def measure(effort: Effort) -> Result:
    """Polls a building whose service takes its time."""
    rooms = effort.choose(5500, 1600)
    with Child("tests.benchmarks.servers.graph", f"--rooms={rooms}") as graph:
        settle_on(0)
        took = asyncio.run(_round(graph, rooms, effort.choose(2, 1)))
    batches = -(-rooms // BATCH)
    return Result(
        [
            Row(
                f"rounds.slow.{rooms}",
                f"a round of {rooms:,} rooms, each batch answered after {DELAY * 1000:.0f} ms",
                "s",
                took,
                batches * DELAY / CONCURRENCY,
                AT_MOST,
                note=f"floor: {batches} batches x {DELAY} s / {CONCURRENCY} at once",
            )
        ]
    )
