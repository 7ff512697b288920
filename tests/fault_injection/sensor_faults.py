"""Faults of presence sensors: they die, send old or wrong messages, flood; or the way from them fails.

None of them is seen in a status: for panels all are gentle.
"""

from __future__ import annotations

import asyncio
import json
import signal
from typing import TYPE_CHECKING

from tests.fault_injection.fault_catalogue import fault
from tests.fault_injection.sensor_fleet import COUNTER, KINDS, ROOMS
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    import random

    from tests.fault_injection.environment import World

_PAUSE = 0.3  # seconds between two messages
_FLOOD = 1500  # messages
_NO_READINGS = (
    b"null",
    b"",
    b"{}",
    b"[]",
    b"unavailable",
    b"unknown",
    b"NaN",
    b"-1",
    b"\xff\xfe\x00",
    b"[" * 2000,
    b"x" * 70_000,
    json.dumps({"people": None, "occupancy": None, "at": None}).encode(),
    json.dumps({"people": -3, "at": "yesterday"}).encode(),
    json.dumps({"battery": 80, "in": 3, "out": 2}).encode(),
)


def _some(chance: random.Random, names: list[str] | None = None) -> list[str]:
    names = sorted(names or ROOMS)
    return chance.sample(names, chance.randint(1, len(names)))


@fault("sensors.die", "sensors", longest=14.0, gentle=True)
async def sensors_die(world: World, chance: random.Random, seconds: float) -> None:
    """They send nothing for a while, perhaps for longer than they are believed. Some gateways report that."""
    names = _some(chance)
    async with world.fleet.in_place_of(names) as client:
        reported = [name for name in names if chance.random() < 0.5]
        for name in reported:
            await world.fleet.set_available(client, name, "offline")
        await asyncio.sleep(seconds)
        for name in reported:
            await world.fleet.set_available(client, name, "online")


@fault("sensors.send_no_readings", "sensors", longest=14.0, gentle=True)
async def send_no_readings(world: World, chance: random.Random, seconds: float) -> None:
    """They send null, other frames, words for a device that is lost, and what nobody can read."""
    end = asyncio.get_running_loop().time() + seconds
    names = _some(chance)
    async with world.fleet.in_place_of(names) as client:
        while asyncio.get_running_loop().time() < end:
            for name in names:
                await world.fleet.send(client, name, chance.choice(_NO_READINGS))
            await asyncio.sleep(_PAUSE)


@fault("sensors.send_old_readings", "sensors", "late", longest=10.0, gentle=True)
async def send_old_readings(world: World, chance: random.Random, seconds: float) -> None:
    """They send what they measured some time ago, in any order, and times that are still to come."""
    end = asyncio.get_running_loop().time() + seconds
    counters = [name for name, kind in KINDS.items() if kind is COUNTER]
    names = _some(chance, counters)
    async with world.fleet.in_place_of(names) as client:
        while asyncio.get_running_loop().time() < end:
            for name in names:
                age = chance.choice((1.0, 4.0, 7.0, 60.0, 3600.0, -60.0, -900.0))
                if age < -120.0:
                    await world.fleet.send_from_the_future(client, name, -age)
                else:
                    present = chance.random() < 0.5
                    await world.fleet.report(client, name, present=present, age=age)
            await asyncio.sleep(_PAUSE)


@fault("sensors.flood", "sensors", shortest=0.0, longest=0.0, gentle=True)
async def sensors_flood(world: World, chance: random.Random, seconds: float) -> None:
    """One of them sends a great many readings at once, that contradict each other."""
    del seconds
    (name,) = chance.sample(sorted(ROOMS), 1)
    async with world.fleet.in_place_of([name]) as client:
        await world.fleet.flood(client, name, _FLOOD)


@fault("sensors.leave_retained_messages", "sensors", "line to sensors", "daemon", longest=10.0, gentle=True)
async def leave_retained_messages(world: World, chance: random.Random, seconds: float) -> None:
    """The broker holds a reading of unknown age of a sensor that is silent, and the daemon is a new one."""
    names = _some(chance)
    async with world.fleet.in_place_of(names) as client:
        try:
            async with world.to_sensors.refused():
                for name in names:
                    await world.fleet.retain(client, name, present=chance.random() < 0.5)
                world.unit.send_signal(signal.SIGKILL, -signal.SIGKILL)
                await world.unit.ended.wait()
            async with asyncio.timeout(DEADLINE):
                await world.unit.listening.wait()
            await asyncio.sleep(seconds)
        finally:
            for name in names:
                await world.fleet.forget_retained(client, name)


@fault("sensors.broker_is_killed", "line to sensors", longest=12.0, gentle=True)
async def broker_is_killed(world: World, chance: random.Random, seconds: float) -> None:
    """Kill -9, or orderly; it remembers nothing."""
    await (world.sensor_broker.kill() if chance.random() < 0.5 else world.sensor_broker.stop())
    await asyncio.sleep(seconds)
    await world.sensor_broker.start()


@fault("sensors.broker_freezes", "line to sensors", "late", longest=8.0, gentle=True)
async def broker_freezes(world: World, chance: random.Random, seconds: float) -> None:
    """It does nothing, and what was sent arrives later."""
    del chance
    with world.fleet.truth.held_up(world.clock.elapsed):
        world.sensor_broker.freeze()
        try:
            await asyncio.sleep(seconds)
        finally:
            world.sensor_broker.thaw()


@fault("sensors.line_is_refused", "line to sensors", longest=10.0, gentle=True)
async def line_is_refused(world: World, chance: random.Random, seconds: float) -> None:
    """The daemon does not reach the broker."""
    del chance
    async with world.to_sensors.refused():
        await asyncio.sleep(seconds)


@fault("sensors.line_is_half_open", "line to sensors", longest=10.0, gentle=True)
async def line_is_half_open(world: World, chance: random.Random, seconds: float) -> None:
    """What is sent is lost, without an error."""
    del chance
    async with world.to_sensors.half_open():
        await asyncio.sleep(seconds)


@fault("sensors.line_stalls", "line to sensors", "late", longest=8.0, gentle=True)
async def line_stalls(world: World, chance: random.Random, seconds: float) -> None:
    """Nothing gets through; afterwards all of it does, late."""
    del chance
    with world.fleet.truth.held_up(world.clock.elapsed):
        async with world.to_sensors.stalled():
            await asyncio.sleep(seconds)
