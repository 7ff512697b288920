"""The rules of presence: (sensors, their latest readings, moment) -> presence, and its next edge. Pure.

- A sensor reports present or empty. What it does not report is unknown, never empty.
- A level sensor (radar, counter, thermal, contact) holds its last `true` until it reports `false` or is
  stale; it is empty once it was `false` for `hold`. The `true` of a PIR holds for `hold`: after that the
  sensor is empty if it has reported `false` since, and unknown if not, as people who sit still are not seen.
- A sensor is unknown if it has not reported for `stale_after`, or while it is unavailable.
- A retained message of unknown age holds a `true` for `hold`. It is no reason to call a room empty.
- In a room with several sensors one present sensor is enough for present; empty needs all of them to be
  known and empty; otherwise the room is unknown.
- Counts: the largest of the sensors of a zone, summed over zones, which do not overlap.
- Presence never changes a room's status. Beside the status it shows how the room is used.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from placed.domain.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

FUTURE_TOLERANCE = timedelta(minutes=2)  # a reading from further in the future is ignored
SHORTEST_STALE_AFTER = timedelta(minutes=10)
LONGEST_GAP = timedelta(minutes=10)  # without a look at the sensors, after which a presence is a new one
LONGEST_STALE_AFTER = timedelta(hours=25)  # as zigbee2mqtt waits for a battery-powered device


class PresenceState(StrEnum):
    """Whether somebody is in a room."""

    PRESENT = "present"
    EMPTY = "empty"
    UNKNOWN = "unknown"


class Use(StrEnum):
    """How a room is used, by its status and its presence."""

    USED = "used"  # booked, and somebody is there
    BOOKED_EMPTY = "booked_empty"
    UNBOOKED = "unbooked"  # somebody is there without a booking
    EMPTY = "empty"


class SensorKind(StrEnum):
    """What a sensor measures with; it decides how long a reading holds."""

    PIR = "pir"
    RADAR = "radar"
    COUNTER = "counter"
    THERMAL = "thermal"
    CONTACT = "contact"


class SensorCondition(StrEnum):
    """Whether a sensor reports."""

    REPORTING = "reporting"
    SILENT = "silent"  # no reading for `stale_after`, or none yet
    UNAVAILABLE = "unavailable"  # its device is reported to be away


DEFAULT_HOLD = {
    SensorKind.PIR: timedelta(minutes=10),
    SensorKind.RADAR: timedelta(minutes=1),
    SensorKind.COUNTER: timedelta(minutes=2),
    SensorKind.THERMAL: timedelta(minutes=2),
    SensorKind.CONTACT: timedelta(minutes=1),
}


class Sensor(msgspec.Struct, frozen=True):
    """A sensor in one room, and how its readings are judged."""

    name: str  # unique in its room: the sensor's name in the settings, with the device where it has several
    kind: SensorKind = SensorKind.PIR
    hold: timedelta = DEFAULT_HOLD[SensorKind.PIR]
    stale_after: timedelta | None = None  # None: three times the longest interval between its readings
    zone: str = ""  # part of the room; zones do not overlap
    check_in: bool = False  # whether somebody whom it notices is checked in to the room's meeting


class Reading(msgspec.Struct, frozen=True):
    """What a sensor measured at a moment."""

    present: bool
    at: datetime  # when it was measured, or else when it arrived
    count: int | None = None
    of_unknown_age: bool = False  # a retained message that does not state when it was measured


class SensorState(msgspec.Struct, frozen=True):
    """What is known of a sensor from its readings and its availability."""

    available: bool = True
    availability_heard: bool = False  # whether it was reported; without a report it counts as available
    last: Reading | None = None
    present_at: datetime | None = None  # the last moment at which somebody was there by its readings
    longest_interval: timedelta = timedelta()  # between two readings


class Presence(msgspec.Struct, frozen=True):
    """The presence of a room since when, and until when that may be believed.

    `valid_until` is None where nothing that is known ends by itself: an unknown presence.
    """

    state: PresenceState
    since: datetime
    valid_until: datetime | None = None
    count: int | None = None


class PresenceJudgement(msgspec.Struct, frozen=True):
    """A presence, and the next moment at which it may change by itself; None if it does not."""

    presence: Presence
    change: datetime | None = None


class IgnoredReading(StrEnum):
    """Why a reading is not used."""

    FROM_THE_FUTURE = "from_the_future"
    OUT_OF_ORDER = "out_of_order"
    OF_UNKNOWN_AGE = "of_unknown_age"


def why_ignored(state: SensorState, reading: Reading, moment: datetime) -> IgnoredReading | None:
    """Returns why a reading that arrives at `moment` cannot be used; None if it can."""
    if reading.at > moment + FUTURE_TOLERANCE:
        return IgnoredReading.FROM_THE_FUTURE
    last = state.last
    if last is not None and (reading.of_unknown_age or (reading.at < last.at and not last.of_unknown_age)):
        return IgnoredReading.OUT_OF_ORDER
    if reading.of_unknown_age and not reading.present:
        return IgnoredReading.OF_UNKNOWN_AGE
    return None


def with_reading(sensor: Sensor, state: SensorState, reading: Reading, moment: datetime) -> SensorState:
    """Returns the state after a reading that `why_ignored` lets pass. The sensor is available again."""
    reading = replace(reading, at=min(reading.at, moment))
    last, longest = state.last, state.longest_interval
    if last is not None and not last.of_unknown_age:
        longest = max(longest, reading.at - last.at)
    present_at = state.present_at
    if reading.present:
        present_at = reading.at
    elif last is not None and last.present and sensor.kind is not SensorKind.PIR and not last.of_unknown_age:
        present_at = min(reading.at, last.at + stale_after(sensor, state))  # a level holds until it changes
    heard = state.availability_heard and state.available  # a reading contradicts the last report
    return SensorState(
        available=True,
        availability_heard=heard,
        last=reading,
        present_at=present_at,
        longest_interval=longest,
    )


def stale_after(sensor: Sensor, state: SensorState) -> timedelta:
    """Returns how long a sensor may be silent before it is unknown."""
    if sensor.stale_after is not None:
        return sensor.stale_after
    return min(max(SHORTEST_STALE_AFTER, 3 * state.longest_interval), LONGEST_STALE_AFTER)


def condition_of(sensor: Sensor, state: SensorState, moment: datetime) -> SensorCondition:
    """Returns whether a sensor reports at `moment`."""
    if not state.available:
        return SensorCondition.UNAVAILABLE
    silent = state.last is None or moment >= state.last.at + stale_after(sensor, state)
    return SensorCondition.SILENT if silent else SensorCondition.REPORTING


def sensor_presence(
    sensor: Sensor, state: SensorState, moment: datetime
) -> tuple[PresenceState, datetime | None]:
    """Returns what one sensor states at `moment`, and until when; no end where it is unknown."""
    last = state.last
    if last is None or not state.available:
        return PresenceState.UNKNOWN, None
    stale = last.at + stale_after(sensor, state)
    held = stale if state.present_at is None else min(state.present_at + sensor.hold, stale)
    if moment >= stale:
        return PresenceState.UNKNOWN, None
    if last.present:
        if last.of_unknown_age or sensor.kind is SensorKind.PIR:
            return (PresenceState.PRESENT, held) if moment < held else (PresenceState.UNKNOWN, None)
        return PresenceState.PRESENT, stale
    if state.present_at is not None and moment < held:
        return PresenceState.PRESENT, held
    return PresenceState.EMPTY, stale


def room_presence(
    sensors: Iterable[tuple[Sensor, SensorState]], moment: datetime, before: Presence | None
) -> PresenceJudgement:
    """Returns the presence of a room with at least one sensor.

    Args:
        sensors: the sensors of the room, with what is known of them.
        moment: the moment that is asked about.
        before: the presence until now, whose `since` stays while the state is the same.
    """
    judged = [(sensor, state, *sensor_presence(sensor, state, moment)) for sensor, state in sensors]
    ends = [until for *_, until in judged if until is not None]
    present = [until for *_, word, until in judged if word is PresenceState.PRESENT and until is not None]
    if present:
        word, valid_until = PresenceState.PRESENT, max(present)
    elif judged and all(word is PresenceState.EMPTY for _, _, word, _ in judged):
        word, valid_until = PresenceState.EMPTY, min(ends)
    else:
        word, valid_until = PresenceState.UNKNOWN, None
    since = before.since if before is not None and before.state is word else moment
    presence = Presence(word, since, valid_until, None if word is PresenceState.UNKNOWN else _count(judged))
    return PresenceJudgement(presence, min(ends, default=None))


def continue_earlier(
    judgement: PresenceJudgement | None, earlier: Presence | None, moment: datetime
) -> tuple[PresenceJudgement | None, Presence | None]:
    """Returns a presence with the `since` of an earlier run of the program, if it continues that.

    It does if the first presence that is known after the start is the same, before the earlier one ends. The
    second value is the earlier presence as long as none is known.
    """
    if earlier is None or earlier.valid_until is None or moment >= earlier.valid_until:
        return judgement, None
    if judgement is None or judgement.presence.state is PresenceState.UNKNOWN:
        return judgement, earlier
    presence = judgement.presence
    if presence.state is not earlier.state or earlier.since > moment:
        return judgement, None
    return replace(judgement, presence=replace(presence, since=earlier.since)), None


def _count(judged: list[tuple[Sensor, SensorState, PresenceState, datetime | None]]) -> int | None:
    """Returns how many people are in the room; None if no sensor that is known counts them.

    It is None also where not every zone is counted now: a smaller number would be wrong.
    """
    zones: dict[str, int] = {}
    uncounted: set[str] = set()
    for sensor, state, word, _ in judged:
        count = state.last.count if state.last is not None else None
        if word is PresenceState.UNKNOWN or count is None:
            uncounted.add(sensor.zone)
        else:
            zones[sensor.zone] = max(zones.get(sensor.zone, 0), count)
    if not zones or uncounted - zones.keys():
        return None
    return sum(zones.values())


def shown_count(count: int | None, capacity: int | None) -> int | None:
    """Returns the count as it may be shown: at most the number of seats, if that is known."""
    if count is None or not capacity:
        return count
    return min(count, capacity)


def use_of(status: Status, presence: PresenceState | None) -> Use | None:
    """Returns how a room is used; None if its status or its presence is not known."""
    if presence is None or presence is PresenceState.UNKNOWN or status is Status.UNKNOWN:
        return None
    booked = status in (Status.BUSY, Status.PENDING)
    if presence is PresenceState.PRESENT:
        return Use.USED if booked else Use.UNBOOKED
    return Use.BOOKED_EMPTY if booked else Use.EMPTY
