"""The rules of no-shows: (meeting, what is known of its check-in window, moment) -> why it stays. Pure.

A meeting to which nobody has checked in is released only if all of this is known:

- It still runs, and it was the room's current meeting from its start until now.
- This process has watched from the meeting's start until now without a gap.
- The calendar was read less than a minute ago, and the room is neither unknown nor stale.
- Nobody has checked in, and nobody has used a panel of the room.
- There was a way to check in from the start until now.
- Sensors in the room, if there are any, have found it empty all the time.
- No other meeting has run in the room since the start: people in it may belong to either.
- It is not exempt, and what decides that is known.
- Fewer than `at_most` meetings were released in the last hour, and the lease is held.

What is not known counts as a reason against it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from placed.domain.model import Meeting, ShowAs
from placed.domain.occupancy import occupies
from placed.domain.presence import Presence, PresenceState, Sensor, SensorKind, SensorState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from placed.domain.occupancy import Policy
    from placed.driver.action_settings import NoShowExemptions, NoShowSettings

# After the window, before it is judged: a command may be on its way for 30 s, and after 33 s a panel that
# has lost its power does not count as connected any more.
SETTLES = timedelta(seconds=45)
FRESH = timedelta(seconds=60)  # the greatest age of a reading of the calendar
LATE = timedelta(seconds=5)  # by which a beginning may be noticed after the start
ONE_HOUR = timedelta(hours=1)
_ENOUGH_SENSORS = 2  # sensors of any kind that together are enough to find a room empty


class Obstacle(StrEnum):
    """Why a meeting is not released; the one that explains most comes first."""

    CHECKED_IN = "checked_in"
    EXEMPT = "exempt"
    PRESENCE = "presence"  # somebody has used a panel, or sensors did not find the room empty all the time
    PRESENCE_UNKNOWN = "presence_unknown"  # a sensor does not report
    NO_WAY_TO_CHECK_IN = "no_way_to_check_in"
    NOT_WATCHED = "not_watched"  # this process or the room's statement began after the start, or had a gap
    CONFLICT = "conflict"  # another meeting runs or ran beside it
    NOT_READ = "not_read"  # the room is unknown or stale, or its calendar was not read just now
    OVER = "over"  # it has ended, or is no more
    TOO_MANY = "too_many"  # `at_most` is reached
    STANDBY = "standby"  # another instance acts


_MAY_COME = frozenset({Obstacle.NOT_READ, Obstacle.NO_WAY_TO_CHECK_IN})


class Facts(msgspec.Struct, frozen=True):
    """What is known at `moment`, after the check-in window.

    Attributes:
        meeting: which nobody may have checked in to.
        others: the other meetings of the room, as read.
        checked_in: whether somebody has checked in, or counts as if; None if it is not known.
        watched_since: since when this process has watched without a gap.
        current_since: since when the room's statements show this meeting as current; None if they do not.
        way_since: since when somebody can check in without a gap, apart from sensors; None if nobody can.
        used_at: when somebody last used a panel of the room; None if nobody did.
        read_at: when the calendar was last read; None if it is not known, or the room is unknown or stale.
        presence: by the room's sensors; None if it has none.
        sensors: of the room, with what is known of each.
        may_have_sensors: whether it has a sensor, or one may still be found by its messages.
        sensors_since: since when everything that sensors send arrives without a gap; None if it does not.
        released: how many meetings were released in the last hour.
        leads: whether this instance may act.
    """

    moment: datetime
    meeting: Meeting
    others: tuple[Meeting, ...]
    checked_in: bool | None
    watched_since: datetime
    current_since: datetime | None
    way_since: datetime | None
    used_at: datetime | None
    read_at: datetime | None
    presence: Presence | None
    sensors: tuple[tuple[Sensor, SensorState], ...]
    may_have_sensors: bool
    sensors_since: datetime | None
    released: int
    leads: bool = True


def judged_at(meeting: Meeting, after: timedelta) -> datetime:
    """When it is judged whether a meeting is a no-show; `after` is the check-in window after the start."""
    return meeting.start + after + SETTLES


def may_still_change(
    found: Collection[Obstacle], meeting: Meeting, after: timedelta, moment: datetime
) -> bool:
    """Whether to judge again soon: what is missing is a reading, which may come."""
    late = judged_at(meeting, after) + after
    return moment < min(late, meeting.end) and set(found) <= _MAY_COME


def obstacles(
    facts: Facts, after: timedelta, settings: NoShowSettings, policy: Policy
) -> tuple[Obstacle, ...]:
    """Returns everything that speaks against a release; nothing if the meeting may be released."""
    return tuple(_obstacles(facts, after, settings, policy))


def _obstacles(
    facts: Facts, after: timedelta, settings: NoShowSettings, policy: Policy
) -> Iterator[Obstacle]:
    meeting, moment = facts.meeting, facts.moment
    if facts.checked_in is not False:
        yield Obstacle.CHECKED_IN
    if is_exempt(meeting, settings.exempt):
        yield Obstacle.EXEMPT
    yield from _by_presence(facts)
    if not _since_start(facts.way_since, meeting) and not _sensors_were_a_way(
        facts, after, settings.release_by
    ):
        yield Obstacle.NO_WAY_TO_CHECK_IN
    watched = _since_start(facts.watched_since, meeting) and _since_start(facts.current_since, meeting)
    if not watched or moment < judged_at(meeting, after):
        yield Obstacle.NOT_WATCHED
    if any(_runs_beside(other, meeting, moment, policy) for other in facts.others):
        yield Obstacle.CONFLICT
    if facts.read_at is None or not timedelta() <= moment - facts.read_at < FRESH:
        yield Obstacle.NOT_READ
    if not meeting.start <= moment < meeting.end or not occupies(meeting, policy):
        yield Obstacle.OVER
    if facts.released >= settings.at_most:
        yield Obstacle.TOO_MANY
    if not facts.leads:
        yield Obstacle.STANDBY


def is_exempt(meeting: Meeting, exempt: NoShowExemptions) -> bool:
    """Whether a meeting is never released; it is if that depends on something that is not known."""
    if meeting.all_day and exempt.all_day:
        return True
    if meeting.private and exempt.private:
        return True
    if exempt.longer_than is not None and meeting.end - meeting.start > exempt.longer_than:
        return True
    if exempt.booked_within is not None:
        booked_at = meeting.created_at
        if booked_at is None or booked_at > meeting.start - exempt.booked_within:
            return True
    return meeting.show_as is ShowAs.UNRECOGNISED


def can_find_empty(sensors: Iterable[Sensor], release_by: Collection[SensorKind]) -> bool:
    """Whether these sensors are enough to call a room empty that has no panel.

    People who sit still are not seen by every sensor: it takes one of a kind in `release_by`, or two of any.
    """
    kinds = [sensor.kind for sensor in sensors]
    return len(kinds) >= _ENOUGH_SENSORS or any(kind in release_by for kind in kinds)


def _by_presence(facts: Facts) -> Iterator[Obstacle]:
    presence = facts.presence
    known = presence is not None and presence.state is not PresenceState.UNKNOWN
    used = facts.used_at is not None and facts.used_at >= facts.meeting.start
    if used or (known and not _is_empty_since_start(facts)):
        yield Obstacle.PRESENCE
    if not facts.may_have_sensors:
        return
    if not known or not _since_start(facts.sensors_since, facts.meeting):
        yield Obstacle.PRESENCE_UNKNOWN


def _is_empty_since_start(facts: Facts) -> bool:
    presence = facts.presence
    return (
        presence is not None
        and presence.state is PresenceState.EMPTY
        and presence.since <= facts.meeting.start
    )


def _sensors_were_a_way(facts: Facts, after: timedelta, release_by: Collection[SensorKind]) -> bool:
    """Whether sensors could check in all the time, and were able to notice everybody.

    While a room is known as empty, none of its sensors is stale. Yet one that is not stale may report only
    every now and then, or have stopped: a sensor counts if it has measured since the end of the window, or if
    its device is reported to be there.
    """
    end = facts.meeting.start + after
    count = [sensor for sensor, state in facts.sensors if _reports(sensor, state, end, release_by)]
    checks_in = any(sensor.check_in for sensor in count)
    return checks_in and can_find_empty(count, release_by) and _is_empty_since_start(facts)


def _reports(sensor: Sensor, state: SensorState, end: datetime, release_by: Collection[SensorKind]) -> bool:
    if not state.available:
        return False
    # The availability of a device with a battery, as most of the other kinds have, may be a day old.
    if state.availability_heard and sensor.kind in release_by:
        return True
    return state.last is not None and not state.last.of_unknown_age and state.last.at >= end


def _since_start(since: datetime | None, meeting: Meeting) -> bool:
    return since is not None and since <= meeting.start + LATE


def _runs_beside(other: Meeting, meeting: Meeting, moment: datetime, policy: Policy) -> bool:
    if (other.key, other.start, other.end) == (meeting.key, meeting.start, meeting.end):
        return False
    return occupies(other, policy) and other.start < moment and other.end > meeting.start
