"""The state document of a room, schema 1, as JSON for panels, pages and building systems."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from placed.domain.model import Occupancy, Room
from placed.domain.presence import Presence, use_of
from placed.domain.privacy import permitted
from placed.domain.timestamps import timestamp, timestamp_or_none

if TYPE_CHECKING:
    from placed.domain.model import CheckIn, Meeting
    from placed.domain.privacy import Show

SCHEMA = 1

_LONGEST = 255  # characters of a title or a name, as long as calendar programs allow
# Control characters end lines and strings; the others reverse the direction of the text around them.
_UNSEEMLY: dict[int, str | None] = {
    **dict.fromkeys((*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029), " "),
    **dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A))),
}

_encode = msgspec.json.Encoder().encode


class Statement(msgspec.Struct, frozen=True, gc=False):
    """An occupancy, and its document, encoded once for all who publish it.

    (epoch, seq) orders all statements of the program; epoch grows with each start of the daemon.
    """

    room: Room
    occupancy: Occupancy
    changed_at: datetime
    epoch: int
    seq: int
    document: bytes
    presence: Presence | None = None  # as it may be shown; None for a room without sensors
    had_presence: bool = False  # whether an earlier statement of the room had one


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
    presence: dict[str, Any] | None = None
    use: str | None = None
    check_in: dict[str, str] | None = None


def presence_document(presence: Presence, valid_until: datetime) -> dict[str, Any]:
    """A presence; one that is unknown is valid as long as the statement."""
    return {
        "state": presence.state.value,
        "count": presence.count,
        "since": timestamp(presence.since),
        "valid_until": timestamp(presence.valid_until or valid_until),
    }


def check_in_document(check_in: CheckIn) -> dict[str, str]:
    """A check-in: to the meeting that starts at `meeting`, in [from, until)."""
    return {
        "state": check_in.state.value,
        "meeting": timestamp(check_in.meeting),
        "from": timestamp(check_in.opens),
        "until": timestamp(check_in.closes),
    }


def meeting_document(meeting: Meeting, show: Show) -> dict[str, Any]:
    """A meeting with the texts that may be shown; a private one shows its times only."""
    shown = permitted(meeting, show)
    return {
        "start": timestamp(meeting.start),
        "end": timestamp(meeting.end),
        "title": _line(shown.title),
        "organizer": _line(shown.organizer),
        "private": meeting.private,
        "all_day": meeting.all_day,
    }


def _line(text: str | None) -> str | None:
    """Returns a title or a name as one line, cut if it is too long."""
    if not text:
        return None
    line = " ".join(text[: 4 * _LONGEST].translate(_UNSEEMLY).split())
    return (line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…") or None


def state_document(  # noqa: PLR0913 - what a statement is made of
    room: Room,
    occupancy: Occupancy,
    *,
    changed_at: datetime,
    epoch: int,
    seq: int,
    show: Show,
    presence: Presence | None = None,
) -> bytes:
    """Returns the document of a room's occupancy and presence, UTF-8 JSON."""
    use = use_of(occupancy.status, presence.state) if presence is not None else None
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
            presence=presence_document(presence, occupancy.valid_until) if presence is not None else None,
            use=use.value if use is not None else None,
            check_in=check_in_document(occupancy.check_in) if occupancy.check_in is not None else None,
        )
    )
