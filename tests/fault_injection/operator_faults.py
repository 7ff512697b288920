"""Mistakes of operators: a reload with a broker that does not work, a storm of reloads, a second daemon."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from tests.fault_injection.fault_catalogue import fault
from tests.fault_injection.process_supervisor import CANNOT_START
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port

if TYPE_CHECKING:
    import random

    from tests.fault_injection.environment import World

_RELOADS = 200
_SIGN_INS = 40  # at most, for so many reloads and whatever tokens other faults cost meanwhile


async def _runs(world: World) -> None:
    async with asyncio.timeout(DEADLINE):
        await world.unit.listening.wait()


@fault("operator.reloads_a_wrong_broker", "daemon", gentle=True)
async def reloads_a_wrong_broker(world: World, chance: random.Random, seconds: float) -> None:
    """A name that does not exist, a port where nobody listens, TLS where there is none: refused."""
    del seconds
    await _runs(world)
    good = world.configuration.read_text()
    port = world.to_broker.port
    wrong = chance.choice(
        ("mqtt://broker.invalid:1883", f"mqtt://localhost:{free_port()}", f"mqtts://localhost:{port}")
    )
    refused = world.unit.refused_reloads
    world.configuration.write_text(good.replace(f"mqtt://localhost:{port}", wrong))
    try:
        world.unit.send_signal(signal.SIGHUP)
        async with asyncio.timeout(DEADLINE):
            while world.unit.refused_reloads == refused:  # noqa: ASYNC110 - a log is no event
                await asyncio.sleep(0.05)
    except TimeoutError:
        world.complain(f"a reload with the broker {wrong} was not refused")
    finally:
        world.configuration.write_text(good)


@fault("operator.reloads_two_hundred_times", "daemon", gentle=True)
async def reloads_two_hundred_times(world: World, chance: random.Random, seconds: float) -> None:
    """As fast as a script that runs wild."""
    del seconds
    await _runs(world)
    before = world.sign_ins
    for _ in range(_RELOADS):
        world.unit.send_signal(signal.SIGHUP)
        await asyncio.sleep(chance.uniform(0.0, 0.02))
    if world.sign_ins - before > _SIGN_INS:
        world.complain(f"{_RELOADS} reloads made {world.sign_ins - before} sign-ins")


@fault("operator.starts_a_second_daemon", "daemon", gentle=True)
async def starts_a_second_daemon(world: World, chance: random.Random, seconds: float) -> None:
    """On the same state directory: it is refused, and the first one does not notice."""
    del chance, seconds
    await _runs(world)
    code, output = await world.unit.start_another(DEADLINE)
    if code != CANNOT_START or "state directory" not in output:
        world.complain(f"a second daemon on one state directory ended with {code}: {output[:2000]}")
