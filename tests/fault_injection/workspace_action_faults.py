"""Faults of writing to a Google Workspace, as `action_faults` has them for the Microsoft tenant."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from placed_google.simulator import Where
from tests.fault_injection.action_faults import SLOWEST, killed_after_a_write, pressed, struck, undone
from tests.fault_injection.fault_catalogue import fault, last

if TYPE_CHECKING:
    import random
    from contextlib import AbstractAsyncContextManager

    from tests.fault_injection.environment import World
    from tests.fault_injection.tenant_ledger import CalendarWrite


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


@fault("google.organizer_is_quicker", shortest=3.0, gentle=True)
async def organizer_is_quicker(world: World, chance: random.Random, seconds: float) -> None:
    """What the room has declined is moved at once by its organizer, and the room accepts it again."""
    bookings, name = world.google.bookings, "google.organizer_is_quicker"

    def undo(write: CalendarWrite) -> None:
        bookings.move(write.meeting, write.start, write.end + timedelta(seconds=30))

    await undone(world, world.google_hands, bookings.writes, chance, seconds, name, undo)


@fault("google.daemon_dies_after_a_write", "daemon", shortest=10.0, longest=16.0)
async def dies_after_a_write(world: World, chance: random.Random, seconds: float) -> None:
    """Killed between a write to the workspace and its reply."""
    name = "google.daemon_dies_after_a_write"
    await killed_after_a_write(world, world.google_hands, world.google.bookings.writes, chance, seconds, name)
