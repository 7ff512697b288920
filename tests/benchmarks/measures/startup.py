"""What a start takes, beside no more than importing what the program stands on."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.client_certificate import make_client_certificate
from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.daemon_process import PROGRAM, home
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers.mosquitto import mosquitto

if TYPE_CHECKING:
    from tests.benchmarks.harness.daemon_process import Home
    from tests.benchmarks.workload_size import Effort

AT_MOST = 2.0  # floors
ROOMS = 10
LEAST = "aiohttp, msal, aiomqtt"
ALL = f"{LEAST}, aiohttp.web, msgspec, prometheus_client, pydantic_settings, structlog, typer, xxhash"


def _python(libraries: str) -> list[str]:
    return [sys.executable, "-c", f"import {libraries}"]


def whole(command: list[str]) -> float:
    """Seconds of the processor that a command takes from its start to its end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, spent = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return spent.ru_utime + spent.ru_stime


def to_first_request(where: Home, graph: Child) -> float:
    """Seconds of the processor that the daemon takes until the login host hears of it."""
    process = where.start()
    try:
        spent: float = graph.ask("call", pid=process.pid)["cpu"]
    finally:
        process.kill()
        process.wait()
    return spent


def measure(effort: Effort) -> Result:
    """Starts the program over and over; each start after the first has all it reads in memory."""
    settle_on(0)
    certificate = make_client_certificate(key_size=2048)
    with (
        mosquitto() as port,
        Child("tests.benchmarks.servers.graph", "--rooms=20") as graph,
        home(graph, port, ROOMS, certificate) as where,
    ):
        works = [
            partial(whole, _python(LEAST)),
            partial(whole, [PROGRAM, "--version"]),
            partial(to_first_request, where, graph),
            *([] if effort.short else [partial(whole, _python(ALL))]),
        ]
        for work in works:
            work()
        found = [[work() for work in works] for _ in range(effort.choose(10, 2))]
    at_most = effort.bound(AT_MOST)
    floor, version, run, *others = (min(seconds) * 1000 for seconds in zip(*found, strict=True))
    return Result(
        [
            Row("startup.version", "`placed --version`", "ms", version, floor, at_most),
            Row(
                "startup.run",
                "`placed run`, to the first request to the login host",
                "ms",
                run,
                floor,
                at_most,
                note="".join(f"to import all that it stands on takes {other:.0f} ms" for other in others),
            ),
        ]
    )
