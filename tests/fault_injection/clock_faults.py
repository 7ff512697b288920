"""Faults of the clock of the daemon's machine alone: it is wrong, set right, or wrong from the start.

Tenant, panels and oracle keep the right time, so nothing that is shown may follow it.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from tests.fault_injection.fault_catalogue import fault
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    import random

    from tests.fault_injection.environment import World

_OFF = (-720.0, 720.0, -3 * 86_400.0, 7200.0, -7200.0, 8.0, -8.0, -50 * 365 * 86_400.0)


@fault("clock.is_wrong", "clock", "late", gentle=True)
async def clock_is_wrong(world: World, chance: random.Random, seconds: float) -> None:
    """It is set wrong while the daemon runs, perhaps to another wrong time, and right again."""
    try:
        for _ in range(chance.randint(1, 3)):
            world.clock.put_wrong(chance.choice(_OFF))
            await asyncio.sleep(seconds / 3)
    finally:
        world.clock.put_wrong(0.0)


@fault("clock.is_wrong_at_the_start", "clock", "late", "daemon")
async def clock_is_wrong_at_the_start(world: World, chance: random.Random, seconds: float) -> None:
    """As on a machine without a battery behind its clock, until NTP sets it."""
    world.clock.put_wrong(chance.choice(_OFF))
    try:
        world.unit.send_signal(signal.SIGKILL, -signal.SIGKILL)
        await world.unit.ended.wait()
        async with asyncio.timeout(DEADLINE):
            await world.unit.listening.wait()
        await asyncio.sleep(seconds)
    finally:
        world.clock.put_wrong(0.0)


@fault("services.show_another_time", "date", "late", gentle=True)
async def services_show_another_time(world: World, chance: random.Random, seconds: float) -> None:
    """Single answers, as of a cache or of one server of many, carry another `Date`, or none."""
    texts = ("Sun, 06 Nov 1994 08:49:37 GMT", "Tue, 06 Oct 2037 12:00:00 GMT", "soon", "")
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        world.tenant.faults.date(chance.choice(texts), age=chance.choice((None, "300")), times=1)
        await asyncio.sleep(chance.uniform(1.5, 3.0))
