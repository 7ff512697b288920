"""Faults of the calendar service, and of its administrators."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from placed_microsoft365.simulator import MailboxState, Where
from placed_microsoft365.simulator.faults.fault import BAD_EVENTS, WRONG_TYPES
from placed_microsoft365.simulator.tenant.mailboxes import UNTOUCHED
from tests.fault_injection.fault_catalogue import fault, last

if TYPE_CHECKING:
    import random

    from placed_microsoft365.simulator import App
    from tests.fault_injection.environment import World

# Graph answers wrongly; several such faults may be there at once. Of one room, or of all.
_ONE_OR_ALL = 0.5
_OUTER = (Where.BATCH, Where.GRAPH, Where.CALENDAR)


def _room(world: World, chance: random.Random) -> str | None:
    """A room's address, or None for all."""
    rooms = [room.address for room in world.tenant.rooms()]
    return chance.choice(rooms) if chance.random() < _ONE_OR_ALL else None


@fault("graph.throttles")
async def throttles(world: World, chance: random.Random, seconds: float) -> None:
    """429, with whatever for Retry-After."""
    dates = [world.tenant.now() + timedelta(seconds=s) for s in (-3600, 3, 86400)]
    waits = [
        None,
        "",
        "2",
        "2.128",
        "1e9",
        "-5",
        "nan",
        "inf",
        "soon",
        *(format_datetime(d, usegmt=True) for d in dates),
    ]
    where, room = chance.choice(_OUTER), _room(world, chance)
    wrong = world.tenant.faults.throttled(
        retry_after=chance.choice(waits), room=room if where is Where.CALENDAR else None, where=where
    )
    await last(world.tenant.faults, seconds, wrong)


@fault("graph.storms")
async def storms(world: World, chance: random.Random, seconds: float) -> None:
    """5xx."""
    where = chance.choice(_OUTER)
    wrong = world.tenant.faults.status(chance.choice((500, 502, 503, 504, 509)), where=where)
    await last(world.tenant.faults, seconds, wrong)


@fault("graph.answers_with_a_page")
async def answers_with_a_page(world: World, chance: random.Random, seconds: float) -> None:
    """502 with HTML; or 200, as a captive portal does."""
    wrong = world.tenant.faults.html(status=chance.choice((200, 502, 502)), where=chance.choice(_OUTER))
    await last(world.tenant.faults, seconds, wrong)


@fault("graph.breaks_off")
async def breaks_off(world: World, chance: random.Random, seconds: float) -> None:
    """JSON that is truncated, or no body at all."""
    faults, room = world.tenant.faults, _room(world, chance)
    what = chance.choice((faults.truncated, faults.empty))
    await last(world.tenant.faults, seconds, what(room=room))


@fault("graph.drops")
async def drops(world: World, chance: random.Random, seconds: float) -> None:
    """The connection is cut in place of an answer."""
    await last(world.tenant.faults, seconds, world.tenant.faults.drop(where=chance.choice(_OUTER)))


@fault("graph.takes_long")
async def takes_long(world: World, chance: random.Random, seconds: float) -> None:
    """Answers come late."""
    wrong = world.tenant.faults.delay(chance.uniform(0.3, 6.0), where=chance.choice(_OUTER))
    await last(world.tenant.faults, seconds, wrong)


@fault("graph.has_wrong_types")
async def has_wrong_types(world: World, chance: random.Random, seconds: float) -> None:
    """JSON of other types than promised."""
    wrong = world.tenant.faults.wrong_types(chance.choice(WRONG_TYPES), room=_room(world, chance))
    await last(world.tenant.faults, seconds, wrong)


@fault("graph.has_bad_events")
async def has_bad_events(world: World, chance: random.Random, seconds: float) -> None:
    """A malformed event among the others."""
    occupying = ("unknown_show_as", "missing_id")
    details = [detail for detail in BAD_EVENTS if detail not in occupying]
    faults = world.tenant.faults
    await last(faults, seconds, faults.bad_event(chance.choice(details), room=_room(world, chance)))


@fault("graph.pages_without_end")
async def pages_without_end(world: World, chance: random.Random, seconds: float) -> None:
    """Each page has a link to another one."""
    await last(
        world.tenant.faults,
        seconds,
        world.tenant.faults.endless(room=_room(world, chance), moving=chance.random() < 0.5),
    )


@fault("batch.is_garbled")
async def batch_is_garbled(world: World, chance: random.Random, seconds: float) -> None:
    """Items are missing, there twice, or of nobody. Out of order they always are."""
    faults = world.tenant.faults
    wrong = [
        one
        for one in (faults.missing_item, faults.duplicate_item, faults.unknown_item)
        if chance.random() < 0.6
    ]
    await last(world.tenant.faults, seconds, *(one() for one in wrong or [faults.missing_item]))


@fault("token.is_refused")
async def token_is_refused(world: World, chance: random.Random, seconds: float) -> None:
    """In mid-flight: once, often, or for good, after which another one is fine."""
    if chance.random() < 0.3:
        world.tenant.expire_tokens(_app(world, chance)[0])
        await asyncio.sleep(0.1)
        return
    await last(
        world.tenant.faults, seconds, world.tenant.faults.token_refused(times=chance.choice((1, 3, None)))
    )


@fault("login.fails")
async def login_fails(world: World, chance: random.Random, seconds: float) -> None:
    """The login host has trouble of its own, just when a token is needed."""
    faults = world.tenant.faults
    where = chance.choice((Where.LOGIN, Where.DISCOVERY))
    wrong = chance.choice(
        (
            lambda: faults.login_error(90033, where=where),
            lambda: faults.html(where=where),
            lambda: faults.drop(where=where),
            lambda: faults.delay(5.0, where=where),
            lambda: faults.throttled(where=where, retry_after="1e9"),
        )
    )()
    for app in (world.group_app, world.listed_app):
        world.tenant.expire_tokens(app)
    await last(world.tenant.faults, seconds, wrong)


@fault("answers.have_no_end", longest=3.0)
async def answers_have_no_end(world: World, chance: random.Random, seconds: float) -> None:
    """Of Graph or of the login, just when a token is needed: gzip of half a GiB."""
    where = chance.choice((*_OUTER[:2], Where.GROUPS, Where.LOGIN, Where.DISCOVERY))
    wrong = world.tenant.faults.bomb(where=where)
    if where in (Where.LOGIN, Where.DISCOVERY):
        for app in (world.group_app, world.listed_app):
            world.tenant.expire_tokens(app)
    await last(world.tenant.faults, seconds, wrong)


# --- the administrator ---


def _app(world: World, chance: random.Random) -> tuple[App, tuple[str, ...]]:
    """A registration and its rooms."""
    return chance.choice(((world.group_app, world.group_rooms), (world.listed_app, world.listed_rooms)))


@fault("credential.expires", "registration")
async def credential_expires(world: World, chance: random.Random, seconds: float) -> None:
    """It is renewed at the end."""
    app, rooms = _app(world, chance)
    before = list(app.secrets)
    app.secrets = [replace(secret, expires=world.tenant.now() - timedelta(days=1)) for secret in app.secrets]
    world.tenant.expire_tokens(app)
    try:
        async with world.unreadable(*rooms):
            await asyncio.sleep(seconds)
    finally:
        app.secrets = before


@fault("consent.is_revoked", "registration")
async def consent_is_revoked(world: World, chance: random.Random, seconds: float) -> None:
    """It is granted again at the end."""
    app, rooms = _app(world, chance)
    before = dict(app.roles)
    which = chance.choice((["Calendars.Read"], list(before)))
    world.tenant.revoke(app, *which)
    try:
        async with world.unreadable(*rooms):
            await asyncio.sleep(seconds)
    finally:
        app.roles = before


@fault("group.permission_is_revoked", "registration")
async def group_permission_is_revoked(world: World, chance: random.Random, seconds: float) -> None:
    """The rooms that are known can be read all the same."""
    del chance
    before = dict(world.group_app.roles)
    world.tenant.revoke(world.group_app, "GroupMember.Read.All")
    try:
        await asyncio.sleep(seconds)
    finally:
        world.group_app.roles = before


@fault("room.is_forbidden", "a room")
async def room_is_forbidden(world: World, chance: random.Random, seconds: float) -> None:
    """One room is."""
    room = chance.choice(world.all_rooms)
    wrong = world.tenant.faults.forbidden(room=room)
    async with world.unreadable(room):
        await last(world.tenant.faults, seconds, wrong)


@fault("room.is_deleted", "a room")
async def room_is_deleted(world: World, chance: random.Random, seconds: float) -> None:
    """Its mailbox is not found; it is restored at the end, as an administrator may for 30 days."""
    room = chance.choice(world.all_rooms)
    world.tenant.set_state(room, chance.choice((MailboxState.ON_PREMISES, MailboxState.UNDISCOVERABLE)))
    try:
        async with world.unreadable(room):
            await asyncio.sleep(seconds)
    finally:
        world.tenant.set_state(room, MailboxState.ACTIVE)


@fault("group.loses_rooms", "a room", longest=10.0)
async def group_loses_rooms(world: World, chance: random.Random, seconds: float) -> None:
    """Some rooms leave the group, and with it the fence, and come back."""
    rooms = chance.sample(world.group_rooms, chance.randint(1, len(world.group_rooms)))
    for room in rooms:
        world.tenant.remove_member("placed-rooms", room)
    try:
        async with world.unreadable(*rooms):
            await asyncio.sleep(seconds)
    finally:
        for room in rooms:
            world.tenant.add_member("placed-rooms", room)


@fault("group.gains_a_room", "another room", shortest=4.0, longest=10.0)
async def group_gains_a_room(world: World, chance: random.Random, seconds: float) -> None:
    """A new room, which is gone at the end, mailbox and all."""
    del chance
    name = f"new-{world.clock.steady():.0f}"
    # By default Exchange takes the mark of private meetings off.
    world.tenant.add_room(name, processing=UNTOUCHED)
    world.tenant.add_member("placed-rooms", name)
    world.note()
    try:
        await asyncio.sleep(seconds)
    finally:
        world.tenant.remove_room(name)
        world.truth.close(name, world.clock.elapsed())
