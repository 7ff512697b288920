"""Detects events in a room by comparing what was known before and after. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from placed.domain.model import Meeting, Reason, Status
from placed.domain.occupancy import occupies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from placed.domain.check_in_rules import RoomCheckIns
    from placed.domain.model import Occupancy, Schedule
    from placed.domain.occupancy import Policy

_RELEASED_FROM, _RELEASED_UNTIL = timedelta(minutes=8), timedelta(minutes=15)  # after a meeting's start


class EventKind(StrEnum):
    """The kinds of events."""

    STARTED = "started"
    ENDED = "ended"
    MOVED = "moved"
    CANCELLED = "cancelled"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    RECOVERED = "recovered"
    BOOKED_EMPTY = "booked_empty"  # booked, and nobody has been there for some minutes
    RELEASED_BY_SERVICE = "released_by_service"  # checked in to, and gone as where a service releases rooms
    UNBOOKED_USE = "unbooked_use"  # somebody has been there for some minutes without a booking
    NO_SHOW = "no_show"  # nobody has checked in, so the room was released, or would have been


class Event(msgspec.Struct, frozen=True):
    """An event in a room.

    Attributes:
        before: the former time of a moved meeting.
        rehearsal: of a no-show: whether the room was not released, but would have been.
        strikes: of a no-show: to how many meetings of its series in a row nobody has come; None if it has no
            series.
    """

    happening: EventKind
    at: datetime
    meeting: Meeting | None = None
    before: Meeting | None = None
    rehearsal: bool | None = None
    strikes: int | None = None


def events_between(before: Occupancy, after: Occupancy, at: datetime) -> Iterator[Event]:
    """Returns the events between one occupancy and the next.

    A room that is read for the first time has not recovered, and a running meeting did not start now.
    """
    if after.status is Status.UNKNOWN:
        if before.status is not Status.UNKNOWN:
            yield Event(EventKind.UNKNOWN, at)
        return
    if before.status is Status.UNKNOWN:
        if before.reason is not Reason.NOT_READ_YET:
            yield Event(EventKind.RECOVERED, at)
        return
    were, are = _by_identity(_running(before)), _by_identity(_running(after))
    ended = [meeting for identity, meeting in were.items() if identity not in are]
    started = [meeting for identity, meeting in are.items() if identity not in were]
    for meeting in ended:
        if meeting.end <= at and not any(_goes_on(meeting, other) for other in started):
            yield Event(EventKind.ENDED, at, meeting)
    for meeting in started:
        if not any(_goes_on(other, meeting) for other in ended):
            yield Event(EventKind.STARTED, at, meeting)
    if after.conflicts and not before.conflicts:
        yield Event(EventKind.CONFLICT, at, after.conflicts[0])


def rescheduled(before: Schedule, after: Schedule, at: datetime, policy: Policy) -> Iterator[Event]:
    """Returns which future or running meetings were moved or cancelled between two readings.

    Meetings outside of the last window were not requested, so they were not cancelled.
    """
    old, now = _by_identity(before.meetings), _by_identity(after.meetings)
    elsewhere: dict[str, list[Meeting]] = {}  # by key, meetings that were not at such a time before
    for identity, meeting in now.items():
        if identity not in old:
            elsewhere.setdefault(meeting.key, []).append(meeting)
    for identity, meeting in old.items():
        found = now.get(identity)
        if found == meeting:  # as nearly all are, so the rules run only for meetings that have changed
            continue
        if meeting.end <= at or not occupies(meeting, policy):
            continue
        if meeting.start >= after.until or meeting.end <= after.since:
            continue
        if found is None and elsewhere.get(meeting.key):
            found = elsewhere[meeting.key].pop(0)
        if found is None or not occupies(found, policy):
            yield Event(EventKind.CANCELLED, at, meeting)
        elif (found.start, found.end) != (meeting.start, meeting.end):
            yield Event(EventKind.MOVED, at, found, meeting)


def released_by_service(events: Iterable[Event], check_ins: RoomCheckIns) -> Iterator[Event]:
    """Returns the events, where a meeting that was checked in to and vanished is not called cancelled.

    A calendar service that releases rooms by itself does so some ten minutes after a meeting's start, and
    knows no check-ins but its own.
    """
    for event in events:
        meeting = event.meeting
        released = (
            event.happening is EventKind.CANCELLED
            and meeting is not None
            and _RELEASED_FROM <= event.at - meeting.start <= _RELEASED_UNTIL
            and check_ins.was_checked_in(meeting)
        )
        yield replace(event, happening=EventKind.RELEASED_BY_SERVICE) if released else event


def _running(occupancy: Occupancy) -> tuple[Meeting, ...]:
    return (occupancy.current, *occupancy.conflicts) if occupancy.current else occupancy.conflicts


def _by_identity(meetings: Iterable[Meeting]) -> dict[tuple[str, datetime, datetime], Meeting]:
    """Groups meetings by key and times, since a service may give several meetings one key."""
    return {(meeting.key, meeting.start, meeting.end): meeting for meeting in meetings}


def _goes_on(before: Meeting, after: Meeting) -> bool:
    """Returns whether a running meeting is the other one, only longer, shorter or slightly shifted."""
    return before.key == after.key and before.start < after.end and after.start < before.end
