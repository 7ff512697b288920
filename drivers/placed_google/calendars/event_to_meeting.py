"""Converts events of Google Calendar to meetings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from placed.domain.model import Meeting, ShowAs, whole_days
from placed.driver.meetings import more_occupying, short_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from placed_google.api.json_structs import Attendee, Event

# Weakest first; the roles that see details. A role that is not known, or not reported, is no reason to hide.
SEES_NO_DETAILS = frozenset({"none", "freeBusyReader"})
MAY_WRITE = frozenset({"writerWithoutPrivateAccess", "writer", "owner"})

BAD_TIMES = (ValueError, OverflowError)  # what invalid times and a missing id raise

_CANCELLED = "cancelled"
_DAY = timedelta(days=1)
_NOT_PRIVATE = (None, "default", "public")  # every other value, known or not, counts as private
_STATUSES = (None, "confirmed", "tentative", _CANCELLED)
_RESPONSES = (None, "accepted", "declined", "tentative", "needsAction")
_EVENT_TYPES = {
    None: ShowAs.BUSY,
    "default": ShowAs.BUSY,
    "fromGmail": ShowAs.BUSY,
    "outOfOffice": ShowAs.OOF,
    "focusTime": ShowAs.BUSY,
    "workingLocation": ShowAs.FREE,  # where a person works
    "birthday": ShowAs.FREE,
}


def meetings_of(events: Iterable[Event], role: str | None, zone: ZoneInfo) -> tuple[Meeting, ...]:
    """Converts the events of all pages to meetings without duplicates.

    Args:
        events: as the calendar has them.
        role: of the service account on this calendar, if it is reported.
        zone: in which all-day events have their midnights.

    Raises:
        ValueError, OverflowError: an event has no id, or invalid times.
    """
    hidden = role in SEES_NO_DETAILS
    all_of_them = [meeting_of(event, zone, hidden=hidden) for event in events]
    return distinct([meeting for meeting in all_of_them if meeting is not None])


def distinct(meetings: Sequence[Meeting]) -> tuple[Meeting, ...]:
    """Returns meetings without duplicates: of two with one key and the same times, the more occupying one."""
    if len({meeting.key for meeting in meetings}) == len(meetings):  # nearly always
        return tuple(meetings)
    found: dict[tuple[str, datetime, datetime], Meeting] = {}
    for meeting in meetings:
        place = meeting.key, meeting.start, meeting.end
        before = found.get(place)
        found[place] = meeting if before is None else more_occupying(before, meeting)
    return tuple(found.values())


def meeting_of(event: Event, zone: ZoneInfo, *, hidden: bool = False) -> Meeting | None:
    """Converts an event to a meeting; None for a cancelled one without times.

    Args:
        event: as the calendar has it.
        zone: in which all-day events have their midnights.
        hidden: whether no details of the calendar may be shown.

    Raises:
        ValueError, OverflowError: it has no id, or invalid times.
    """
    cancelled = event.status == _CANCELLED
    first, last = event.start, event.end
    if first is None or last is None:
        if cancelled:
            return None
        raise ValueError("an event has no times")
    if not event.id:
        raise ValueError("an event has no id")
    own = own_attendee(event)
    response = None if own is None else own.response_status
    if first.date is not None and last.date is not None:
        day, after = date.fromisoformat(first.date), date.fromisoformat(last.date)
        if after < day and not cancelled:
            raise ValueError("an all-day event ends before it starts")
        start, end = whole_days(day, max(after, day + _DAY), zone)
    else:
        start, end = _utc(first.date_time), _utc(last.date_time)
    organizer = event.organizer
    return Meeting(
        key=short_key(event.id),
        start=start,
        end=end,
        show_as=_show_as(event.transparency, event.status, response, event.event_type),
        cancelled=cancelled,
        declined=response == "declined",
        private=hidden or event.visibility not in _NOT_PRIVATE,
        all_day=first.date is not None,
        title=None if hidden else ((event.summary or "").strip() or None),
        organizer=None if hidden or organizer is None or organizer.own else organizer.display_name or None,
        created_at=None if event.created is None else _booked_at(event.created),
        series=short_key(event.recurring_event_id) if event.recurring_event_id else None,
    )


def own_attendee(event: Event) -> Attendee | None:
    """Returns the attendee that is the room: `self` and a resource, else `self`.

    None means that the meeting was entered on the room's own calendar, and needs no answer of the room. The
    answers of others do not matter.
    """
    found = None
    for attendee in event.attendees:
        if attendee.own:
            if attendee.resource:
                return attendee
            found = found or attendee
    return found


def lacks_own_answer(event: Event) -> bool:
    """Returns whether others were invited, and their list does not show what the room answered."""
    attendees = event.attendees
    if attendees and attendees[0].own:  # nearly always
        return False
    return bool(attendees or event.attendees_omitted) and own_attendee(event) is None


def _booked_at(created: str) -> datetime | None:
    """Returns when an event was booked; None if that is no time."""
    try:
        return _utc(created)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=1000)
def _show_as(
    transparency: str | None, status: str | None, response: str | None, event_type: str | None
) -> ShowAs:
    """Returns how a meeting occupies; nearly all events have one of a few combinations."""
    if transparency == "transparent":
        return ShowAs.FREE
    if (
        transparency not in (None, "opaque")
        or status not in _STATUSES
        or response not in _RESPONSES
        or event_type not in _EVENT_TYPES
    ):
        return ShowAs.UNRECOGNISED
    if response in ("needsAction", "tentative") or status == "tentative":
        return ShowAs.TENTATIVE
    return _EVENT_TYPES[event_type]


@lru_cache(maxsize=10_000)
def _utc(date_time: str | None) -> datetime:
    """Returns a shared moment, because most meetings begin or end when many others do.

    Raises:
        ValueError: it is no time, or has no offset.
    """
    if date_time is None:
        raise ValueError("an event has no time")
    parsed = datetime.fromisoformat(date_time)
    if parsed.tzinfo is None:
        raise ValueError("a time has no offset")
    return parsed.astimezone(UTC)
