"""What it costs to read calendar text: a usual feed in the daemon, and a large one in the worker."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from placed_icalendar.occurrences.calendar_reader import CalendarReader, Window
from tests.benchmarks.harness.published_calendars import large_feed, usual_feed
from tests.benchmarks.processor_time import seconds_until_now
from tests.benchmarks.results import Result, Row

if TYPE_CHECKING:
    from tests.benchmarks.workload_size import Effort

USUAL = 10.0  # ms, at most
FEEDS, THEIR_TIME = 1000, 60.0  # so many feeds, and seconds, at most
LARGE = 2.0  # s, at most
MEMORY = 80.0  # MiB, at most
HELD = 20.0  # ms, at most
_ASKED = Window(
    datetime(2026, 11, 29, 23, tzinfo=UTC),
    datetime(2026, 12, 3, 23, tzinfo=UTC),
    ZoneInfo("Europe/Berlin"),
    None,
    details=True,
)
_MOST, _LEAST = 200, 20  # readings


class Found(NamedTuple):
    """What readings of one feed took.

    Attributes:
        seconds: of the processor, of one reading.
        held: seconds of the processor in which the event loop did nothing else, at most.
        memory: bytes that the worker has used at most; 0 without one.
    """

    seconds: float
    held: float
    memory: int


async def _read(body: bytes, times: int) -> Found:
    reader = CalendarReader()
    least = least_held = float("inf")
    await _read_once(reader, body)  # starts the worker, and imports
    for _ in range(times):
        begun = time.process_time() + _of_worker(reader)
        held = await _read_once(reader, body)
        least = min(least, time.process_time() + _of_worker(reader) - begun)
        least_held = min(least_held, held)
    memory = 0 if reader.worker_pid is None else _most_memory(reader.worker_pid)
    await reader.close()
    return Found(least, least_held, memory)


async def _read_once(reader: CalendarReader, body: bytes) -> float:
    """Reads it, and returns the longest time between two turns of another task."""
    reading = asyncio.create_task(reader.read([body], _ASKED))
    held = 0.0
    while not reading.done():
        begun = time.thread_time()
        await asyncio.sleep(0 if reader.worker_pid is None else 0.001)
        held = max(held, time.thread_time() - begun)
    contents = reading.result()
    if contents is None or not contents.meetings:
        raise RuntimeError("no meetings were found")
    return held


def _of_worker(reader: CalendarReader) -> float:
    return 0 if reader.worker_pid is None else seconds_until_now(reader.worker_pid)


def _most_memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def measure(effort: Effort) -> Result:
    """Reads both feeds again and again."""
    usual_body, large_body = usual_feed(), large_feed()
    usual = asyncio.run(_read(usual_body, effort.choose(_MOST, _LEAST)))
    large = asyncio.run(_read(large_body, effort.choose(10, 2)))
    if usual.memory or not large.memory:
        raise RuntimeError("the usual feed was read in the worker, or the large one was not")
    sizes = f"{len(usual_body) / 1000:.0f} kB", f"{len(large_body) / 1e6:.1f} MB"
    return Result(
        [
            Row(
                "calendars.usual",
                f"CPU to read a feed of {sizes[0]}",
                "ms",
                usual.seconds * 1e3,
                at_most=USUAL,
            ),
            Row(
                "calendars.thousand",
                f"CPU to read {FEEDS:,} such feeds, which a core has a minute for",
                "s",
                usual.seconds * FEEDS,
                at_most=THEIR_TIME,
            ),
            Row(
                "calendars.large",
                f"CPU to read a feed of {sizes[1]} with 5,000 events in the worker",
                "s",
                large.seconds,
                at_most=LARGE,
            ),
            Row(
                "calendars.memory",
                "memory of the worker at most",
                "MiB",
                large.memory / 2**20,
                at_most=MEMORY,
            ),
            Row(
                "calendars.held",
                "the event loop is held at most, while either is read",
                "ms",
                max(usual.held, large.held) * 1e3,
                at_most=HELD,
            ),
        ]
    )
