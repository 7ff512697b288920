"""What a poll takes, beside what it takes in the usual ways to read a room's calendar from Python."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.benchmarks.child_process import Child
from tests.benchmarks.measures.polling import changed, unchanged
from tests.benchmarks.peers import NoPeersError
from tests.benchmarks.peers import measure as measure_peers
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row

if TYPE_CHECKING:
    from tests.benchmarks.workload_size import Effort

ROOMS = 5500
_PEERS_ROOMS = 200
_AT_MOST = {"msgraph-sdk": 1 / 1000, "O365": 1 / 200}  # of theirs


def measure(effort: Effort) -> Result:
    """Ours first, then theirs, before the same Graph."""
    settle_on(0)
    with Child("tests.benchmarks.servers.graph") as graph:
        ours = [asyncio.run(poll(graph, ROOMS, effort.choose(5, 2)))[0] for poll in (unchanged, changed)]
        try:
            theirs = measure_peers(graph.begun["url"], graph.begun["ca_file"], _PEERS_ROOMS)
            note = ""
        except NoPeersError as missing:
            theirs, note = {}, f"peers were not measured: {missing}"
    peers = {name: seconds * 1e6 for name, seconds in theirs.items()}
    at_most = {name: _AT_MOST[name.split()[0]] for name in peers}
    what = "CPU per {} room and poll, beside peers"
    return Result(
        [
            Row(
                "peers.unchanged",
                what.format("unchanged") + ", which do not recognise it",
                "µs",
                ours[0] * 1e6,
                peers=peers,
                peers_at_most=at_most,
                note=note,
            ),
            Row("peers.changed", what.format("changed"), "µs", ours[1] * 1e6, peers=peers, note=note),
        ]
    )
