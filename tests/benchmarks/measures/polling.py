"""What it takes to poll rooms of which nothing, or everything, has changed, and how that grows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import msgspec

from placed.driver.network.tls_and_proxy import tls_context
from placed_microsoft365.graph.json_structs import Batch, BatchRequest, Event
from tests.benchmarks.child_process import Child
from tests.benchmarks.growth_exponent import exponent
from tests.benchmarks.harness.poller_setup import CONCURRENCY, building
from tests.benchmarks.processor_time import alternately, settle_on
from tests.benchmarks.results import Curve, Result, Row
from tests.benchmarks.servers.graph_responses import address

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.benchmarks.workload_size import Effort

BATCH = 20
PLOT = "polling"
UNCHANGED, CHANGED = 2.2, 4.5  # floors, at most
_SIZES = {500: 20, 5500: 9, 50_000: 4}  # rooms, and how often they are polled
_SITE = 5500
_BRIEF = 2000
_POLLS = 3


class _Item(msgspec.Struct):
    """Of an item of a batch no more than its events."""

    class Body(msgspec.Struct):
        value: list[Event]

    body: Body


class _Answer(msgspec.Struct):
    responses: list[_Item]


class Floor:
    """The same batches asked by aiohttp alone, and nothing done with the answers.

    Args:
        url: of Graph.
        ca_file: that it is checked with.
        rooms: how many.
        decode: whether every event of an answer is decoded, as a typed struct.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, rooms: int, *, decode: bool) -> None:
        self._session = session
        self._url = f"{url}/v1.0/$batch"
        self._decoder = msgspec.json.Decoder(_Answer) if decode else None
        self._bodies = [_question(range(n, min(n + BATCH, rooms))) for n in range(0, rooms, BATCH)]

    async def poll(self) -> None:
        """One round of all rooms."""
        waiting = iter(self._bodies)
        await asyncio.gather(*(self._ask(waiting) for _ in range(CONCURRENCY)))

    async def _ask(self, waiting: Iterable[bytes]) -> None:
        headers = {"Authorization": "Bearer aaa.bbb.ccc", "Content-Type": "application/json"}
        for body in waiting:
            async with self._session.post(self._url, data=body, headers=headers) as response:
                answer = await response.read()
            if self._decoder is not None:
                self._decoder.decode(answer)


def _question(rooms: Iterable[int]) -> bytes:
    window = "startDateTime=2026-10-06T00:00:00Z&endDateTime=2026-10-09T00:00:00Z"
    fields = "id,start,end,isAllDay,isCancelled,showAs,sensitivity,responseStatus"
    return msgspec.json.encode(
        Batch(
            [
                BatchRequest(
                    str(n), "GET", f"/users/{address(room)}/calendarView?{window}&$select={fields}&$top=100"
                )
                for n, room in enumerate(rooms)
            ]
        )
    )


def session(ca_file: Path) -> aiohttp.ClientSession:
    """For a floor: aiohttp with TLS and nothing else."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls_context(ca_file), limit=0))


async def unchanged(graph: Child, rooms: int, times: int) -> tuple[float, float]:
    """Seconds a room and poll: ours, and the floor's."""
    async with building(graph, rooms) as ours, session(graph.begun["ca_file"]) as plain:
        floor = Floor(plain, graph.begun["url"], rooms, decode=False)
        await ours.poll()
        await floor.poll()
        before = graph.ask("asked")
        found = await alternately(times, ours.poll, floor.poll)
        asked = graph.ask("asked")["batch"] - before["batch"]
        if asked != 2 * times * -(-rooms // BATCH):
            raise RuntimeError(f"{asked} batches are not what was to be asked")
    return found[0] / rooms, found[1] / rooms


async def changed(graph: Child, rooms: int, times: int) -> tuple[float, float]:
    """The same where every room has changed since it was read last."""
    async with building(graph, rooms) as ours, session(graph.begun["ca_file"]) as plain:
        floor = Floor(plain, graph.begun["url"], rooms, decode=True)
        await ours.poll()
        await floor.poll()
        least = [float("inf")] * 2
        for version in range(1, times + 1):
            graph.ask("version", version=version)
            seq = ours.board.seq
            found = await alternately(1, ours.poll, floor.poll)
            if ours.board.seq - seq < rooms:
                raise RuntimeError("not every room has changed")
            least = [min(pair) for pair in zip(least, found, strict=True)]
    return least[0] / rooms, least[1] / rooms


async def _requests(graph: Child, rooms: int) -> Row:
    before = graph.ask("asked")
    async with building(graph, rooms) as ours:
        for _ in range(_POLLS):
            await ours.poll()
    after = graph.ask("asked")
    return Row(
        "poll.requests",
        f"HTTP requests per poll of {rooms:,} rooms",
        "requests",
        (after["batch"] - before["batch"]) / _POLLS,
        -(-rooms // BATCH),
        1.0,
        note=f"and {after['token'] - before['token']} token in {_POLLS} polls",
    )


def _row(kind: str, rooms: int, found: tuple[float, float], at_most: float) -> Row:
    ours, floor = (seconds * 1e6 for seconds in found)
    what = f"CPU per {kind} room and poll, {rooms:,} rooms"
    return Row(f"poll.{kind}.{rooms}", what, "µs", ours, floor, at_most)


async def _briefly(graph: Child) -> Result:
    """Enough to see that it got no dearer."""
    return Result(
        [
            _row("unchanged", _BRIEF, await unchanged(graph, _BRIEF, 8), UNCHANGED),
            _row("changed", _BRIEF, await changed(graph, _BRIEF, 4), CHANGED),
            await _requests(graph, _BRIEF),
        ]
    )


async def _in_full(graph: Child) -> Result:
    same = {rooms: await unchanged(graph, rooms, times) for rooms, times in _SIZES.items()}
    moved = {
        rooms: await changed(graph, rooms, min(times, 6)) for rooms, times in _SIZES.items() if rooms <= _SITE
    }
    ours = [(float(rooms), seconds * rooms) for rooms, (seconds, _) in same.items()]
    floors = [(float(rooms), seconds * rooms) for rooms, (_, seconds) in same.items()]
    all_changed = [(float(rooms), seconds * rooms) for rooms, (seconds, _) in moved.items()]
    return Result(
        [
            *(_row("unchanged", rooms, found, UNCHANGED) for rooms, found in same.items() if rooms >= _SITE),
            _row("changed", _SITE, moved[_SITE], CHANGED),
            await _requests(graph, _SITE),
            Row(
                "poll.growth",
                "growth of a poll's CPU with the rooms, " + " → ".join(f"{rooms:,}" for rooms in _SIZES),
                "exponent",
                exponent(ours),
                at_most=1.05,
            ),
        ],
        [
            Curve(PLOT, "placed, all changed", all_changed),
            Curve(PLOT, "placed, unchanged", ours),
            Curve(PLOT, "floor, unchanged", floors),
        ],
    )


async def _measure(effort: Effort) -> Result:
    with Child("tests.benchmarks.servers.graph") as graph:
        return await (_briefly(graph) if effort.short else _in_full(graph))


def measure(effort: Effort) -> Result:
    """Polls buildings of several sizes."""
    settle_on(0)
    return asyncio.run(_measure(effort))
