"""Faults of writing to a Google Workspace, as `action_faults` has them for the Microsoft tenant."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from placed_google.simulator import Where
from tests.fault_injection.action_faults import SLOWEST, TICK, pressed, struck
from tests.fault_injection.fault_catalogue import fault, last
from tests.fault_injection.tenant_ledger import WriteKind

if TYPE_CHECKING:
    import random
    from contextlib import AbstractAsyncContextManager

    from tests.fault_injection.environment import World


def _struck(world: World, chance: random.Random, name: str) -> AbstractAsyncContextManager[None]:
    return struck(world, world.google_hands, world.google.bookings.writes, chance, name)


@fault("google.write_is_refused", "google-write", gentle=True)
async def write_is_refused(world: World, chance: random.Random, seconds: float) -> None:
    """As without the share, throttled, changed in between, or out of order."""
    faults = world.google.workspace.faults
    status, reason = chance.choice(
        (
            (403, "requiredAccessLevel"),
            (403, "rateLimitExceeded"),
            (404, "notFound"),
            (412, "conditionNotMet"),
            (429, "rateLimitExceeded"),
            (500, "backendError"),
            (501, "notImplemented"),
            (503, "backendError"),
        )
    )
    async with pressed(world.google_hands, chance):
        await last(faults, seconds, faults.status(status, reason=reason, where=Where.WRITE))


@fault("google.write_answer_is_lost", "google-write", gentle=True)
async def answer_is_lost(world: World, chance: random.Random, seconds: float) -> None:
    """It is done, and the connection is cut, or a gateway answers."""
    faults = world.google.workspace.faults
    async with _struck(world, chance, "google.write_answer_is_lost"):
        await last(faults, seconds, faults.lost_answer(status=chance.choice((0, 502, 504))))


@fault("google.write_shows_late", "google-visibility", gentle=True)
async def shows_late(world: World, chance: random.Random, seconds: float) -> None:
    """Readings are of before the write for some seconds."""
    answers = world.google.workspace.answers
    answers.visible_after = timedelta(seconds=chance.uniform(0.5, SLOWEST))
    try:
        async with _struck(world, chance, "google.write_shows_late"):
            await asyncio.sleep(seconds)
    finally:
        answers.visible_after = timedelta()


@fault("google.organizer_is_quicker", gentle=True)
async def organizer_is_quicker(world: World, chance: random.Random, seconds: float) -> None:
    """What the room has declined is moved at once by its organizer, and the room accepts it again."""
    loop, bookings = asyncio.get_running_loop(), world.google.bookings
    end, seen = loop.time() + seconds, len(bookings.writes)
    world.struck.setdefault("google.organizer_is_quicker", 0)
    async with pressed(world.google_hands, chance):
        while loop.time() < end:
            await asyncio.sleep(TICK)
            for write in bookings.writes[seen:]:
                if write.kind is not WriteKind.DECLINED or chance.random() < 0.5:
                    continue
                bookings.move(write.meeting, write.start, write.end + timedelta(seconds=30))
                world.struck["google.organizer_is_quicker"] += 1
            seen = len(bookings.writes)
