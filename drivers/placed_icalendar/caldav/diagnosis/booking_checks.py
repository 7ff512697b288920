"""Checks, by the calendars' content, titles, private meetings, and whether the server finds all of a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import DriverError, Finding, Verdict
from placed.driver.shared_findings import AGAIN
from placed_icalendar.caldav import dav_names as names
from placed_icalendar.caldav.dav_requests import ALL_EVENTS, calendar_query
from placed_icalendar.caldav.multistatus import responses_of
from placed_icalendar.occurrences.calendar_reader import CalendarReader, Malformed, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.domain.model import Meeting
    from placed.driver import FoundRoom, Surroundings
    from placed_icalendar.caldav.caldav_settings import CalDavSettings
    from placed_icalendar.caldav.dav_client import DavClient

HABITS = ("titles", "private", "time-range")
_AROUND = timedelta(days=14)  # before and after now
_MOST_ROOMS = 10
_SIDE_BY_SIDE = 4
_REPORT = "report it to the makers of the calendar server; until then occupancy may be wrong"


@dataclass(slots=True)
class BookingSample:
    """Counts over the calendars that were read.

    Attributes:
        untitled: meetings without a title, private ones apart.
        lost: meetings that the server leaves out of its answer for a time, though they are in the calendar.
    """

    rooms: int = 0
    meetings: int = 0
    private: int = 0
    untitled: int = 0
    lost: int = 0

    def add(self, meetings: Sequence[Meeting], lost: int) -> None:
        """Adds a room's calendar."""
        self.rooms += 1
        self.meetings += len(meetings)
        self.private += sum(meeting.private for meeting in meetings)
        self.untitled += sum(not meeting.title and not meeting.private for meeting in meetings)
        self.lost += lost


async def look_at_bookings(
    client: DavClient, settings: CalDavSettings, surroundings: Surroundings, rooms: Sequence[FoundRoom]
) -> list[Finding]:
    """Returns the findings `titles`, `private` and `time-range`, from a sample of the rooms."""
    step = max(1, len(rooms) // _MOST_ROOMS)
    seen = BookingSample()
    limit = asyncio.Semaphore(min(_SIDE_BY_SIDE, surroundings.concurrency))
    reader = CalendarReader()
    now = surroundings.now()
    window = Window(now - _AROUND, now + _AROUND, settings.time_zone, None, details=True)

    async def look(room: FoundRoom) -> None:
        async with limit:
            try:
                within = await _read(client, reader, room, window, calendar_query(window.since, window.until))
                whole = await _read(client, reader, room, window, ALL_EVENTS)
            except (DriverError, Malformed):  # the other rooms suffice
                return
        seen.add(whole, len({one.key for one in whole} - {one.key for one in within}))

    try:
        await asyncio.gather(*(look(room) for room in list(rooms[::step])[:_MOST_ROOMS]))
    finally:
        await reader.close()
    if not seen.rooms:
        return [Finding.of(check, Verdict.DOUBTFUL, "no calendar could be read", AGAIN) for check in HABITS]
    return [_titles(seen, details=surroundings.details), _private(seen), _time_range(seen)]


async def _read(
    client: DavClient, reader: CalendarReader, room: FoundRoom, window: Window, body: bytes
) -> Sequence[Meeting]:
    reply = await client.ask("REPORT", room.mailbox, body, depth="1")
    if reply.status != HTTPStatus.MULTI_STATUS:
        raise DriverError("the calendar cannot be read")
    found = [one.properties.get(names.CALENDAR_DATA) for one in await responses_of(reply.body, reply.path)]
    contents = await reader.read([data.text.encode() for data in found if data is not None], window)
    return () if contents is None else contents.meetings


def _titles(seen: BookingSample, *, details: bool) -> Finding:
    if not details:
        return Finding.of("titles", Verdict.GOOD, "not used: privacy.show hides them")
    if not seen.meetings:
        return Finding.of("titles", Verdict.GOOD, _nothing_booked(seen))
    text = f"{seen.untitled} of {_meetings(seen)} have none, private ones apart"
    return Finding.of("titles", Verdict.GOOD, text)


def _private(seen: BookingSample) -> Finding:
    if not seen.meetings:
        return Finding.of("private", Verdict.GOOD, _nothing_booked(seen))
    text = f"{seen.private} of {_meetings(seen)} are marked private; only their times are shown"
    return Finding.of("private", Verdict.GOOD, text)


def _time_range(seen: BookingSample) -> Finding:
    if seen.lost:
        text = f"the server leaves {seen.lost} of {_meetings(seen)} out when it is asked for their time"
        return Finding.of("time-range", Verdict.BAD, text, _REPORT)
    return Finding.of(
        "time-range", Verdict.GOOD, "the server finds every meeting of the time it is asked for"
    )


def _nothing_booked(seen: BookingSample) -> str:
    return f"nothing is booked in {seen.rooms} room(s), so nothing shows it"


def _meetings(seen: BookingSample) -> str:
    return "1 meeting" if seen.meetings == 1 else f"{seen.meetings} meetings"
