"""Faults of Google Workspace: it throttles, answers wrongly or in part, and takes rooms away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed_google.simulator import BAD_EVENTS, WRONG_TYPES, Role, Where
from tests.fault_injection.fault_catalogue import fault, last
from tests.fault_injection.workspace_calendars import ALL_ROOMS, ROOMS

if TYPE_CHECKING:
    import random

    from tests.fault_injection.environment import World

# The others would occupy the rooms, and be on no calendar; people book such in `WorkspaceCalendars`.
NOT_OCCUPYING = tuple(
    detail for detail in BAD_EVENTS if detail != "missing_status" and not detail.startswith("unknown_")
)


@fault("google.throttles", "google")
async def throttles(world: World, chance: random.Random, seconds: float) -> None:
    """403 or 429, of single parts or of everything."""
    faults = world.google.workspace.faults
    wrong = faults.abused() if chance.random() < 0.2 else faults.throttled()
    await last(world.google.workspace.faults, seconds, wrong)


@fault("google.is_out_of_order", "google")
async def is_out_of_order(world: World, chance: random.Random, seconds: float) -> None:
    """A gateway's page, no answer, or a late one."""
    faults = world.google.workspace.faults
    wrong = chance.choice((faults.html, faults.empty, faults.drop))
    await last(world.google.workspace.faults, seconds, wrong())


@fault("google.answers_in_part", "google")
async def answers_in_part(world: World, chance: random.Random, seconds: float) -> None:
    """Parts of a batch are missing, doubled, unknown or cut off."""
    faults = world.google.workspace.faults
    wrong = chance.choice(
        (
            faults.truncated,
            faults.missing_part,
            faults.duplicate_part,
            faults.unknown_part,
            faults.no_content_id,
        )
    )
    await last(world.google.workspace.faults, seconds, wrong())


@fault("google.has_odd_events", "google")
async def has_odd_events(world: World, chance: random.Random, seconds: float) -> None:
    """An event without a time, or JSON of other types than promised."""
    faults = world.google.workspace.faults
    odd = (
        faults.bad_event(chance.choice(NOT_OCCUPYING))
        if chance.random() < 0.5
        else faults.wrong_types(chance.choice(WRONG_TYPES))
    )
    await last(world.google.workspace.faults, seconds, odd)


@fault("google.has_empty_pages", "google", gentle=True)
async def has_empty_pages(world: World, chance: random.Random, seconds: float) -> None:
    """A page without an event is not the last one."""
    del chance
    await last(world.google.workspace.faults, seconds, world.google.workspace.faults.empty_page())


@fault("google.refuses_tokens", "google", gentle=True)
async def refuses_tokens(world: World, chance: random.Random, seconds: float) -> None:
    """The access token is revoked, once; a new one is good."""
    del chance
    await last(world.google.workspace.faults, seconds, world.google.workspace.faults.bad_credentials(times=1))


@fault("google.takes_a_room_away", "google", longest=20.0)
async def takes_a_room_away(world: World, chance: random.Random, seconds: float) -> None:
    """A room's calendar is not shared any more: 404, as if there were none."""
    google = world.google
    place = chance.randrange(len(ROOMS))
    account = google.account
    async with world.unreadable(ROOMS[place]):
        google.workspace.unshare(google.rooms[place], account)
        try:
            await asyncio.sleep(seconds)
        finally:
            google.workspace.share(google.rooms[place], account, Role.READER)


@fault("google.shows_another_time", "google", "time", gentle=True)
async def shows_another_time(world: World, chance: random.Random, seconds: float) -> None:
    """A cache in between answers with an old `Date`."""
    del chance
    old = "Thu, 01 Jan 2026 00:00:00 GMT"
    wrong = world.google.workspace.faults.date(old, age="3600", where=Where.API)
    await last(world.google.workspace.faults, seconds, wrong)


@fault("google.line_is_refused", "google", longest=20.0)
async def line_is_refused(world: World, chance: random.Random, seconds: float) -> None:
    """Nothing gets through to it, and the other service goes on."""
    del chance
    async with world.google.line.refused(), world.unreadable(*ALL_ROOMS):
        await asyncio.sleep(seconds)
