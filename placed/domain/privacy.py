"""Which texts of a meeting may be shown. Pure.

The rest of a meeting's texts is removed before the meeting is stored, published or served.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import ShowPresence
from placed.domain.presence import shown_count

if TYPE_CHECKING:
    from placed.domain.model import Meeting, Room, Schedule
    from placed.domain.presence import Presence


class Show(StrEnum):
    """What is shown of a meeting beside its times."""

    NOTHING = "nothing"
    ORGANIZER = "organizer"
    TITLE = "title"
    EVERYTHING = "everything"


_TITLE = frozenset({Show.TITLE, Show.EVERYTHING})
_ORGANIZER = frozenset({Show.ORGANIZER, Show.EVERYTHING})


def permitted(meeting: Meeting, show: Show) -> Meeting:
    """The meeting without the texts that may not be shown; a private meeting keeps neither of them."""
    if meeting.title is None and meeting.organizer is None:
        return meeting
    title = meeting.title if show in _TITLE and not meeting.private else None
    organizer = meeting.organizer if show in _ORGANIZER and not meeting.private else None
    if title is meeting.title and organizer is meeting.organizer:
        return meeting
    return replace(meeting, title=title, organizer=organizer)


def permitted_schedule(schedule: Schedule, show: Show) -> Schedule:
    """The same for all meetings of a schedule; the identical object if nothing has to be removed."""
    meetings = tuple([permitted(meeting, show) for meeting in schedule.meetings])
    same = all(one is other for one, other in zip(meetings, schedule.meetings, strict=True))
    return schedule if same else replace(schedule, meetings=meetings)


def permitted_presence(presence: Presence, room: Room, show: ShowPresence) -> Presence | None:
    """The presence as it may be shown of a room; None if nothing may.

    In a room with a single seat a presence is a person, so it is shown only if that room's settings allow it.
    A count is at most the number of seats.
    """
    wanted = _presence_of(room, show)
    if wanted is ShowPresence.NOTHING:
        return None
    count = shown_count(presence.count, room.capacity) if wanted is ShowPresence.COUNT else None
    return replace(presence, count=count)


def shows_presence(room: Room, show: ShowPresence) -> bool:
    """Whether any presence of a room may be shown."""
    return _presence_of(room, show) is not ShowPresence.NOTHING


def _presence_of(room: Room, show: ShowPresence) -> ShowPresence:
    return room.show_presence or (ShowPresence.NOTHING if room.capacity == 1 else show)
