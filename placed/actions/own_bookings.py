"""What panels have booked, and how far the meeting that runs can be extended. Pure.

A statement does not show which of two meetings that follow each other is an extension of the other. So what
was booked is remembered here, by its times: an extension can be extended at once, before it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.command_sink import Extension
from placed.domain.occupancy import occupies

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, timedelta

    from placed.domain.model import Meeting, Schedule
    from placed.domain.occupancy import Policy

Times = tuple["datetime", "datetime"]


class OwnBookings:
    """The start and end of what was booked at the panel of each room, until it is over."""

    def __init__(self) -> None:
        self._times: dict[str, set[Times]] = {}

    def note(self, room_id: str, start: datetime, end: datetime, now: datetime) -> None:
        """Remembers a booking; forgets those of the room that are over for long enough."""
        known = self._times.get(room_id, set())
        oldest = now - (end - start)  # an extension may follow on it
        self._times[room_id] = {times for times in known if times[1] >= oldest} | {(start, end)}

    def of(self, room_id: str) -> Collection[Times]:
        """Returns what was booked in a room."""
        return self._times.get(room_id, ())


def extension_of(
    schedule: Schedule, own: Collection[Times], now: datetime, policy: Policy, longest: timedelta
) -> Extension | None:
    """Returns how the meeting that runs can be extended; None if none runs, or another one follows at once.

    Args:
        schedule: what was read of the room.
        own: what was booked at the room's panel.
        now: the time.
        policy: which meetings occupy the room.
        longest: the limit of a booking with all its extensions; of a person's meeting of the extensions.
    """
    meetings = sorted(
        (m for m in schedule.meetings if occupies(m, policy)), key=lambda m: (m.start, -m.end.timestamp())
    )
    current = next((m for m in meetings if m.start <= now < m.end), None)
    if current is None or current.all_day:
        return None
    extensions = _following(current, meetings, own)
    begin = extensions[-1].end if extensions else current.end
    others = [m for m in meetings if m.end > begin and m is not current and m not in extensions]
    counted_from = _first_of(current, meetings, own) if _times(current) in own else current.end
    until = min([counted_from + longest, *(m.start for m in others)])
    return Extension(current.start, begin, until) if until > begin else None


def _following(current: Meeting, meetings: Sequence[Meeting], own: Collection[Times]) -> list[Meeting]:
    """The extensions of a meeting, each from the end of the one before."""
    found, end = [], current.end
    for meeting in meetings:
        if meeting.start == end and _times(meeting) in own:
            found.append(meeting)
            end = meeting.end
    return found


def _first_of(current: Meeting, meetings: Sequence[Meeting], own: Collection[Times]) -> datetime:
    """When the booking began that `current` extends."""
    start = current.start
    for meeting in reversed(meetings):
        if meeting.end == start and _times(meeting) in own:
            start = meeting.start
    return start


def _times(meeting: Meeting) -> Times:
    return meeting.start, meeting.end
