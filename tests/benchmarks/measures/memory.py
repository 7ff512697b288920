"""What memory the daemon takes, as its unit runs it: of all rooms, and of each."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.client_certificate import make_client_certificate
from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.daemon_process import home, running
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers.graph import BATCH
from tests.benchmarks.servers.mosquitto import mosquitto

if TYPE_CHECKING:
    from tests.benchmarks.workload_size import Effort

PER_ROOM_AT_MOST = 8.0  # KiB
AT_MOST = {5500: 130.0, 2000: 130.0, 50_000: 400.0}  # MiB, by the number of rooms
MEETINGS = ("5", "6", "5")  # 16 in the window: yesterday, today and tomorrow
_RESIDENT = re.compile(r"^Rss:\s+(\d+) kB$", re.MULTILINE)
_KIB = 1024.0
_INTERVAL = "2s"
_CAMPUS = 50_000  # rooms, in the full form
_PATIENCE = 300.0  # seconds until so many rooms are published
_VERSIONS = 1  # of the calendars, after the first: every room changes so often


def resident(pid: int) -> float:
    """What the process has in memory, in KiB, libraries and all."""
    found = _RESIDENT.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
    if found is None:
        raise RuntimeError(f"the kernel does not report the memory of {pid}")
    return float(found[1])


def after_a_while(graph: Child, port: int, rooms: int) -> float:
    """KiB of a daemon that has read so many rooms time and again, all of them changed or none."""
    a_round = -(-rooms // BATCH)
    with (
        home(graph, port, rooms, make_client_certificate(key_size=2048), _INTERVAL) as where,
        running(where, _PATIENCE) as daemon,
    ):
        for version in range(1, _VERSIONS + 1):
            graph.ask("version", version=version)
            graph.ask("batches", number=a_round)
        # Of the last round with changes, of one without, and of the next one's beginning.
        graph.ask("batches", number=2 * a_round + 1)
        found = resident(daemon.pid)
    graph.ask("version", version=0)
    return found


def measure(effort: Effort) -> Result:
    """Runs the daemon with several numbers of rooms."""
    settle_on(0)
    few, site, campus = 500, effort.choose(5500, 2000), effort.choose(_CAMPUS, 0)
    large = [rooms for rooms in (site, campus) if rooms]
    arguments = (f"--rooms={max(large)}", "--meetings", *MEETINGS, f"--today={_today()}")
    with mosquitto() as port, Child("tests.benchmarks.servers.graph", *arguments) as graph:
        found = {rooms: after_a_while(graph, port, rooms) for rooms in (10, few, *large)}
    rows = [
        Row(
            f"memory.whole.{rooms}",
            f"resident memory with {rooms:,} rooms",
            "MiB",
            found[rooms] / _KIB,
            at_most=AT_MOST[rooms],
            note=f"{found[10] / _KIB:.0f} MiB with 10 rooms",
        )
        for rooms in large
    ]
    per_room = Row(
        "memory.room",
        "resident memory per room with 16 meetings in the window",
        "KiB",
        (found[site] - found[few]) / (site - few),
        at_most=PER_ROOM_AT_MOST,
    )
    return Result([*rows, per_room])


def _today() -> str:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).isoformat()
