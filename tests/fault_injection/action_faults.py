"""Faults of writing: refused, done but not answered, slow to show, changed by the organizer in between.

People press seldom, and faults are short: so somebody presses a button every two seconds while one is on.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from signal import SIGKILL
from typing import TYPE_CHECKING

from placed_microsoft365.simulator import Where
from tests.fault_injection.fault_catalogue import fault, last
from tests.fault_injection.tenant_ledger import WriteKind
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from tests.fault_injection.environment import World
    from tests.fault_injection.panel_hands import Hands
    from tests.fault_injection.tenant_ledger import CalendarWrite

SLOWEST = 3.0  # seconds that a write takes to show in readings
TICK = 0.05  # seconds between two looks for a write
_BETWEEN_PRESSES = 2.0  # seconds
_LOOKS = 9.0  # seconds; a booking has its outcome after ten


@asynccontextmanager
async def pressed(
    hands: Hands, chance: random.Random, press: Callable[[random.Random], None] | None = None
) -> AsyncIterator[None]:
    """Somebody presses buttons whose commands can be carried out; `press` presses others."""

    async def go_on() -> None:
        while True:
            (press or hands.press_what_writes)(chance)
            await asyncio.sleep(_BETWEEN_PRESSES)

    pressing = asyncio.create_task(go_on())
    try:
        yield
    finally:
        pressing.cancel()
        await asyncio.wait([pressing])


@asynccontextmanager
async def struck(
    world: World, hands: Hands, writes: Sequence[CalendarWrite], chance: random.Random, name: str
) -> AsyncIterator[None]:
    """The same, and each write meanwhile is one that the fault has struck."""
    seen = len(writes)
    try:
        async with pressed(hands, chance):
            yield
    finally:
        world.struck[name] += len(writes) - seen


async def undone(  # noqa: PLR0913, PLR0917 - of each service
    world: World,
    hands: Hands,
    writes: Sequence[CalendarWrite],
    chance: random.Random,
    seconds: float,
    name: str,
    undo: Callable[[CalendarWrite], None],
) -> None:
    """People's meetings are ended at panels, and saved again by their organizers at once; not all of them."""
    loop = asyncio.get_running_loop()
    end, seen, times = loop.time() + seconds, len(writes), 0
    world.struck.setdefault(name, 0)
    async with pressed(hands, chance, hands.end_a_persons_meeting):
        while loop.time() < end:
            await asyncio.sleep(TICK)
            new, seen = writes[seen:], len(writes)
            for write in new:
                if write.key is not None or write.kind not in (WriteKind.RETIMED, WriteKind.DECLINED):
                    continue
                if times == 0 or chance.random() < 0.5:
                    undo(write)
                    world.note()
                    times += 1
                    world.struck[name] += 1


async def killed_after_a_write(  # noqa: PLR0913, PLR0917 - of each service
    world: World,
    hands: Hands,
    writes: Sequence[CalendarWrite],
    chance: random.Random,
    seconds: float,
    name: str,
) -> None:
    """Kills the daemon between a write and its reply: at once, or while it looks what has become of it."""
    loop = asyncio.get_running_loop()
    end, seen = loop.time() + seconds, len(writes)
    world.struck.setdefault(name, 0)
    async with pressed(hands, chance):
        while loop.time() < end:
            await asyncio.sleep(TICK / 10)
            if len(writes) == seen:
                continue
            await asyncio.sleep(chance.choice((0.0, chance.uniform(0.0, 0.3), chance.uniform(0.0, _LOOKS))))
            new, seen = writes[seen:], len(writes)
            if any(world.actions.waiting(write) for write in new):
                world.unit.send_signal(SIGKILL, -SIGKILL)
                await world.unit.ended.wait()
                world.struck[name] += 1
                break
    async with asyncio.timeout(DEADLINE):
        await world.unit.listening.wait()


def _struck(world: World, chance: random.Random, name: str) -> AbstractAsyncContextManager[None]:
    return struck(world, world.hands, world.tenant.writes, chance, name)


@fault("write.is_refused", "write", gentle=True)
async def write_is_refused(world: World, chance: random.Random, seconds: float) -> None:
    """As without the grant, throttled, changed by Exchange in between, or out of order."""
    faults = world.tenant.faults
    status, code = chance.choice(
        (
            (403, "ErrorAccessDenied"),
            (412, "ErrorIrresolvableConflict"),
            (429, "ApplicationThrottled"),
            (500, "ErrorInternalServerError"),
            (503, "ErrorServerBusy"),
        )
    )
    async with pressed(world.hands, chance):
        await last(faults, seconds, faults.status(status, code=code, where=Where.WRITE))


@fault("write.answer_is_lost", "write", gentle=True)
async def answer_is_lost(world: World, chance: random.Random, seconds: float) -> None:
    """It is done, and the connection is cut, or a gateway answers."""
    faults = world.tenant.faults
    async with _struck(world, chance, "write.answer_is_lost"):
        await last(faults, seconds, faults.lost_answer(status=chance.choice((0, 502, 504))))


@fault("write.shows_late", "visibility", gentle=True)
async def shows_late(world: World, chance: random.Random, seconds: float) -> None:
    """Readings are of before the write for some seconds."""
    undocumented = world.tenant.undocumented
    undocumented.visible_after = timedelta(seconds=chance.uniform(0.5, SLOWEST))
    try:
        async with _struck(world, chance, "write.shows_late"):
            await asyncio.sleep(seconds)
    finally:
        undocumented.visible_after = timedelta()


@fault("write.undocumented", "undocumented", gentle=True)
async def answers_otherwise(world: World, chance: random.Random, seconds: float) -> None:
    """The other answer to what the documentation leaves open."""
    undocumented = world.tenant.undocumented
    before = undocumented.attendee_patch, undocumented.known_transaction
    undocumented.attendee_patch = chance.choice(("own_copy", "refused"))
    undocumented.known_transaction = chance.choice((400, 409, 201))
    try:
        async with _struck(world, chance, "write.undocumented"):
            await asyncio.sleep(seconds)
    finally:
        undocumented.attendee_patch, undocumented.known_transaction = before


@fault("write.organizer_is_quicker", shortest=3.0, gentle=True)
async def organizer_is_quicker(world: World, chance: random.Random, seconds: float) -> None:
    """What was written is changed at once by the meeting's organizer."""
    tenant, name = world.tenant, "write.organizer_is_quicker"

    def undo(write: CalendarWrite) -> None:
        tenant.update_by_organizer(write.meeting)

    await undone(world, world.hands, tenant.writes, chance, seconds, name, undo)


@fault("daemon.dies_after_a_write", "daemon", shortest=10.0, longest=16.0)
async def dies_after_a_write(world: World, chance: random.Random, seconds: float) -> None:
    """Killed between a write to the tenant and its reply."""
    name = "daemon.dies_after_a_write"
    await killed_after_a_write(world, world.hands, world.tenant.writes, chance, seconds, name)
