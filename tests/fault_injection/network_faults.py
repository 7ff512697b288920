"""Faults of the network: between daemon and broker, daemon and tenant, panel and broker; and of names."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.fault_injection.fault_catalogue import fault

if TYPE_CHECKING:
    import random

    from tests.fault_injection.environment import World
    from tests.fault_injection.network_link import Line

# `late` is for what may bring messages late: a clock that is set back just then lets them live for longer
# than they should, on a panel that has but the message's expiry to go by.


@fault("names.are_lost", "names", gentle=True)
async def names_are_lost(world: World, chance: random.Random, seconds: float) -> None:
    """DNS fails. What is connected stays so."""
    del chance
    world.clock.lose_names(lost=True)
    try:
        await asyncio.sleep(seconds)
    finally:
        world.clock.lose_names(lost=False)


def _lines(world: World) -> dict[str, Line]:
    return {"broker": world.to_broker, "tenant": world.to_tenant, "panel": world.to_panel}


def _of(line: str) -> None:
    lane = f"line to {line}"

    @fault(f"{line}.line_is_refused", lane)
    async def refused(world: World, chance: random.Random, seconds: float) -> None:
        del chance
        async with _lines(world)[line].refused():
            await _without(world, line, seconds)

    @fault(f"{line}.line_is_half_open", lane, longest=12.0)
    async def half_open(world: World, chance: random.Random, seconds: float) -> None:
        del chance
        async with _lines(world)[line].half_open():
            await _without(world, line, seconds)

    @fault(f"{line}.line_stalls", lane, "late", longest=5.0)
    async def stalls(world: World, chance: random.Random, seconds: float) -> None:
        del chance
        async with _lines(world)[line].stalled():
            await asyncio.sleep(seconds)

    @fault(f"{line}.line_is_slow", lane, "late", longest=8.0)
    async def slow(world: World, chance: random.Random, seconds: float) -> None:
        async with _lines(world)[line].slow(chance.uniform(0.01, 0.2), chance.choice((64, 256, 1024))):
            await asyncio.sleep(seconds)

    @fault(f"{line}.line_is_cut_again_and_again", lane)
    async def cut_after(world: World, chance: random.Random, seconds: float) -> None:
        async with _lines(world)[line].cut_after(chance.choice((1, 20, 300, 2000, 6000))):
            await asyncio.sleep(seconds)

    # Of a panel's own line its panel shows nothing; of the others a cut is not to be seen.
    @fault(f"{line}.line_is_cut", lane, shortest=0.1, longest=0.5, gentle=True)
    async def cut(world: World, chance: random.Random, seconds: float) -> None:
        del chance
        _lines(world)[line].cut()
        await asyncio.sleep(seconds)


async def _without(world: World, line: str, seconds: float) -> None:
    if line != "tenant":
        await asyncio.sleep(seconds)
        return
    async with world.unreadable(*world.all_rooms):
        await asyncio.sleep(seconds)


for _line in ("broker", "tenant", "panel"):
    _of(_line)


@fault("names_are_lost_and_lines_cut", "names", "line to broker", "line to tenant")
async def names_are_lost_and_lines_cut(world: World, chance: random.Random, seconds: float) -> None:
    """DNS fails, and nothing that was connected is any more."""
    world.clock.lose_names(lost=True)
    world.to_tenant.cut()
    if chance.random() < 0.5:
        world.to_broker.cut()
    try:
        await asyncio.sleep(seconds)
    finally:
        world.clock.lose_names(lost=False)


@fault("broker.is_killed", "broker")
async def broker_is_killed(world: World, chance: random.Random, seconds: float) -> None:
    """Kill -9, and it remembers nothing."""
    del chance
    await world.broker.kill()
    await asyncio.sleep(seconds)
    await world.broker.start()


@fault("broker.is_restarted", "broker", shortest=0.1, longest=1.0)
async def broker_is_restarted(world: World, chance: random.Random, seconds: float) -> None:
    """Orderly, and it remembers nothing."""
    del chance
    await world.broker.stop()
    await asyncio.sleep(seconds)
    await world.broker.start()


@fault("broker.freezes", "broker", "late", longest=5.0)
async def broker_freezes(world: World, chance: random.Random, seconds: float) -> None:
    """It does nothing, and its connections seem to stand."""
    del chance
    world.broker.freeze()
    try:
        await asyncio.sleep(seconds)
    finally:
        world.broker.thaw()
