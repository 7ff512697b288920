"""What is asked of a calendar's text, and what was found in it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from placed.domain.model import Meeting


class Window(msgspec.Struct, frozen=True):
    """Asks for the meetings of one room that overlap [since, until).

    Attributes:
        since: in UTC.
        until: in UTC.
        zone: the room's; times without a zone and all-day meetings are in it.
        address: the room's own e-mail address, by which its ATTENDEE is found; None if unknown.
        details: whether titles and organizers are wanted. If not, they are not even parsed.
        bookings: whether `Meeting.created_at` is wanted.
        zone_is_default: whether nobody has set `zone`, so that the calendar's own counts for
            all-day meetings.
    """

    since: datetime
    until: datetime
    zone: ZoneInfo
    address: str | None
    details: bool
    bookings: bool = False
    zone_is_default: bool = False


class Contents(msgspec.Struct, frozen=True):
    """What a calendar's text contains.

    Attributes:
        meetings: those that overlap the window, in the order of their starts.
        digest: of what decides about the meetings. It does not change with DTSTAMP.
        events: number of VEVENT and VFREEBUSY components, those included that cannot be in the window.
        newest: newest DTSTAMP, LAST-MODIFIED or CREATED of the body, in UTC.
        last_end: latest known end of a single event, in UTC: how far the calendar is published.
        exrules: number of obsolete exception rules, which are ignored: the room counts as occupied.
        zone: IANA name of the time zone that the calendar states as its own (X-WR-TIMEZONE).
    """

    meetings: tuple[Meeting, ...]
    digest: bytes
    events: int
    newest: datetime | None
    last_end: datetime | None
    exrules: int
    zone: str | None = None
