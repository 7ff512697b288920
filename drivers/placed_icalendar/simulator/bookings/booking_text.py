"""Bookings as iCalendar text: CRLF, folded at 75 bytes, texts escaped (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from placed_icalendar.simulator.bookings.booking_store import Moment, StoredBooking

PRODUCT = "-//placed//simulated calendar server//EN"
_FOLD = 75  # bytes of a line


def object_text(booking: StoredBooking, room: str | None = None) -> str:
    """One object of a CalDAV collection: a booking with its overrides.

    Args:
        booking: the booking.
        room: the room's address, as the attendee whose response the booking has.
    """
    return booking.raw if booking.raw is not None else feed_text([booking], room)


def feed_text(bookings: Iterable[StoredBooking], room: str | None = None, *head: str) -> str:
    """A whole calendar with these bookings.

    Args:
        bookings: those that have no text of their own.
        room: see `object_text`.
        head: further lines before the events, such as X-WR-TIMEZONE.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", *head]
    for booking in bookings:
        lines += _event(booking, room)
        for override in booking.overrides:
            lines += override.splitlines()
    lines.append("END:VCALENDAR")
    return "".join(f"{fold(line)}\r\n" for line in lines)


def time_of(moment: Moment) -> str:
    """A time in UTC, or a date."""
    if isinstance(moment, datetime):
        return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f"{moment:%Y%m%d}"


def fold(line: str) -> str:
    """Folds a line, never within a character."""
    pieces, piece, size = [], "", 0
    for character in line:
        width = len(character.encode())
        if size + width > _FOLD:
            pieces.append(piece)
            piece, size = " ", 1
        piece += character
        size += width
    return "\r\n".join([*pieces, piece])


def _event(booking: StoredBooking, room: str | None) -> Iterator[str]:
    kind = ";VALUE=DATE" if booking.all_day else ""
    stamp = time_of(booking.changed or booking.start)
    yield "BEGIN:VEVENT"
    yield f"UID:{booking.uid}"
    yield f"DTSTAMP:{stamp}"
    if booking.created is not None:
        yield f"CREATED:{time_of(booking.created)}"
    yield f"SEQUENCE:{booking.sequence}"
    yield f"DTSTART{kind}:{time_of(booking.start)}"
    yield f"DTEND{kind}:{time_of(booking.end)}"
    if booking.rule is not None:
        yield f"RRULE:{booking.rule}"
    yield from booking.more
    yield f"SUMMARY:{_escaped(booking.summary)}"
    if booking.cancelled:
        yield "STATUS:CANCELLED"
    elif booking.show_as == "tentative":
        yield "STATUS:TENTATIVE"
    if booking.show_as == "free":
        yield "TRANSP:TRANSPARENT"
    if booking.private:
        yield "CLASS:PRIVATE"
    if booking.organizer is not None:
        yield f'ORGANIZER;CN="{booking.organizer}":mailto:organizer@simulator.example'
    if booking.response is not None:
        address = room or "room@simulator.example"
        yield f"ATTENDEE;CUTYPE=ROOM;PARTSTAT={booking.response}:mailto:{address}"
    yield "END:VEVENT"


def _escaped(text: str) -> str:
    for character in "\\;,":
        text = text.replace(character, f"\\{character}")
    return text.replace("\n", "\\n")
