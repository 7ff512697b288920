"""Bodies of calendars for tests, and what is read in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed.domain.model import Meeting, ShowAs
from placed_icalendar.occurrences.calendar_reader import CalendarReader, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_icalendar.occurrences.calendar_reader import Contents

BERLIN = ZoneInfo("Europe/Berlin")
SINCE = datetime(2026, 11, 29, 23, tzinfo=UTC)  # Monday, 30 November, in Berlin
UNTIL = datetime(2026, 12, 6, 23, tzinfo=UTC)
NINE = ("DTSTART;TZID=Europe/Berlin:20261202T090000", "DTEND;TZID=Europe/Berlin:20261202T100000")
AT_NINE = ("2026-12-02 08:00", "2026-12-02 09:00")


def event(*lines: str, uid: str | None = "meeting@rooms.example") -> tuple[str, ...]:
    return ("BEGIN:VEVENT", *([] if uid is None else [f"UID:{uid}"]), *lines, "END:VEVENT")


def calendar(*components: Sequence[str], head: Sequence[str] = ()) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *head]
    for component in components:
        lines += component
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()


def window(  # noqa: PLR0913 - as many as a window has
    since: datetime = SINCE,
    until: datetime = UNTIL,
    zone: ZoneInfo = BERLIN,
    *,
    address: str | None = None,
    details: bool = True,
    bookings: bool = False,
    zone_is_default: bool = False,
) -> Window:
    return Window(since, until, zone, address, details, bookings=bookings, zone_is_default=zone_is_default)


async def contents(*bodies: bytes, asked: Window | None = None) -> Contents:
    found = await CalendarReader(worker=False).read(bodies, asked or window())
    assert found is not None
    return found


async def meetings(*bodies: bytes, asked: Window | None = None) -> list[Meeting]:
    return list((await contents(*bodies, asked=asked)).meetings)


async def meeting(*lines: str, asked: Window | None = None) -> Meeting:
    """The only meeting of a calendar with one event at nine."""
    (found,) = await meetings(calendar(event(*NINE, *lines)), asked=asked)
    return found


def times(found: Sequence[Meeting]) -> list[tuple[str, str]]:
    """Start and end in UTC of those that occupy the room."""
    return [
        (f"{meeting.start:%Y-%m-%d %H:%M}", f"{meeting.end:%Y-%m-%d %H:%M}")
        for meeting in found
        if not meeting.cancelled and not meeting.declined and meeting.show_as is not ShowAs.FREE
    ]


async def occupied(*bodies: bytes, asked: Window | None = None) -> list[tuple[str, str]]:
    return times(await meetings(*bodies, asked=asked))
