"""Converts an occurrence of an event to a meeting: what its properties mean for the room."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from placed.domain.model import Meeting, ShowAs
from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.calendar_text.times import read_time

if TYPE_CHECKING:
    from datetime import tzinfo

    from placed_icalendar.calendar_text.content_line import ContentLine
    from placed_icalendar.calendar_text.event import Event
    from placed_icalendar.occurrences.contents import Window
    from placed_icalendar.occurrences.event_series import NamedOccurrence

BUSY_STATUS = "X-MICROSOFT-CDO-BUSYSTATUS"

# [MS-OXCICAL] 2.1.3.1.1.20.31; the values with their usual meaning in free/busy.
_BUSY_STATUSES = {
    "FREE": ShowAs.FREE,
    "TENTATIVE": ShowAs.TENTATIVE,
    "BUSY": ShowAs.BUSY,
    "OOF": ShowAs.OOF,
    "WORKINGELSEWHERE": ShowAs.WORKING_ELSEWHERE,
}
_STATUSES = (None, "", "CONFIRMED", "TENTATIVE", "CANCELLED")
_NOT_YET_ACCEPTED = ("NEEDS-ACTION", "TENTATIVE")
# What Exchange publishes as titles where a calendar's DetailLevel is AvailabilityOnly.
_AVAILABILITY = frozenset({"busy", "free", "tentative", "away", "out of office", "working elsewhere"})
_ROOM = "ROOM"  # a RESOURCE may be a projector, and what that declines does not free the room
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def meeting_of(named: NamedOccurrence, window: Window) -> Meeting:
    """Converts an occurrence to a meeting, with keys in full length."""
    event, interval = named.occurrence.event, named.occurrence.interval
    part = _own_part(event, window.address)
    title, organizer, hidden = _details(event, window) if window.details else (None, None, False)
    return Meeting(
        key=named.key,
        # Times of the years 1 and 9999 could not be converted to every zone.
        start=min(max(interval.start, _EARLIEST), _LATEST),
        end=min(max(interval.end, _EARLIEST), _LATEST),
        show_as=_show_as(event, part),
        cancelled=_is(event, "STATUS", "CANCELLED"),
        declined=part == "DECLINED",
        private=hidden or _is_private(event),
        all_day=event.dated,
        title=title,
        organizer=organizer,
        created_at=_created(event.facts.get("CREATED")) if window.bookings else None,
        series=named.series,
    )


def _is(event: Event, name: str, value: str) -> bool:
    return (event.value(name) or "").upper() == value


def _show_as(event: Event, part: str | None) -> ShowAs:
    """How an event shows in free/busy.

    Exchange publishes a tentative meeting as TRANSP:OPAQUE with BUSYSTATUS:TENTATIVE, and knows more than the
    two values of TRANSP, so BUSYSTATUS goes first. A value that is not known, or not unique, occupies.
    """
    shown: ShowAs | None = None
    if BUSY_STATUS in event.doubtful:
        return ShowAs.UNRECOGNISED
    status = event.value(BUSY_STATUS)
    if status:
        shown = _BUSY_STATUSES.get(status.upper(), ShowAs.UNRECOGNISED)
    elif "TRANSP" in event.doubtful:
        return ShowAs.UNRECOGNISED
    else:
        transparency = (event.value("TRANSP") or "OPAQUE").upper()
        if transparency == "TRANSPARENT":
            shown = ShowAs.FREE
        elif transparency != "OPAQUE":
            shown = ShowAs.UNRECOGNISED
    if shown not in (None, ShowAs.BUSY):
        return shown
    if "STATUS" in event.doubtful or (event.value("STATUS") or "").upper() not in _STATUSES:
        return ShowAs.UNRECOGNISED
    if part in _NOT_YET_ACCEPTED or _is(event, "STATUS", "TENTATIVE"):
        return ShowAs.TENTATIVE
    return ShowAs.BUSY


def _own_part(event: Event, address: str | None) -> str | None:
    """PARTSTAT of the attendee that is the room; None if it is not known, or not among the attendees.

    It is the one with the room's address. Where that is not known, it is the only one that is a room.
    """
    if address is not None:
        own = [attendee for attendee in event.attendees if _address(attendee) == address.casefold()]
    else:
        own = [
            attendee for attendee in event.attendees if attendee.parameters.get("CUTYPE", "").upper() == _ROOM
        ]
    parts = {attendee.parameters.get("PARTSTAT", "NEEDS-ACTION").upper() for attendee in own}
    return parts.pop() if len(own) == 1 or (address is not None and len(parts) == 1) else None


def _address(line: ContentLine) -> str:
    """The e-mail address of an attendee or organizer: of `mailto:`, else of EMAIL (RFC 7986)."""
    scheme, colon, address = line.value.strip().partition(":")
    if colon and scheme.casefold() == "mailto":
        return address.casefold()
    return line.parameters.get("EMAIL", "").casefold()


def _is_private(event: Event) -> bool:
    """Every value of CLASS but PUBLIC counts as private, known or not (RFC 5545, section 3.8.1.3)."""
    return "CLASS" in event.doubtful or (event.value("CLASS") or "PUBLIC").upper() != "PUBLIC"


def _details(event: Event, window: Window) -> tuple[str | None, str | None, bool]:
    """Title and organizer; and whether the calendar publishes no details of the event."""
    organizer = event.facts.get("ORGANIZER")
    name = None
    if organizer is not None and _address(organizer) != (window.address or "").casefold():
        name = organizer.parameters.get("CN", "").strip() or None
    summary = event.facts.get("SUMMARY")
    title = None if summary is None else summary.text.strip()
    if organizer is None and title is not None and title.casefold() in _AVAILABILITY:
        return None, None, True
    return title or None, name, False


def _created(line: ContentLine | None) -> datetime | None:
    """When it was booked; None if that is not stated, or no time in UTC."""
    if line is None:
        return None
    try:
        time = read_time(line, _no_zone)
    except Malformed:
        return None
    return None if time.zone is not UTC else time.wall.replace(tzinfo=UTC)


def _no_zone(line: ContentLine, _name: str) -> tzinfo:
    raise line.malformed("a time that has to be in UTC is in a time zone")
