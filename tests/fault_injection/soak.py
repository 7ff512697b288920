"""`scripts/soak --minutes N --rooms R`: one daemon for a long time, and whether it grows.

Bookings and event clients come and go, the broker is killed and Graph is away now and then. Every few
seconds the daemon writes its size: resident memory, open files, tasks, threads. After the first five
minutes none of it may grow, memory by two per cent at most, and threads to the size of asyncio's pool.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placed_microsoft365.simulator import building_of
from tests.fault_injection.calendar_changes import People
from tests.fault_injection.process_supervisor import HOUSE, Unit
from tests.support.deadlines import DEADLINE
from tests.support.deployment import Deployment
from tests.support.status_endpoint import Web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WARM = 5.0  # minutes
MOST = 1.02  # of the memory after these
MOST_OF_OTHERS = 1.1  # of files and tasks
# asyncio's pool starts a thread whenever all are busy, and keeps it: that may be at any time.
MOST_THREADS = 1 + min(32, (os.cpu_count() or 1) + 4)
_EVERY = 10.0  # seconds between two samples
_BOOKINGS = 0.5  # seconds from one change to the next
_TROUBLE = 60.0  # seconds from one trouble to the next; each kind has come before the warm minutes are over


async def soak(folder: Path, rooms: int, minutes: float) -> list[dict[str, Any]]:
    """The samples, in their order."""
    chance = random.Random(rooms)  # noqa: S311 - a play, not a secret
    async with Deployment.open(folder, building_of(rooms)) as stage:
        stage.connect(room_list="rooms@contoso.example")
        stage.configure(polling={"interval": "30s"})
        file = folder / "samples"
        unit = Unit(
            folder / "unit",
            ["--config", str(stage.file), "--sample", str(file)],
            lambda text: sys.exit(f"soak: {text}"),
            module="tests.fault_injection.resource_sampling",
            environment=_of_the_unit(),
        )
        people = People(stage.tenant, chance, lambda: None)
        async with _running(unit.run(), people.run(_BOOKINGS), _trouble(stage)):
            await asyncio.wait_for(unit.listening.wait(), DEADLINE)
            url = _url(unit)
            end = time.monotonic() + 60 * minutes
            while time.monotonic() < end:
                await _some_clients(url, chance)
                _print_size(file)
    return [json.loads(line) for line in file.read_text().splitlines()]


def _of_the_unit() -> dict[str, str]:
    """What systemd/placed.service has the daemon find in its environment."""
    unit = (HOUSE / "systemd" / "placed.service").read_text()
    settings = " ".join(
        line.partition("=")[2] for line in unit.splitlines() if line.startswith("Environment=")
    )
    return dict(setting.split("=", 1) for setting in settings.split())


def _url(unit: Unit) -> str:
    return str(next(json.loads(line)["url"] for line in unit.last_lines if '"http.is_listening"' in line))


async def _some_clients(url: str, chance: random.Random) -> None:
    """They look at all rooms, follow for a while, and go."""
    async with Web(url) as web, web.follow() as stream:
        for path in ("/api/v1/rooms", "/metrics", "/readyz"):
            await web.get(path)
        await asyncio.sleep(chance.uniform(0.5, 1.5) * _EVERY)
        del stream


async def _trouble(stage: Deployment) -> None:
    while True:
        await asyncio.sleep(_TROUBLE)
        await stage.broker.kill()
        await stage.broker.start()
        await asyncio.sleep(_TROUBLE)
        async with stage.outage():
            await asyncio.sleep(20)


@asynccontextmanager
async def _running(*what: Any) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one) for one in what]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _print_size(file: Path) -> None:
    if file.exists() and (lines := file.read_text().splitlines()):
        sys.stdout.write(f"{_words(json.loads(lines[-1]))}\n")
        sys.stdout.flush()


def _words(sample: dict[str, Any]) -> str:
    return (
        f"{sample['at'] / 60:6.1f} min  {sample['rss'] / 2**20:7.1f} MiB  {sample['files']:4} files  "
        f"{sample['tasks']:4} tasks  {sample['threads']:3} threads  {sample['cpu']:7.1f} s of processor"
    )


def growth(samples: list[dict[str, Any]], warm: float) -> dict[str, float]:
    """How much larger it is in the last fifth than in the first, both after the warm minutes."""
    late = [sample for sample in samples if sample["at"] >= 60 * warm]
    fifth = max(1, len(late) // 5)
    return {
        what: statistics.median(s[what] for s in late[-fifth:])
        / statistics.median(s[what] for s in late[:fifth])
        for what in ("rss", "files", "tasks", "threads")
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rooms", type=int, default=5500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="placed-soak-") as folder:
        samples = asyncio.run(soak(Path(folder), options.rooms, options.minutes))
    grown = growth(samples, min(WARM, options.minutes / 2))
    print(_words(samples[-1]))  # noqa: T201 - what it is for
    print("growth:", ", ".join(f"{what} x {by:.3f}" for what, by in grown.items()))  # noqa: T201 - the same
    flat = grown["rss"] <= MOST and max(grown["files"], grown["tasks"]) <= MOST_OF_OTHERS
    return 0 if flat and samples[-1]["threads"] <= MOST_THREADS else 1


if __name__ == "__main__":
    sys.exit(main())
