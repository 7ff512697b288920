"""Whether a booking that was looked at just now may be released, since nobody has checked in to it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.actions.plan import Plan
from placed.domain.action import Refusal
from placed.driver.booking import Release

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.actions.plan import Situation
    from placed.domain.action import Command
    from placed.domain.model import Meeting


def release_plan(
    command: Command, situation: Situation, *, meeting: Meeting, still: Callable[[], bool]
) -> Plan | Refusal:
    """Returns the release of a meeting, if its booking is as the meeting was judged, and is alone.

    Args:
        command: of the program itself.
        situation: the calendar as it is now.
        meeting: as it was judged.
        still: whether everything else is as it was judged.
    """
    named = [
        b for b in situation.bookings if (b.meeting.key, b.meeting.start) == (meeting.key, meeting.start)
    ]
    if not named:
        return Refusal.NO_SUCH_MEETING
    booking = named[0]
    if len(named) > 1 or _as_judged(booking.meeting) != _as_judged(meeting):
        return Refusal.CHANGED
    if not booking.changeable or booking.made_with is not None:
        return Refusal.NOT_ALLOWED
    now, occupying = situation.now, situation.occupying
    if any(b.meeting.start <= now and b.meeting.end > meeting.start for b in occupying if b is not booking):
        return Refusal.CONFLICT
    if booking not in occupying or now >= meeting.end or not still():
        return Refusal.CHANGED
    return Plan((Release(command.key, situation.room, booking, situation.settings.comment),))


def _as_judged(meeting: Meeting) -> tuple[object, ...]:
    """What must not have changed since it was judged; what is read of texts may differ."""
    return (
        meeting.end,
        meeting.show_as,
        meeting.cancelled,
        meeting.declined,
        meeting.private,
        meeting.all_day,
    )
