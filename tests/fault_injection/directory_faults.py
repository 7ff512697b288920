"""Faults of the directory: its lists of rooms, their names and addresses, a refusal for a moment.

All are gentle: a room that is there stays on panels, whatever the directory lists meanwhile.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from placed_microsoft365.simulator import Where
from tests.fault_injection.fault_catalogue import fault, last
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    import random

    from tests.fault_injection.environment import World

_PATIENCE = aiohttp.ClientTimeout(total=3.0)
_MOMENTARY = (
    (404, "MailboxNotEnabledForRESTAPI"),
    (404, "ErrorInvalidUser"),
    (404, "ResourceNotFound"),
    (403, "AccessDenied"),
    (403, "ErrorAccessDenied"),
)


@fault("list.lacks_rooms", "the list", gentle=True)
async def list_lacks_rooms(world: World, chance: random.Random, seconds: float) -> None:
    """The group is listed as empty or without some rooms: once, again and again, or in turns."""
    rooms = chance.sample(world.group_rooms, chance.choice((0, 1, 3)))
    turns = chance.choice((1, 1, 3))
    for _ in range(turns):
        wrong = world.tenant.faults.lacking(*rooms, times=chance.choice((1, None)))
        await last(world.tenant.faults, seconds / turns / 2, *wrong)
        await asyncio.sleep(seconds / turns / 2)


@fault("list.hides_names", "the list", gentle=True)
async def list_hides_names(world: World, chance: random.Random, seconds: float) -> None:
    """Members are listed by their object ids alone, as without a permission on users."""
    del chance
    world.tenant.hides_users = True
    try:
        await asyncio.sleep(seconds)
    finally:
        world.tenant.hides_users = False


@fault("list.fails", "the list", gentle=True)
async def list_fails(world: World, chance: random.Random, seconds: float) -> None:
    """The group cannot be listed, or what comes is no list."""
    faults = world.tenant.faults
    wrong = chance.choice(
        (
            lambda: faults.status(chance.choice((404, 500, 503)), where=Where.GROUPS),
            lambda: faults.status(403, code="Authorization_RequestDenied", where=Where.GROUPS),
            lambda: faults.html(status=chance.choice((200, 502)), where=Where.GROUPS),
            lambda: faults.truncated(where=Where.GROUPS),
            lambda: faults.empty(where=Where.GROUPS),
        )
    )()
    await last(world.tenant.faults, seconds, wrong)


@fault("room.changes_its_address", "a room", "daemon", "disk", longest=8.0, gentle=True)
async def room_changes_its_address(world: World, chance: random.Random, seconds: float) -> None:
    """It is the same mailbox, and so the same room; at the end the address is the one of before.

    A daemon that has not read the list since its journal was damaged would know no better.
    """
    name = chance.choice(world.group_rooms)
    room = world.tenant.mailbox(name).room
    if room is None or not await _is_known(world, name):
        return
    renamed = world.tenant.change_address(room, f"renamed-{world.clock.steady():.0f}")
    try:
        await asyncio.sleep(seconds)
    finally:
        world.tenant.change_address(renamed, room.address)


async def _is_known(world: World, room: str) -> bool:
    url = f"http://{HOST}:{world.endpoint_port}/api/v1/rooms/{room}"
    try:
        async with aiohttp.ClientSession() as session, session.get(url, timeout=_PATIENCE) as answer:
            return answer.status == HTTPStatus.OK
    except (aiohttp.ClientError, TimeoutError):
        return False


@fault("room.is_refused_for_a_moment", "a room", longest=2.0, gentle=True)
async def room_is_refused_for_a_moment(world: World, chance: random.Random, seconds: float) -> None:
    """A room, or several, that was readable a moment ago: once, with a code that would be for good."""
    status, code = chance.choice(_MOMENTARY)
    rooms = chance.sample(world.all_rooms, chance.choice((1, 1, 4)))
    wrong = [world.tenant.faults.status(status, code=code, room=room, times=1) for room in rooms]
    await last(world.tenant.faults, seconds, *wrong)
