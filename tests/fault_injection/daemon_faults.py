"""Faults of the daemon's own machine: it is killed, stopped, reloaded or started twice; clocks and disk."""

from __future__ import annotations

import asyncio
import resource
import signal
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from tests.fault_injection.daemon_settings import ZONE
from tests.fault_injection.fault_catalogue import fault
from tests.fault_injection.process_supervisor import CANNOT_START
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.fault_injection.environment import World

KILLED, TERMINATED, RESTARTED = -signal.SIGKILL, -signal.SIGTERM, -signal.SIGUSR1


async def _is_back(world: World) -> None:
    async with asyncio.timeout(DEADLINE):
        await world.unit.listening.wait()


async def _kill(world: World) -> None:
    world.unit.send_signal(signal.SIGKILL, KILLED)
    await world.unit.ended.wait()


@fault("daemon.is_killed", "daemon", shortest=0.0, longest=0.0, gentle=True)
async def is_killed(world: World, chance: random.Random, seconds: float) -> None:
    """Kill -9, and it is back at once."""
    del chance, seconds
    await _kill(world)
    await _is_back(world)


@fault("daemon.is_killed_for_long", "daemon", longest=20.0)
async def is_killed_for_long(world: World, chance: random.Random, seconds: float) -> None:
    """Kill -9, and nobody starts it."""
    del chance
    world.unit.hold()
    async with world.unreadable(*world.all_rooms, *world.other_rooms):
        await _kill(world)
        await asyncio.sleep(seconds)
        world.unit.release()
    await _is_back(world)


@fault("daemon.is_killed_while_it_starts", "daemon")
async def is_killed_while_it_starts(world: World, chance: random.Random, seconds: float) -> None:
    """Again and again, at any point."""
    del seconds
    for _ in range(chance.randint(2, 4)):
        await _kill(world)
        await asyncio.sleep(chance.uniform(0.0, 2.5))
    await _is_back(world)


@fault("daemon.is_stopped", "daemon")
async def is_stopped(world: World, chance: random.Random, seconds: float) -> None:
    """SIGTERM, in the middle of its life or while it starts."""
    del seconds
    if chance.random() < 0.6:
        await _kill(world)
        await asyncio.sleep(chance.uniform(0.2, 2.0))
    early = not world.unit.listening.is_set()
    world.unit.send_signal(signal.SIGTERM, 0, *([TERMINATED] if early else []))
    async with asyncio.timeout(DEADLINE):
        await world.unit.ended.wait()
    await _is_back(world)


@fault("daemon.is_restarted", "daemon", shortest=0.0, longest=0.0, gentle=True)
async def is_restarted(world: World, chance: random.Random, seconds: float) -> None:
    """As systemd restarts it: SIGUSR1."""
    del chance, seconds
    early = not world.unit.listening.is_set()
    world.unit.send_signal(signal.SIGUSR1, 0, *([RESTARTED] if early else []))
    async with asyncio.timeout(DEADLINE):
        await world.unit.ended.wait()
    await _is_back(world)


@fault("daemon.is_reloaded", "daemon", gentle=True)
async def is_reloaded(world: World, chance: random.Random, seconds: float) -> None:
    """A storm of SIGHUP."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        if not world.unit.listening.is_set():
            world.unit.expect(-signal.SIGHUP)  # while Python itself starts there is no handler yet
        world.unit.send_signal(signal.SIGHUP)
        await asyncio.sleep(chance.uniform(0.01, 0.8))


@fault("daemon.freezes", "daemon", "late", longest=12.0)
async def freezes(world: World, chance: random.Random, seconds: float) -> None:
    """It stands still, and goes on."""
    del chance
    with world.fleet.truth.held_up(world.clock.elapsed):
        world.unit.send_signal(signal.SIGSTOP)
        try:
            async with world.unreadable(*world.all_rooms, *world.other_rooms):
                await asyncio.sleep(seconds)
        finally:
            world.unit.send_signal(signal.SIGCONT)


@fault("daemon_and_broker.are_killed", "daemon", "broker")
async def both_are_killed(world: World, chance: random.Random, seconds: float) -> None:
    """A power cut; they are back one after the other."""
    world.unit.hold()
    await asyncio.gather(_kill(world), world.broker.kill())
    await asyncio.sleep(seconds)
    back = [world.broker.start, _release(world)]
    chance.shuffle(back)
    for one in back:
        await one()
        await asyncio.sleep(chance.uniform(0.0, 2.0))
    await _is_back(world)


def _release(world: World) -> Callable[[], asyncio.Future[None]]:
    async def release() -> None:
        world.unit.release()

    return lambda: asyncio.ensure_future(release())


@fault("daemon.is_doubled", "daemon", "broker", "line to broker", "names")
async def is_doubled(world: World, chance: random.Random, seconds: float) -> None:
    """A second one with the same client identifier: one has to give way, with exit code 3."""
    del chance, seconds
    await _is_back(world)
    rival = world.make_rival("rival")
    rivalry = asyncio.create_task(rival.run())
    try:
        rival.hold()
        rival.release()
        async with asyncio.timeout(DEADLINE):
            await rival.listening.wait()
        rival.hold()
        world.unit.expect(CANNOT_START)
        rival.expect(CANNOT_START)
        ends = [asyncio.create_task(unit.ended.wait()) for unit in (world.unit, rival)]
        done, waiting = await asyncio.wait(ends, timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if not done:
            world.complain("of two daemons with one client identifier neither gave way")
        world.unit.expect_nothing()
        if rival.pid is not None:
            rival.send_signal(signal.SIGTERM, 0)
            async with asyncio.timeout(DEADLINE):
                await rival.ended.wait()
    finally:
        rivalry.cancel()
        await asyncio.wait([rivalry])
    await _is_back(world)


# --- clocks ---
# Each has an effect for as long as earlier messages may be valid, so that no two come together in a way that
# no panel can detect: a suspend, and then a clock that is set back before anything new was published.


async def _felt(world: World) -> None:
    world.note()
    await asyncio.sleep(world.pace.expire_after + 1.0)


@fault("clock.is_stepped", "clock", "late")
async def clock_is_stepped(world: World, chance: random.Random, seconds: float) -> None:
    """An hour on or back, or less."""
    del seconds
    world.clock.step(chance.choice((3600.0, -3600.0, 3600.0, -3600.0, 7.0, -7.0, 0.4, -0.4)))
    await _felt(world)


@fault("machine.is_suspended", "clock", "late")
async def machine_is_suspended(world: World, chance: random.Random, seconds: float) -> None:
    """For a while, or over night."""
    del seconds
    world.clock.suspend(chance.choice((8.0, 60.0, 600.0, 8 * 3600.0)))
    await _felt(world)


@fault("clock.comes_to_midnight", "clock", "late")
async def comes_to_midnight(world: World, chance: random.Random, seconds: float) -> None:
    """It is 23:59:50 all of a sudden."""
    del chance, seconds
    now = world.clock.now().astimezone(ZONE)
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), ZONE)
    await _come_to(world, midnight - timedelta(seconds=10))


@fault("clock.comes_to_a_change_of_clocks", "clock", "late")
async def comes_to_a_change(world: World, chance: random.Random, seconds: float) -> None:
    """It is 8 seconds before summer begins or ends."""
    del chance, seconds
    await _come_to(world, next_change(world.clock.now()) - timedelta(seconds=8))


async def _come_to(world: World, moment: datetime) -> None:
    left = (moment.astimezone(UTC) - world.clock.now()).total_seconds()
    if left > 0:
        world.clock.suspend(left)
    await _felt(world)


def next_change(now: datetime) -> datetime:
    """When the offset of the local clock changes next, to the second."""
    hour = timedelta(hours=1)
    moment = now.replace(minute=0, second=0, microsecond=0) + hour
    while moment.astimezone(ZONE).utcoffset() == (moment + hour).astimezone(ZONE).utcoffset():
        moment += hour
    return moment + hour


# --- disk ---


@fault("disk.is_full", "disk")
async def disk_is_full(world: World, chance: random.Random, seconds: float) -> None:
    """No file of the daemon can grow, or none may be written at all."""
    del chance
    pid = world.unit.pid
    if pid is None:
        return
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
    try:
        await asyncio.sleep(seconds)
    finally:
        if world.unit.pid == pid:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        world.actions.forget(world.clock.elapsed())


@fault("journal.is_damaged", "daemon", "disk")
async def journal_is_damaged(world: World, chance: random.Random, seconds: float) -> None:
    """Between two lives: bits are turned, it is cut off, emptied, of another kind, or gone."""
    del seconds
    world.unit.hold()
    await _kill(world)
    world.actions.forget(world.clock.elapsed())
    for path in sorted(world.unit.state_directory.rglob("*")):
        if path.is_file() and chance.random() < 0.7:
            content = bytearray(path.read_bytes())
            what = chance.choice(("bits", "cut", "empty", "nonsense", "gone"))
            if what == "gone":
                path.unlink()
                continue
            if what == "bits":
                for _ in range(min(len(content), 40)):
                    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            elif what == "cut":
                del content[chance.randrange(len(content) + 1) :]
            elif what == "empty":
                content.clear()
            else:
                content[:] = chance.randbytes(5000)
            path.write_bytes(content)
    world.unit.release()
    await _is_back(world)
