"""Every kind of fault, by its name: what it needs for itself, how long it lasts, and what is done.

What is done lasts as long as the fault does, and leaves nothing behind.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fault_injection.fault_schedule import Kind

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from placed_simulator.fault_switches import F, FaultSwitches
    from tests.fault_injection.environment import World

    Happening = Callable[[World, random.Random, float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A kind, and what is done."""

    kind: Kind
    happen: Happening


CATALOGUE: dict[str, Entry] = {}


def fault(
    name: str, *lanes: str, shortest: float = 1.0, longest: float = 6.0, gentle: bool = False
) -> Callable[[Happening], Happening]:
    """Enters a coroutine function into the catalogue: `(world, chance, seconds)`."""

    def enter(happen: Happening) -> Happening:
        if name in CATALOGUE:
            raise ValueError(f"two faults {name}")
        CATALOGUE[name] = Entry(Kind(frozenset(lanes), shortest, longest, gentle), happen)
        return happen

    return enter


async def last(switches: FaultSwitches[F], seconds: float, *wrong: F) -> None:
    """Leaves faults that are switched on as they are for some seconds, and then switches them off."""
    try:
        await asyncio.sleep(seconds)
    finally:
        for one in wrong:
            switches.remove(one)
