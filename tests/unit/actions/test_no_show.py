"""A meeting is released only if everything that has to be known is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from placed.actions.no_show import (
    Facts,
    Obstacle,
    can_find_empty,
    is_exempt,
    judged_at,
    may_still_change,
    obstacles,
)
from placed.domain.model import Meeting, ShowAs
from placed.domain.presence import (
    Presence,
    PresenceState,
    Reading,
    Sensor,
    SensorKind,
    SensorState,
)
from placed.driver.action_settings import NoShowExemptions, NoShowSettings
from tests.support.domain_builders import DAY, POLICY, at, meeting

AFTER = timedelta(minutes=10)
SETTINGS = NoShowSettings(mode="release")
BOOKED = DAY - timedelta(days=3)
STAND_UP = meeting("10:00", "11:00", created_at=BOOKED)
MOMENT = judged_at(STAND_UP, AFTER)
SECOND = timedelta(seconds=1)
RADAR = Sensor("radar", SensorKind.RADAR, check_in=True)
EMPTY = Presence(PresenceState.EMPTY, at("9:40"))


def measured(time: str, *, present: bool = False) -> SensorState:
    return SensorState(last=Reading(present=present, at=at(time)))


BY_PANEL = Facts(
    moment=MOMENT,
    meeting=STAND_UP,
    others=(),
    checked_in=False,
    watched_since=at("8:00"),
    current_since=at("10:00"),
    way_since=at("8:00"),
    used_at=None,
    read_at=MOMENT - 20 * SECOND,
    presence=None,
    sensors=(),
    may_have_sensors=False,
    sensors_since=at("8:00"),
    released=0,
)
BY_SENSOR = replace(
    BY_PANEL,
    way_since=None,
    presence=EMPTY,
    sensors=((RADAR, measured("10:10:20")),),
    may_have_sensors=True,
)
BY_BOTH = replace(BY_SENSOR, way_since=at("8:00"))


def found(facts: Facts, **settings: Any) -> set[Obstacle]:
    return set(obstacles(facts, AFTER, SETTINGS.model_copy(update=settings), POLICY))


def test_a_meeting_is_released_if_everything_holds() -> None:
    assert found(BY_PANEL) == set()
    assert found(BY_SENSOR) == set()
    assert found(BY_BOTH) == set()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"checked_in": True}, Obstacle.CHECKED_IN),
        ({"checked_in": None}, Obstacle.CHECKED_IN),
        ({"meeting": replace(STAND_UP, created_at=None)}, Obstacle.EXEMPT),
        ({"meeting": replace(STAND_UP, private=True)}, Obstacle.EXEMPT),
        ({"presence": replace(EMPTY, state=PresenceState.PRESENT)}, Obstacle.PRESENCE),
        ({"presence": replace(EMPTY, since=at("10:00:01"))}, Obstacle.PRESENCE),
        ({"used_at": at("10:00")}, Obstacle.PRESENCE),
        ({"used_at": MOMENT}, Obstacle.PRESENCE),
        ({"presence": Presence(PresenceState.UNKNOWN, at("9:40"))}, Obstacle.PRESENCE_UNKNOWN),
        ({"presence": None}, Obstacle.PRESENCE_UNKNOWN),
        ({"sensors_since": None}, Obstacle.PRESENCE_UNKNOWN),
        ({"sensors_since": at("10:01")}, Obstacle.PRESENCE_UNKNOWN),
        ({"way_since": None, "sensors": ()}, Obstacle.NO_WAY_TO_CHECK_IN),
        ({"way_since": at("10:01"), "sensors": ()}, Obstacle.NO_WAY_TO_CHECK_IN),
        ({"watched_since": at("10:01")}, Obstacle.NOT_WATCHED),
        ({"current_since": at("10:01")}, Obstacle.NOT_WATCHED),
        ({"current_since": None}, Obstacle.NOT_WATCHED),
        ({"moment": MOMENT - SECOND}, Obstacle.NOT_WATCHED),
        ({"others": (meeting("9:00", "10:30"),)}, Obstacle.CONFLICT),
        ({"others": (meeting("10:05", "10:15"),)}, Obstacle.CONFLICT),
        ({"others": (replace(STAND_UP, key="another"),)}, Obstacle.CONFLICT),
        ({"read_at": None}, Obstacle.NOT_READ),
        ({"read_at": MOMENT - 60 * SECOND}, Obstacle.NOT_READ),
        ({"read_at": MOMENT + SECOND}, Obstacle.NOT_READ),
        ({"meeting": replace(STAND_UP, end=MOMENT)}, Obstacle.OVER),
        ({"meeting": replace(STAND_UP, cancelled=True)}, Obstacle.OVER),
        ({"meeting": replace(STAND_UP, declined=True)}, Obstacle.OVER),
        ({"meeting": replace(STAND_UP, show_as=ShowAs.FREE)}, Obstacle.OVER),
        ({"released": 5}, Obstacle.TOO_MANY),
        ({"leads": False}, Obstacle.STANDBY),
    ],
)
def test_each_condition_alone_keeps_the_meeting(change: dict[str, Any], reason: Obstacle) -> None:
    assert found(replace(BY_BOTH, **change)) == {reason}
    if "way_since" not in change:
        assert reason in found(replace(BY_SENSOR, **change))  # and it is no way to check in, perhaps


def test_meetings_before_and_after_are_no_conflict() -> None:
    beside = (
        meeting("9:00", "10:00"),
        meeting("11:00", "12:00"),
        meeting("10:30", "11:30"),  # begins after the decision
        meeting("10:00", "10:30", declined=True),
        STAND_UP,
    )
    assert found(replace(BY_PANEL, others=beside)) == set()


# --- exemptions ---

EXEMPT = NoShowExemptions()
NOTHING_IS_EXEMPT = NoShowExemptions(longer_than=None, all_day=False, booked_within=None, private=False)


@pytest.mark.parametrize(
    ("one", "exempt"),
    [
        (STAND_UP, False),
        (replace(STAND_UP, end=at("13:00")), False),
        (replace(STAND_UP, end=at("13:00:01")), True),
        (replace(STAND_UP, all_day=True), True),
        (replace(STAND_UP, private=True), True),
        (replace(STAND_UP, created_at=at("8:00")), False),
        (replace(STAND_UP, created_at=at("8:00:01")), True),
        (replace(STAND_UP, created_at=at("10:05")), True),
        (replace(STAND_UP, created_at=None), True),
    ],
)
def test_an_exempt_meeting_is_never_released_unless_the_settings_change_that(
    one: Meeting, *, exempt: bool
) -> None:
    assert is_exempt(one, EXEMPT) is exempt
    assert not is_exempt(one, NOTHING_IS_EXEMPT)


def test_a_meeting_that_shows_as_something_unknown_is_always_exempt() -> None:
    one = replace(STAND_UP, show_as=ShowAs.UNRECOGNISED)
    assert is_exempt(one, NOTHING_IS_EXEMPT)


# --- sensors as the way to check in ---

PIR = Sensor("pir", SensorKind.PIR, check_in=True)
CONTACT = Sensor("door", SensorKind.CONTACT)


def test_a_motion_detector_alone_does_not_find_a_room_empty() -> None:
    release_by = SETTINGS.release_by
    assert not can_find_empty([PIR], release_by)
    assert not can_find_empty([CONTACT], release_by)
    assert not can_find_empty([], release_by)
    assert can_find_empty([PIR, CONTACT], release_by)
    assert can_find_empty([RADAR], release_by)
    assert can_find_empty([PIR], {SensorKind.PIR})
    pir_only = replace(BY_SENSOR, sensors=((PIR, measured("10:10:20")),))
    assert found(pir_only) == {Obstacle.NO_WAY_TO_CHECK_IN}
    assert found(pir_only, release_by=frozenset({SensorKind.PIR})) == set()
    assert found(replace(pir_only, way_since=at("8:00"))) == set()  # its panel was the way


def test_a_sensor_that_may_not_check_in_is_no_way_to_check_in() -> None:
    other = Sensor("radar", SensorKind.RADAR)
    facts = replace(BY_SENSOR, sensors=((other, measured("10:10:20")),))
    assert found(facts) == {Obstacle.NO_WAY_TO_CHECK_IN}


@pytest.mark.parametrize(
    ("sensor", "state", "enough"),
    [
        (RADAR, measured("10:10"), True),
        (RADAR, measured("10:09:59"), False),  # who came since may not have been measured
        (RADAR, SensorState(), False),
        (RADAR, SensorState(last=Reading(present=False, at=at("10:10:20"), of_unknown_age=True)), False),
        (RADAR, replace(measured("9:00"), availability_heard=True), True),
        (RADAR, replace(measured("10:10:20"), available=False, availability_heard=True), False),
        (PIR, replace(measured("9:00"), availability_heard=True), False),  # as old as a day
    ],
)
def test_a_sensor_is_a_way_only_if_it_shows_that_it_still_measures(
    sensor: Sensor, state: SensorState, *, enough: bool
) -> None:
    facts = replace(BY_SENSOR, sensors=((sensor, state), (CONTACT, measured("10:10:20"))))
    assert found(facts) == (set() if enough else {Obstacle.NO_WAY_TO_CHECK_IN})


# --- judging again ---


def test_only_a_missing_reading_is_waited_for_and_not_for_ever() -> None:
    missing = (Obstacle.NOT_READ, Obstacle.NO_WAY_TO_CHECK_IN)
    assert may_still_change(missing, STAND_UP, AFTER, MOMENT)
    assert may_still_change(missing[:1], STAND_UP, AFTER, MOMENT + AFTER - SECOND)
    assert not may_still_change(missing, STAND_UP, AFTER, MOMENT + AFTER)
    assert not may_still_change((*missing, Obstacle.PRESENCE), STAND_UP, AFTER, MOMENT)
    short = replace(STAND_UP, end=MOMENT + SECOND)
    assert not may_still_change(missing, short, AFTER, MOMENT + SECOND)
