"""Faults of a CalDAV server: tags that lie, answers in part, hostile XML, calendars that come and go."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed_icalendar.simulator.caldav_host import DavFault, Kind, Where
from tests.fault_injection.dav_calendars import ROOMS
from tests.fault_injection.fault_catalogue import fault, last
from tests.fault_injection.feed_faults import HOSTILE, hostile_text
from tests.fault_injection.shortened_timeouts import LONG_LIE, LONGEST_REST

if TYPE_CHECKING:
    import random

    from tests.fault_injection.environment import World


async def _wrong(world: World, seconds: float, *wrong: DavFault) -> None:
    faults = world.dav.host.faults
    await last(faults, seconds, *(faults.add(one) for one in wrong))


@fault("dav.one_response_fails", "dav")
async def one_response_fails(world: World, chance: random.Random, seconds: float) -> None:
    """In a multistatus one calendar, or one object of a calendar, has an error of its own."""
    status = chance.choice((401, 403, 404, 429, 500, 503, 507))
    where = chance.choice((Where.HOME, Where.CALENDAR))
    wrong = DavFault(kind=Kind.RESPONSE, where=where, room=chance.choice(ROOMS), status=status)
    await _wrong(world, seconds, wrong)


@fault("dav.tags_stay", "dav", shortest=LONG_LIE, longest=1.5 * LONG_LIE, gentle=True)
async def tags_stay(world: World, chance: random.Random, seconds: float) -> None:
    """Though calendars change: the driver reads all of them now and then."""
    room = chance.choice((None, *ROOMS))
    async with world.late(LONGEST_REST, *(ROOMS if room is None else (room,))):
        await _wrong(world, seconds, DavFault(kind=Kind.FROZEN_TAG, room=room))


@fault("dav.tags_are_odd", "dav", gentle=True)
async def tags_are_odd(world: World, chance: random.Random, seconds: float) -> None:
    """They change each time, are missing, or sync-token is refused with 403, 412 or 507."""
    kind = chance.choice((Kind.RESTLESS_TAG, Kind.NO_TAG, Kind.SYNC_TOKEN))
    status = chance.choice((403, 412, 507))
    room = chance.choice((None, *ROOMS))
    await _wrong(world, seconds, DavFault(kind=kind, room=room, status=status))


@fault("dav.addresses_are_written_oddly", "dav", gentle=True)
async def addresses_are_written_oddly(world: World, chance: random.Random, seconds: float) -> None:
    """Absolute, encoded, or without the slash at the end: the calendars are the same."""
    kind = chance.choice((Kind.ABSOLUTE, Kind.ENCODED, Kind.NO_SLASH))
    await _wrong(world, seconds, DavFault(kind=kind, detail=world.dav.host.url))


@fault("dav.answers_in_part", "dav", longest=14.0)
async def answers_in_part(world: World, chance: random.Random, seconds: float) -> None:
    """Objects are left out with a sign of it, or come without their text, or there are too many."""
    kind = chance.choice((Kind.CUT, Kind.TOO_MANY, Kind.NO_DATA))
    room = chance.choice(ROOMS)
    await _wrong(world, seconds, DavFault(kind=kind, where=Where.CALENDAR, room=room))


@fault("dav.sends_hostile_xml", "dav")
async def sends_hostile_xml(world: World, chance: random.Random, seconds: float) -> None:
    """Entities that expand without an end, a megabyte that nobody asked for, or half an answer."""
    kind = chance.choice((Kind.ENTITIES, Kind.ENTITIES, Kind.HUGE, Kind.TRUNCATED))
    where = Where.CALENDAR if kind is Kind.HUGE else chance.choice((*Where,))
    await _wrong(world, seconds, DavFault(kind=kind, where=where))


@fault("dav.has_hostile_objects", "dav", longest=14.0)
async def has_hostile_objects(world: World, chance: random.Random, seconds: float) -> None:
    """A rule without an end, an unknown zone, a time that is none: this room alone, and never free."""
    room = chance.choice(ROOMS)
    async with world.unreadable(room):
        text = hostile_text(chance.choice(HOSTILE), world.clock.now())
        world.dav.host.store.calendar(room).revision += 1
        await _wrong(world, seconds, DavFault(kind=Kind.EVENT, where=Where.CALENDAR, room=room, detail=text))


@fault("dav.is_out_of_order", "dav")
async def is_out_of_order(world: World, chance: random.Random, seconds: float) -> None:
    """A page, an error, a pause that is asked for, no answer, or a late one."""
    where = chance.choice((*Where,))
    wrong = chance.choice(
        (
            DavFault(kind=Kind.HTML, where=where, status=chance.choice((200, 403, 502))),
            DavFault(kind=Kind.STATUS, where=where, status=chance.choice((500, 503)), retry_after="2"),
            DavFault(kind=Kind.STATUS, where=where, status=429, retry_after=chance.choice((None, "3"))),
            DavFault(kind=Kind.DROP, where=where),
            DavFault(kind=Kind.DELAY, where=where, seconds=chance.choice((0.5, 2.0, 6.0))),
        )
    )
    await _wrong(world, seconds, wrong)


@fault("dav.takes_a_calendar_away", "dav", longest=14.0)
async def takes_a_calendar_away(world: World, chance: random.Random, seconds: float) -> None:
    """It is not shared any more, and then it is again."""
    room = chance.choice(ROOMS)
    account = world.dav.host.account
    async with world.unreadable(room):
        account.unshare(room)
        try:
            await asyncio.sleep(seconds)
        finally:
            account.share(room)


@fault("dav.refuses_the_account", "dav", longest=12.0)
async def refuses_the_account(world: World, chance: random.Random, seconds: float) -> None:
    """401 to everything."""
    del chance
    account = world.dav.host.account
    async with world.unreadable(*ROOMS):
        account.locked = True
        try:
            await asyncio.sleep(seconds)
        finally:
            account.locked = False


@fault("dav.shows_another_time", "dav", "time", gentle=True)
async def shows_another_time(world: World, chance: random.Random, seconds: float) -> None:
    """The server's clock is wrong."""
    del chance
    await _wrong(world, seconds, DavFault(kind=Kind.DATE, detail="Thu, 01 Jan 2026 00:00:00 GMT"))


@fault("dav.line_is_refused", "dav", longest=20.0)
async def line_is_refused(world: World, chance: random.Random, seconds: float) -> None:
    """The whole server is away, and the other services go on."""
    del chance
    async with world.dav.line.refused(), world.unreadable(*ROOMS):
        await asyncio.sleep(seconds)
