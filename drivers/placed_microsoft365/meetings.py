"""From an event of Graph to a meeting."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from xxhash import xxh3_64_hexdigest

from placed.model import Meeting, ShowAs, whole_days

if TYPE_CHECKING:
    from placed_microsoft365.wire import Event

_SHOW_AS = {show_as.value: show_as for show_as in ShowAs}
_PRIVATE = frozenset({"personal", "private", "confidential"})


def meeting_of(event: Event, room_zone: ZoneInfo) -> Meeting:
    """The meeting that an event is, in the room's own time.

    Raises:
        ValueError: its times are not to be understood.
    """
    if event.is_all_day:
        # These come as midnights of their dates, whatever zone was asked for; they mean the room's own.
        first, after = _naive(event.start.date_time).date(), _naive(event.end.date_time).date()
        start, end = whole_days(first, after, room_zone)
    else:
        start = _utc(event.start.date_time, event.start.time_zone)
        end = _utc(event.end.date_time, event.end.time_zone)
    organizer = (
        event.organizer.email_address.name if event.organizer and event.organizer.email_address else None
    )
    return Meeting(
        key=_key(event.id),
        start=start,
        end=end,
        show_as=_SHOW_AS.get(event.show_as or "", ShowAs.UNRECOGNISED),
        cancelled=bool(event.is_cancelled),
        declined=event.response_status is not None and event.response_status.response == "declined",
        private=event.sensitivity in _PRIVATE,
        all_day=bool(event.is_all_day),
        title=_title(event.subject, organizer),
        organizer=organizer or None,
    )


def _key(graph_id: str) -> str:
    """Stands for an id of 150 characters, of which a room has many.

    Up to 15 characters take 64 bytes of memory, and 16 take 80.
    """
    return xxh3_64_hexdigest(graph_id.encode())[1:]


def _title(subject: str | None, organizer: str | None) -> str | None:
    """The subject without the organizer's name.

    By default Exchange deletes the subject of what a room accepts and writes the organizer's name in its
    place (Set-CalendarProcessing: DeleteSubject, AddOrganizerToSubject). A name is no title, and who may see
    titles may not see names by that.
    """
    if not subject:
        return None
    title = subject.strip()
    name = (organizer or "").strip()
    if name and (title == name or title.startswith(f"{name} ")):
        title = title.removeprefix(name).strip()
    return title or None


def _naive(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


@lru_cache(maxsize=10_000)
def _utc(date_time: str, time_zone: str) -> datetime:
    """One moment for all meetings that begin or end at it, which most do with many others."""
    parsed = datetime.fromisoformat(date_time)
    if parsed.tzinfo is None and time_zone in ("UTC", "tzone://Microsoft/Utc"):
        return parsed.replace(tzinfo=UTC)
    if parsed.tzinfo is None:
        try:
            parsed = parsed.replace(tzinfo=ZoneInfo(time_zone))
        except (ZoneInfoNotFoundError, OSError):
            raise ValueError("a time zone that was not asked for") from None
    return parsed.astimezone(UTC)
