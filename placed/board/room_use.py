"""How a room is used, by its calendar and its sensors, and when that is an event. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from placed.domain.calendar_event_detection import Event, EventKind
from placed.domain.presence import Use, use_of

if TYPE_CHECKING:
    from datetime import timedelta

    from placed.domain.model import Occupancy
    from placed.domain.presence import Presence

_EVENTS = {Use.BOOKED_EMPTY: EventKind.BOOKED_EMPTY, Use.UNBOOKED: EventKind.UNBOOKED_USE}
_REMEMBERED = 8  # the last occasions of a room that were events; calendars change back and forth

Occasion = tuple[str, "datetime"] | EventKind  # a meeting by its key and start, or use without a booking


class UseSince(msgspec.Struct, frozen=True, gc=False):
    """How a room is used, on which occasion, and when that becomes an event.

    `event_at` is None if it does not become one, or has been one. `announced` are the occasions that were.
    """

    use: Use | None
    occasion: Occasion | None
    event_at: datetime | None
    announced: tuple[Occasion, ...] = ()

    def clock_was_set(self, by: timedelta) -> UseSince:
        """Returns the same by a clock that was set by so much."""
        if self.event_at is None:
            return self
        return UseSince(self.use, self.occasion, self.event_at + by, self.announced)


def use_and_events(
    before: UseSince | None,
    occupancy: Occupancy,
    presence: Presence | None,
    hold: timedelta,
    moment: datetime,
) -> tuple[UseSince | None, tuple[Event, ...]]:
    """Returns how a room is used at `moment`, and the event that this is now.

    A meeting to which nobody comes, and use without a booking, are events when they have lasted for `hold`.
    A meeting is one event at most. Use without a booking is another one only after the room was known to be
    booked or empty.
    """
    if presence is None:
        return None, ()
    use = use_of(occupancy.status, presence.state)
    kind = _EVENTS.get(use) if use is not None else None
    meeting = occupancy.current if use is Use.BOOKED_EMPTY else None
    occasion = (meeting.key, meeting.start) if meeting is not None else kind
    if before is not None and (before.use, before.occasion) == (use, occasion):
        if kind is None or occasion is None or before.event_at is None or moment < before.event_at:
            return before, ()
        announced = (*before.announced, occasion)[-_REMEMBERED:]
        return UseSince(use, occasion, None, announced), (Event(kind, moment, meeting),)
    announced = before.announced if before is not None else ()
    if use not in (None, Use.UNBOOKED):
        announced = tuple([other for other in announced if other is not EventKind.UNBOOKED_USE])
    is_news = occasion is not None and occasion not in announced
    return UseSince(use, occasion, moment + hold if is_news else None, announced), ()


def is_new_presence(before: Presence | None, now: Presence | None) -> bool:
    """Whether a presence differs from the one that was published, or ends earlier than that."""
    if before is None or now is None:
        return before is not now
    if (before.state, before.count, before.since) != (now.state, now.count, now.since):
        return True
    ends_before, ends_now = before.valid_until, now.valid_until
    return ends_before is not None and ends_now is not None and ends_now < ends_before
