"""Checks sign-in, discovery step by step, the calendars in the home, their tags, and the account's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import DriverError, Finding, Refused, Unavailable, Verdict
from placed.driver.shared_findings import AGAIN, blocked
from placed_icalendar.caldav import dav_names as names
from placed_icalendar.caldav.calendar_home import find_home
from placed_icalendar.caldav.calendar_listing import calendars_of, is_calendar
from placed_icalendar.caldav.dav_requests import LISTING, TAGS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from placed_icalendar.caldav.caldav_settings import CalDavSettings
    from placed_icalendar.caldav.calendar_home import CalendarHome, DiscoveryStep
    from placed_icalendar.caldav.calendar_listing import Calendar
    from placed_icalendar.caldav.dav_client import DavClient
    from placed_icalendar.caldav.multistatus import DavResponse

AFTER_SIGN_IN = ("discovery", "calendars", "tags", "privileges")
_FEW = 5  # names in a text
_SHARE = "share the rooms' calendars with the account, for reading"
_CORRECT = "share them with the account, or correct calendars: the last parts of the calendars' addresses"
_NO_TAGS = "nothing has to be done; a longer polling.interval saves the server work"
_READ_ONLY = "share them for reading only: placed never writes"
_LOOK = "look at the server whether the account can only read"
_SCHEDULING = "calendar-auto-schedule"


async def look_at_home(client: DavClient, settings: CalDavSettings) -> AsyncIterator[Finding]:
    """Yields the findings `sign-in` to `privileges`."""
    steps: list[DiscoveryStep] = []
    try:
        home = await find_home(client, steps.append)
    except DriverError as error:
        for finding in _not_found(error, steps, settings):
            yield finding
        return
    yield _signed_in(settings)
    for step in steps:
        yield Finding.of("discovery", Verdict.GOOD, f"{step.asked}: {step.result}")
    try:
        listed, tags, scheduling = await _list(client, home)
    except DriverError as error:
        yield (bad := _bad("calendars", error))
        yield blocked("tags", bad)
        yield blocked("privileges", bad)
        return
    calendars = calendars_of(listed)
    others = sum(is_calendar(one) for one in listed) - len(calendars)
    yield _judge_calendars(calendars, others, settings)
    yield _judge_tags(calendars, tags)
    yield _judge_privileges(_rooms_among(calendars, settings), scheduling=scheduling)


def _not_found(
    error: DriverError, steps: Sequence[DiscoveryStep], settings: CalDavSettings
) -> Iterator[Finding]:
    """Yields the findings where no home was found."""
    if isinstance(error, Refused | Unavailable):
        yield (bad := _bad("sign-in", error))
        yield blocked("discovery", bad)
    else:
        yield _signed_in(settings)
        for step in steps[:-1]:
            yield Finding.of("discovery", Verdict.GOOD, f"{step.asked}: {step.result}")
        where = f"{steps[-1].asked}: " if steps else ""
        remedy = error.problem.remedy or AGAIN
        yield (bad := Finding.of("discovery", Verdict.BAD, f"{where}{error}", remedy))
    for check in AFTER_SIGN_IN[1:]:
        yield blocked(check, bad)


def _signed_in(settings: CalDavSettings) -> Finding:
    if settings.username is None:
        return Finding.of("sign-in", Verdict.GOOD, "none: the settings name no user")
    return Finding.of("sign-in", Verdict.GOOD, f"the server accepts {settings.username}")


async def _list(client: DavClient, home: CalendarHome) -> tuple[list[DavResponse], list[DavResponse], bool]:
    """Returns what is in the homes, the same with tags, and whether the server sends invitations itself.

    Raises:
        DriverError: they cannot be listed.
    """
    listed: list[DavResponse] = []
    tags: list[DavResponse] = []
    scheduling = False
    for path in home.paths:
        reply = await client.ask("PROPFIND", path, LISTING, depth=home.depth)
        listed += await client.multistatus(reply)
        scheduling |= _SCHEDULING in reply.headers.get("DAV", "")
        tags += await client.propfind(path, TAGS, depth=home.depth)
    return listed, tags, scheduling


def _judge_calendars(calendars: Sequence[Calendar], others: int, settings: CalDavSettings) -> Finding:
    also = f"; {others} for other things than events left out" if others else ""
    if not calendars:
        return Finding.of("calendars", Verdict.BAD, f"none in the home{also}", _SHARE)
    there = {calendar.name for calendar in calendars}
    missing = sorted(set(settings.calendars) - there)
    if missing:
        text = f"{_calendars(len(calendars))} in the home; not there: {_some(missing)}{also}"
        return Finding.of("calendars", Verdict.DOUBTFUL, text, _CORRECT)
    beyond = len(there - set(settings.calendars)) if settings.calendars else 0
    further = f", of which {beyond} are no rooms by the settings" if beyond else ""
    return Finding.of("calendars", Verdict.GOOD, f"{_calendars(len(calendars))} in the home{further}{also}")


def _judge_tags(calendars: Sequence[Calendar], tags: Sequence[DavResponse]) -> Finding:
    keys = {calendar.key for calendar in calendars}
    tagged = sum(bool(one.text(names.CTAG) or one.text(names.SYNC_TOKEN)) for one in tags if one.key in keys)
    if tagged < len(keys):
        text = f"{len(keys) - tagged} of {_calendars(len(keys))} have none, and are read in full each time"
        return Finding.of("tags", Verdict.DOUBTFUL, text, _NO_TAGS)
    return Finding.of("tags", Verdict.GOOD, "every calendar has one, and is read only when it changes")


def _judge_privileges(rooms: Sequence[Calendar], *, scheduling: bool) -> Finding:
    also = ""
    if scheduling:
        also = f"; the server has {_SCHEDULING}: its users may see others' free/busy, if it lets them"
    writable = [calendar.name for calendar in rooms if calendar.may_change]
    if writable:
        text = f"the account may change bookings of {_some(writable)}{also}"
        return Finding.of("privileges", Verdict.DOUBTFUL, text, _READ_ONLY)
    if any(calendar.may_read is None for calendar in rooms):
        return Finding.of("privileges", Verdict.DOUBTFUL, f"the server reports none{also}", _LOOK)
    return Finding.of("privileges", Verdict.GOOD, f"reading only{also}")


def _rooms_among(calendars: Sequence[Calendar], settings: CalDavSettings) -> list[Calendar]:
    wanted = settings.calendars
    return [calendar for calendar in calendars if not wanted or calendar.name in wanted]


def _bad(check: str, error: DriverError) -> Finding:
    return Finding.of(check, Verdict.BAD, str(error), error.problem.remedy or AGAIN)


def _calendars(number: int) -> str:
    return "1 calendar" if number == 1 else f"{number:,} calendars"


def _some(found: Sequence[str]) -> str:
    more = f" and {len(found) - _FEW} more" if len(found) > _FEW else ""
    return f"{', '.join(found[:_FEW])}{more}"
