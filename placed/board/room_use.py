"""How a room is used, by its calendar and its sensors, and when that is an event. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.presence import Use, use_of
from placed.domain.room_event_detection import Event, EventKind

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from placed.domain.model import Meeting, Occupancy
    from placed.domain.presence import Presence
    from placed.domain.state_document import Statement

_EVENTS = {Use.BOOKED_EMPTY: EventKind.BOOKED_EMPTY, Use.UNBOOKED: EventKind.UNBOOKED_USE}


@dataclass(frozen=True, slots=True)
class UseSince:
    """How a room is used, by which meeting, and when that becomes an event.

    `event_at` is None if it does not become one, or has been one.
    """

    use: Use | None
    meeting: Meeting | None
    event_at: datetime | None


def use_and_events(
    before: UseSince | None, statement: Statement, hold: timedelta, moment: datetime
) -> tuple[UseSince | None, tuple[Event, ...]]:
    """Returns how a room is used at `moment`, and the event that this is now.

    A meeting to which nobody comes, and use without a booking, are events when they have lasted for `hold`.
    """
    presence, occupancy = statement.presence, statement.occupancy
    if presence is None:
        return None, ()
    use = use_of(occupancy.status, presence.state)
    kind = _EVENTS.get(use) if use is not None else None
    meeting = occupancy.current if use is Use.BOOKED_EMPTY else None
    if before is None or before.use is not use or not _is_same(before.meeting, meeting):
        return UseSince(use, meeting, moment + hold if kind is not None else None), ()
    if kind is None or before.event_at is None or moment < before.event_at:
        return before, ()
    return UseSince(use, meeting, None), (Event(kind, moment, meeting),)


def _is_same(one: Meeting | None, other: Meeting | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.key, one.start) == (other.key, other.start)


def is_new_presence(before: Presence | None, now: Presence | None) -> bool:
    """Whether a presence differs from the one that was published, or ends earlier than that."""
    if before is None or now is None:
        return before is not now
    if (before.state, before.count, before.since) != (now.state, now.count, now.since):
        return True
    ends_before, ends_now = before.valid_until, now.valid_until
    return ends_before is not None and ends_now is not None and ends_now < ends_before


def valid_with(occupancy: Occupancy, presence: Presence | None) -> Occupancy:
    """Returns the occupancy, valid for no longer than the presence that is published with it."""
    if presence is None or presence.valid_until is None or presence.valid_until >= occupancy.valid_until:
        return occupancy
    return replace(occupancy, valid_until=presence.valid_until)
