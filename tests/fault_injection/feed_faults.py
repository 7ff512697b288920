"""Faults of feeds: answers that are cut, slow, late, refused or in place of a calendar, and hostile text."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from placed_icalendar.simulator.feed_host import Fault, Kind
from tests.fault_injection.fault_catalogue import fault, last
from tests.fault_injection.feed_calendars import ROOMS
from tests.fault_injection.shortened_timeouts import LONG_LIE, LONGEST_REST

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from tests.fault_injection.environment import World

# Each makes the room malformed, and no room free.
HOSTILE = (
    "RRULE:FREQ=SECONDLY",
    "RRULE:FREQ=MINUTELY",
    "RRULE:FREQ=HOURLY",
    "DTEND;TZID=Middle of Nowhere:{day}T235959",
    "DTEND:soon",
    "END:VCALENDAR",
)


def hostile_text(line: str, now: datetime) -> str:
    """A calendar with one event, which began in the last minute, and in which this line is."""
    day = f"{now:%Y%m%d}"
    lines = ("UID:hostile@simulator.example", f"DTSTAMP:{day}T000000Z", f"DTSTART:{now:%Y%m%dT%H%M}00Z")
    event = ("BEGIN:VEVENT", *lines, line.format(day=day), "END:VEVENT")
    head = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//placed//hostile//EN")
    return "".join(f"{one}\r\n" for one in (*head, *event, "END:VCALENDAR"))


async def _wrong(world: World, seconds: float, *wrong: Fault) -> None:
    faults = world.feeds.publisher.faults
    await last(faults, seconds, *(faults.add(one) for one in wrong))


@fault("feeds.are_cut", "feeds")
async def are_cut(world: World, chance: random.Random, seconds: float) -> None:
    """In the middle, without an answer, or a text that ends too early in a whole answer."""
    kind = chance.choice((Kind.CUT, Kind.DROP, Kind.SHORT, Kind.GARBLED))
    await _wrong(world, seconds, Fault(kind=kind, room=chance.choice((None, *ROOMS))))


@fault("feeds.drip", "feeds", longest=10.0)
async def drip(world: World, chance: random.Random, seconds: float) -> None:
    """A few bytes at a time without an end, or no answer at all; the other rooms go on."""
    kind = chance.choice((Kind.DRIP, Kind.HANG))
    await _wrong(world, seconds, Fault(kind=kind, room=chance.choice((None, *ROOMS))))


@fault("feeds.are_pages", "feeds", longest=14.0)
async def are_pages(world: World, chance: random.Random, seconds: float) -> None:
    """A form for a sign-in, nothing, or more than anybody should unpack, with the status 200."""
    kind = chance.choice((Kind.LOGIN_PAGE, Kind.LOGIN_PAGE, Kind.EMPTY, Kind.BOMB))
    room = chance.choice(ROOMS)
    async with world.unreadable(room):
        await _wrong(world, seconds, Fault(kind=kind, room=room))


@fault("feeds.are_hostile", "feeds", longest=14.0)
async def are_hostile(world: World, chance: random.Random, seconds: float) -> None:
    """A rule without an end, an unknown zone, a time that is none: this room alone, and never free."""
    room = chance.choice(ROOMS)
    async with world.unreadable(room):
        text = hostile_text(chance.choice(HOSTILE), world.clock.now())
        await _wrong(world, seconds, Fault(kind=Kind.TEXT, room=room, detail=text))


@fault("feeds.are_refused", "feeds", longest=12.0)
async def are_refused(world: World, chance: random.Random, seconds: float) -> None:
    """401, 403, 404 or 410, of one room or of all."""
    room = chance.choice((None, *ROOMS))
    status = chance.choice((401, 403, 404, 410))
    wrong = (
        Fault(kind=Kind.LOGIN, room=room)
        if status == 401
        else Fault(kind=Kind.STATUS, room=room, status=status)
    )
    async with world.unreadable(*(ROOMS if room is None else (room,))):
        await _wrong(world, seconds, wrong)


@fault("feeds.throttle", "feeds")
async def throttle(world: World, chance: random.Random, seconds: float) -> None:
    """429 or 503, with a pause that is asked for or without one."""
    pause = chance.choice((None, "2", "30", "soon"))
    status = chance.choice((429, 429, 503, 500))
    room = chance.choice((None, *ROOMS))
    await _wrong(world, seconds, Fault(kind=Kind.STATUS, room=room, status=status, retry_after=pause))


@fault("feeds.redirect", "feeds", longest=14.0)
async def redirect(world: World, chance: random.Random, seconds: float) -> None:
    """To http, to an address with a login, in a circle, or to nobody."""
    room = chance.choice(ROOMS)
    where = chance.choice(
        (
            f"http://localhost:{world.feeds.line.port}/calendar.ics",
            f"https://user:word@localhost:{world.feeds.line.port}/calendar.ics",
            "https://localhost:1/calendar.ics",
            "",
        )
    )
    wrong = (
        Fault(kind=Kind.REDIRECT, room=room, detail=where, status=chance.choice((301, 302, 307, 308)))
        if where
        else Fault(kind=Kind.LOOP, room=room)
    )
    async with world.unreadable(room):
        await _wrong(world, seconds, wrong)


@fault("feeds.publish_late", "feeds", longest=14.0, gentle=True)
async def publish_late(world: World, chance: random.Random, seconds: float) -> None:
    """The host serves what was published some time ago: of what came later nobody can know."""
    publisher = world.feeds.publisher
    publisher.delay = timedelta(seconds=chance.choice((3, 10, 30, 86_400)))
    world.note()
    try:
        await asyncio.sleep(seconds)
    finally:
        publisher.delay = timedelta()


@fault("feeds.claim_no_change", "feeds", shortest=LONG_LIE, longest=1.5 * LONG_LIE, gentle=True)
async def claim_no_change(world: World, chance: random.Random, seconds: float) -> None:
    """304 though there is news, until the driver asks as if for the first time."""
    room = chance.choice(ROOMS[:2])  # the last one has no ETag that is honoured
    async with world.late(LONGEST_REST, room):
        await _wrong(world, seconds, Fault(kind=Kind.STUCK, room=room))


@fault("feeds.show_another_time", "feeds", "time", gentle=True)
async def show_another_time(world: World, chance: random.Random, seconds: float) -> None:
    """A cache in between answers with an old `Date`."""
    del chance
    old = "Thu, 01 Jan 2026 00:00:00 GMT"
    await _wrong(world, seconds, Fault(kind=Kind.DATE, detail=old, age="3600"))


@fault("feeds.line_is_refused", "feeds", longest=20.0)
async def line_is_refused(world: World, chance: random.Random, seconds: float) -> None:
    """The whole host is away, and the other services go on."""
    del chance
    async with world.feeds.line.refused(), world.unreadable(*ROOMS):
        await asyncio.sleep(seconds)
