"""What happened in a room, told by comparing what was known of it before and after. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from placed.model import Meeting, Reason, Status
from placed.occupancy import occupies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed.model import Occupancy, Schedule
    from placed.occupancy import Policy


class Happening(StrEnum):
    """The kinds of events."""

    STARTED = "started"
    ENDED = "ended"
    MOVED = "moved"
    CANCELLED = "cancelled"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    RECOVERED = "recovered"


class Event(msgspec.Struct, frozen=True):
    """Something happened in a room; `before` is where a moved meeting was."""

    happening: Happening
    at: datetime
    meeting: Meeting | None = None
    before: Meeting | None = None


def happened(before: Occupancy, after: Occupancy, at: datetime) -> Iterator[Event]:
    """What the step from one occupancy to the next means to people.

    A room that is read for the first time has not recovered, and what already runs in it did not start now.
    """
    if after.status is Status.UNKNOWN:
        if before.status is not Status.UNKNOWN:
            yield Event(Happening.UNKNOWN, at)
        return
    if before.status is Status.UNKNOWN:
        if before.reason is not Reason.NOT_READ_YET:
            yield Event(Happening.RECOVERED, at)
        return
    running_before, running_after = _running(before), _running(after)
    for key, meeting in running_before.items():
        if key not in running_after and meeting.end <= at:
            yield Event(Happening.ENDED, at, meeting)
    for key, meeting in running_after.items():
        if key not in running_before:
            yield Event(Happening.STARTED, at, meeting)
    if after.conflicts and not before.conflicts:
        yield Event(Happening.CONFLICT, at, after.conflicts[0])


def rescheduled(before: Schedule, after: Schedule, at: datetime, policy: Policy) -> Iterator[Event]:
    """Which meetings that were not over were moved or cancelled between two readings.

    What lies outside of the window that was read last was not asked for, and so was not cancelled.
    """
    now = {meeting.key: meeting for meeting in after.meetings}
    for meeting in before.meetings:
        found = now.get(meeting.key)
        if found == meeting:  # as nearly all are, so the rules are asked about no more than have changed
            continue
        if meeting.end <= at or not occupies(meeting, policy):
            continue
        if meeting.start >= after.until or meeting.end <= after.since:
            continue
        if found is None or not occupies(found, policy):
            yield Event(Happening.CANCELLED, at, meeting)
        elif (found.start, found.end) != (meeting.start, meeting.end):
            yield Event(Happening.MOVED, at, found, meeting)


def _running(occupancy: Occupancy) -> dict[str, Meeting]:
    running = (occupancy.current, *occupancy.conflicts) if occupancy.current else occupancy.conflicts
    return {meeting.key: meeting for meeting in running}
