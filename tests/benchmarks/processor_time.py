"""Processor time, measured so that two runs beside each other can be compared."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

_CORES = sorted(os.sched_getaffinity(0))


def settle_on(core: int) -> None:
    """Keeps this process on one core, where there are several: the server has the other."""
    if len(_CORES) > 1:
        os.sched_setaffinity(0, {_CORES[core % len(_CORES)]})


@contextmanager
def unsettled() -> Iterator[None]:
    """What is started meanwhile may settle on any core, and not on that of its parent alone."""
    here = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, here)


async def seconds_of(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds of the processor that this process, all threads of it, spends until the work is done."""
    begun = time.process_time()
    await work()
    return time.process_time() - begun


def seconds_until_now(pid: int) -> float:
    """What another process of ours, all threads of it, has spent since its start.

    Source: clock_getcpuclockid(3) as Linux has it, whose clock ids of processes have this shape.
    """
    return time.clock_gettime(~pid << 3 | 2)


async def alternately(times: int, *works: Callable[[], Awaitable[object]]) -> list[float]:
    """The least seconds of the processor that each of them took, each done so many times, in turns.

    The least is what it takes; all beyond it is what else the machine did. That they take turns keeps a
    machine that gets slower from favouring one of them.
    """
    least = [float("inf")] * len(works)
    for _ in range(times):
        for number, work in enumerate(works):
            gc.collect()
            await asyncio.sleep(0)
            least[number] = min(least[number], await seconds_of(work))
    return least
