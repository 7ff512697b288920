"""Converts Graph events to meetings."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from placed.domain.model import Meeting, ShowAs, whole_days
from placed.driver.meetings import more_occupying, short_key, title_without_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from placed_microsoft365.graph.json_structs import DateTimeTimeZone, Event

_SHOW_AS = {show_as.value: show_as for show_as in ShowAs}
_NOT_PRIVATE = (None, "normal")  # every other value, known or not, counts as private
_MIDNIGHT = time()
_DAY = timedelta(days=1)
# When an event was booked, which a calendar view does not select as `createdDateTime`: the extended property
# PidTagCreationTime, of a room's copy the moment at which the room got it. Sources: Microsoft, "List
# calendarView" (createdDateTime does not support $select), "Get singleValueLegacyExtendedProperty" ($expand),
# and [MS-OXPROPS] 2.649, PidTagCreationTime: 0x3007, PtypTime.
_BOOKED_AT = "SystemTime 0x3007"
EXPAND_BOOKED_AT = quote(f"singleValueExtendedProperties($filter=id eq '{_BOOKED_AT}')", safe="$()='")


def meetings_of(events: Iterable[Event], room_zone: ZoneInfo) -> tuple[Meeting, ...]:
    """Converts the events of all pages to meetings without duplicates.

    An event may come twice, on one page, or on two if the pages shift while they are read. It is one meeting
    if both the id and the times are equal. If the times differ, it occupies the room at both until the next
    reading shows which one is right. An event without an id is the same as another one at the same times:
    a meeting is never in conflict with itself.

    Raises:
        ValueError, OverflowError: the times of an event are invalid.
    """
    found: dict[tuple[str, datetime, datetime], Meeting] = {}
    without_id = []
    for event in events:
        if not (event.id and event.id.strip()):
            without_id.append(event)
            continue
        meeting = meeting_of(event, room_zone)
        _add(found, (meeting.key, meeting.start, meeting.end), meeting)
    for event in without_id:
        meeting = meeting_of(event, room_zone)
        place = meeting.key, meeting.start, meeting.end
        _add(found, next((other for other in found if other[1:] == place[1:]), place), meeting)
    return tuple(found.values())


def _add(
    found: dict[tuple[str, datetime, datetime], Meeting],
    place: tuple[str, datetime, datetime],
    meeting: Meeting,
) -> None:
    before = found.get(place)
    found[place] = meeting if before is None else more_occupying(before, meeting)


def meeting_of(event: Event, room_zone: ZoneInfo) -> Meeting:
    """Converts an event to a meeting, in the room's time zone.

    Raises:
        ValueError: its times are invalid.
    """
    if event.is_all_day:
        start, end = whole_days(*_dates(event.start, event.end, room_zone), room_zone)
    else:
        start = _earliest(event.start.date_time, event.start.time_zone)
        end = _latest(event.end.date_time, event.end.time_zone)
        if event.is_all_day is None:
            start, end = _perhaps_days(event, start, end, room_zone)
    organizer = (
        event.organizer.email_address.name if event.organizer and event.organizer.email_address else None
    )
    return Meeting(
        key=short_key((event.id or "").strip() or f"{start.timestamp()}/{end.timestamp()}"),
        start=start,
        end=end,
        show_as=_SHOW_AS.get(event.show_as or "", ShowAs.UNRECOGNISED),
        cancelled=bool(event.is_cancelled),
        declined=event.response_status is not None and event.response_status.response == "declined",
        private=event.sensitivity not in _NOT_PRIVATE,
        all_day=bool(event.is_all_day),
        # Exchange deletes the subject of an accepted meeting and writes the organizer's name in its place, by
        # default (Set-CalendarProcessing: DeleteSubject, AddOrganizerToSubject).
        title=title_without_name(event.subject, organizer),
        organizer=organizer or None,
        created_at=_booked_at(event),
        series=short_key(event.series_master_id) if event.series_master_id else None,
    )


def _booked_at(event: Event) -> datetime | None:
    """Returns when an event was booked; None if the property was not asked for, or is no time."""
    for one in event.single_value_extended_properties or ():
        if one.id.lower() == _BOOKED_AT.lower() and one.value:
            try:
                moment = datetime.fromisoformat(one.value)
            except ValueError:
                return None
            return moment.astimezone(UTC) if moment.tzinfo is not None else None
    return None


def _dates(start: DateTimeTimeZone, end: DateTimeTimeZone, room_zone: ZoneInfo) -> tuple[date, date]:
    """Returns the first day of an all-day event, and the day after its last.

    Its times are midnights, whatever time zone was requested, and mean the room's own. If they have hours,
    the days are extended outwards: by the written time if one of the two is a midnight; by the moment if one
    of the two is a midnight in the room's zone; otherwise by whichever goes further.

    Raises:
        ValueError: it ends before it starts.
    """
    written = _written(start), _written(end)
    if _MIDNIGHT in (written[0].time(), written[1].time()):
        first, after = _outwards(*written)
    else:
        moments = [_earliest(t.date_time, t.time_zone).astimezone(room_zone) for t in (start, end)]
        first, after = _outwards(*moments)
        if _MIDNIGHT not in (moments[0].time(), moments[1].time()):
            one, other = _outwards(*written)
            first, after = min(first, one), max(after, other)
    return first, after


def _perhaps_days(
    event: Event, start: datetime, end: datetime, room_zone: ZoneInfo
) -> tuple[datetime, datetime]:
    """Returns the times of an event without `isAllDay`: between two midnights it may be an all-day event."""
    written = _written(event.start), _written(event.end)
    if {written[0].time(), written[1].time()} != {_MIDNIGHT} or written[0] >= written[1]:
        return start, end
    first, after = whole_days(written[0].date(), written[1].date(), room_zone)
    return min(start, first), max(end, after)


def _outwards(start: datetime, end: datetime) -> tuple[date, date]:
    if end < start:
        raise ValueError("an all-day event ends before it starts")
    after = end.date() if end.time() == _MIDNIGHT else end.date() + _DAY
    return start.date(), max(after, start.date() + _DAY)


def _written(moment: DateTimeTimeZone) -> datetime:
    return datetime.fromisoformat(moment.date_time).replace(tzinfo=None)


# Moments are shared, because most meetings begin or end when many others do. Where clocks change, a time may
# come twice or not at all: it is the earliest moment, or the latest.


@lru_cache(maxsize=10_000)
def _earliest(date_time: str, time_zone: str) -> datetime:
    return min(_moments(date_time, time_zone))


@lru_cache(maxsize=10_000)
def _latest(date_time: str, time_zone: str) -> datetime:
    return max(_moments(date_time, time_zone))


def _moments(date_time: str, time_zone: str) -> list[datetime]:
    """Returns the moments that a time may mean, in UTC."""
    parsed = datetime.fromisoformat(date_time)
    if parsed.tzinfo is not None:
        return [parsed.astimezone(UTC)]
    if time_zone in ("UTC", "tzone://Microsoft/Utc"):
        return [parsed.replace(tzinfo=UTC)]
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError("a time zone that was not requested") from None
    return [parsed.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
