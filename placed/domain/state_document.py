"""The state document of a room, schema 1: what panels, pages and building systems are told, as JSON.

This is the one place where meetings turn into something that leaves the program, so privacy is kept here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from placed.settings.schema import Show

if TYPE_CHECKING:
    from datetime import datetime

    from placed.domain.model import Meeting, Occupancy, Room, Schedule

SCHEMA = 1

_LONGEST = 255  # characters of a title or a name, as Outlook lets people type them
# Control characters end lines and strings; the others turn the text around them back to front.
_UNSEEMLY: dict[int, str | None] = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029), " "),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A))),
}

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Statement:
    """What was said of a room: an occupancy, and its document, encoded once for all who tell it on.

    (epoch, seq) orders all statements of the program; epoch grows with each start of the daemon.
    """

    room: Room
    occupancy: Occupancy
    changed_at: datetime
    epoch: int
    seq: int
    document: bytes


class StateDocument(msgspec.Struct, frozen=True):
    """{"schema":1,"room":"boardroom","name":"Boardroom","status":"busy","occupied":true,...}."""

    schema: int
    room: str
    name: str
    status: str
    occupied: bool | None
    stale: bool
    conflicts: int
    current: dict[str, Any] | None
    next: dict[str, Any] | None
    busy_until: str | None
    free_until: str | None
    changed_at: str
    observed_at: str | None
    valid_until: str
    reason: str | None
    connection: str
    epoch: int
    seq: int


@lru_cache(maxsize=2000)  # many meetings begin at the same moment, and are told of again and again
def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with Z; with milliseconds where the moment has a fraction."""
    text = moment.isoformat()[: -len("+00:00")]
    return f"{text[:-3] if moment.microsecond else text}Z"


def timestamp_or_none(moment: datetime | None) -> str | None:
    """The same, where there may be no moment."""
    return timestamp(moment) if moment else None


def meeting_document(meeting: Meeting, show: Show) -> dict[str, Any]:
    """A meeting as far as privacy lets it be seen; a private one never shows more than its time."""
    hidden = meeting.private
    title, organizer = _line(meeting.title), _line(meeting.organizer)
    return {
        "start": timestamp(meeting.start),
        "end": timestamp(meeting.end),
        "title": title if show in (Show.TITLE, Show.EVERYTHING) and not hidden else None,
        "organizer": organizer if show in (Show.ORGANIZER, Show.EVERYTHING) and not hidden else None,
        "private": meeting.private,
        "all_day": meeting.all_day,
    }


def permitted(meeting: Meeting, show: Show) -> Meeting:
    """The meeting without what may not be shown of it. Nothing else is kept, in memory or on disk."""
    if meeting.title is None and meeting.organizer is None:
        return meeting
    hidden = meeting.private
    title = meeting.title if show in (Show.TITLE, Show.EVERYTHING) and not hidden else None
    organizer = meeting.organizer if show in (Show.ORGANIZER, Show.EVERYTHING) and not hidden else None
    if title is meeting.title and organizer is meeting.organizer:
        return meeting
    return replace(meeting, title=title, organizer=organizer)


def permitted_schedule(schedule: Schedule, show: Show) -> Schedule:
    """The same for all meetings of a schedule; the very same one, if nothing has to be left out."""
    meetings = tuple([permitted(meeting, show) for meeting in schedule.meetings])
    same = all(one is other for one, other in zip(meetings, schedule.meetings, strict=True))
    return schedule if same else replace(schedule, meetings=meetings)


def _line(text: str | None) -> str | None:
    """A title or a name as one line that can be shown anywhere, cut if it is too long."""
    if not text:
        return None
    line = " ".join(text[: 4 * _LONGEST].translate(_UNSEEMLY).split())
    return (line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…") or None


def state_document(  # noqa: PLR0913 - what a statement is made of
    room: Room, occupancy: Occupancy, *, changed_at: datetime, epoch: int, seq: int, show: Show
) -> bytes:
    """The document of a room's occupancy, UTF-8 JSON."""
    return _encode(
        StateDocument(
            schema=SCHEMA,
            room=room.id,
            name=room.name,
            status=occupancy.status.value,
            occupied=occupancy.occupied,
            stale=occupancy.stale,
            conflicts=len(occupancy.conflicts),
            current=meeting_document(occupancy.current, show) if occupancy.current else None,
            next=meeting_document(occupancy.next, show) if occupancy.next else None,
            busy_until=timestamp_or_none(occupancy.busy_until),
            free_until=timestamp_or_none(occupancy.free_until),
            changed_at=timestamp(changed_at),
            observed_at=timestamp_or_none(occupancy.observed_at),
            valid_until=timestamp(occupancy.valid_until),
            reason=occupancy.reason.value if occupancy.reason else None,
            connection=room.connection,
            epoch=epoch,
            seq=seq,
        )
    )
