"""Which meeting somebody in a room is checked in to, by the sensors that may do that. Pure.

Somebody who is there from five minutes before a meeting's start until the end of its window is checked in.
Who has been there since an earlier meeting is not: those are the people of that one. Where several meetings
run beside each other, it is not known to which of them somebody belongs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.occupancy import occupies
from placed.domain.presence import PresenceState, sensor_presence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from placed.domain.model import Meeting
    from placed.domain.occupancy import Policy
    from placed.domain.presence import Presence, Sensor, SensorState

BEFORE = timedelta(minutes=5)  # before the start


def meeting_of_presence(  # noqa: PLR0913 - what it is judged by
    meetings: Iterable[Meeting],
    presence: Presence | None,
    sensors: Iterable[tuple[Sensor, SensorState]],
    *,
    moment: datetime,
    after: timedelta,
    policy: Policy,
) -> Meeting | None:
    """Returns the meeting to check in to; None if there is none, or if nobody is there.

    Args:
        meetings: of the room, as read.
        presence: of the room, by all its sensors.
        sensors: of the room, with what is known of each.
        moment: the time.
        after: how long after its start a meeting can be checked in.
        policy: which meetings occupy the room.
    """
    if presence is None or presence.state is not PresenceState.PRESENT:
        return None
    if not any(
        sensor.check_in and sensor_presence(sensor, state, moment)[0] is PresenceState.PRESENT
        for sensor, state in sensors
    ):
        return None
    occupying = [one for one in meetings if occupies(one, policy)]
    waiting = [one for one in occupying if one.start - BEFORE <= moment <= one.start + after]
    waiting = [one for one in waiting if moment < one.end and not _is_earlier_use(presence, one, occupying)]
    if len(waiting) != 1 or _has_company(waiting[0], occupying, moment):
        return None
    return waiting[0]


def _is_earlier_use(presence: Presence, meeting: Meeting, occupying: Sequence[Meeting]) -> bool:
    """Whether the presence began while an earlier meeting was not over."""
    return any(
        other.end > presence.since and other.start < meeting.start
        for other in occupying
        if other is not meeting
    )


def _has_company(meeting: Meeting, occupying: Sequence[Meeting], moment: datetime) -> bool:
    """Whether another meeting runs beside it, or is about to."""
    return any(
        other.start <= moment + BEFORE and meeting.start < other.end
        for other in occupying
        if other is not meeting
    )
