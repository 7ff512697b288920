"""What the listing of all rooms takes, beside a bare handler that answers with the same bytes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.http_load_client import Reader
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers.status_endpoint import LISTING

if TYPE_CHECKING:
    from tests.benchmarks.workload_size import Effort

AT_MOST = 1.5  # floors
READERS = 4  # connections, each with a request under way


class Kind(NamedTuple):
    """A way to ask for the listing, and where the bare handler has the same."""

    key: str
    what: str
    fields: bytes
    bare: str
    status: int


def kinds(tag: str) -> list[Kind]:
    """What clients ask for: scripts, pages that are loaded again, and pages that have it already."""
    return [
        Kind("200", "200", b"", "/listing", 200),
        Kind("gzip", "200, gzip", b"Accept-Encoding: gzip\r\n", "/packed", 200),
        Kind("304", "304", b"If-None-Match: %b\r\n" % tag.encode(), "/unchanged", 304),
    ]


async def per_request(server: Child, readers: list[Reader], requests: int) -> float:
    """Seconds of the server's processor that a request takes."""
    before = server.ask("spent")
    await asyncio.gather(*(reader.ask(requests // READERS) for reader in readers))
    spent: float = server.ask("spent") - before
    return spent / (requests // READERS * READERS)


async def compare(server: Child, kind: Kind, requests: int, times: int) -> tuple[float, float]:
    """Seconds a request, the least of several in turns: ours, and the bare handler's."""
    urls = server.begun["url"] + LISTING, server.begun["bare"] + kind.bare
    both = [[await Reader.connect(url, kind.fields) for _ in range(READERS)] for url in urls]
    for readers in both:
        await per_request(server, readers, READERS)
    found = [[await per_request(server, readers, requests) for readers in both] for _ in range(times)]
    answers = {(reader.status, reader.length) for readers in both for reader in readers}
    if len(answers) != 1 or answers.pop()[0] != kind.status:
        raise RuntimeError(f"{kind.what}: the answers are not the same")
    for reader in (reader for readers in both for reader in readers):
        reader.close()
    ours, floor = (min(seconds) for seconds in zip(*found, strict=True))
    return ours, floor


async def _measure(rooms: int, effort: Effort) -> Result:
    rows = []
    with Child("tests.benchmarks.servers.status_endpoint", f"--rooms={rooms}") as server:
        for kind in kinds(server.begun["tag"]):
            requests = effort.choose(200, 60) if kind.status == 200 else effort.choose(2000, 400)
            ours, floor = await compare(server, kind, requests, effort.choose(8, 4))
            at_most = effort.bound(AT_MOST)
            what = f"`GET {LISTING}` with {rooms:,} rooms: {kind.what}"
            rows.append(Row(f"rooms.{kind.key}.{rooms}", what, "ms", ours * 1000, floor * 1000, at_most))
    return Result(rows)


def measure(effort: Effort) -> Result:
    """Asks for the listing in every way there is."""
    settle_on(0)
    return asyncio.run(_measure(effort.choose(5500, 2000), effort))
