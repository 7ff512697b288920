"""Who is noticed by a sensor is checked in, unless it may be somebody of another meeting."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.actions.meeting_of_presence import meeting_of_presence
from placed.domain.presence import Presence, PresenceState, Reading, Sensor, SensorKind, SensorState
from tests.support.domain_builders import POLICY, at, meeting

if TYPE_CHECKING:
    from placed.domain.model import Meeting

AFTER = timedelta(minutes=10)
TEN = meeting("10:00", "11:00")
EARLIER, OVER_BEFORE = meeting("9:00", "10:00"), meeting("8:00", "9:00")
RADAR = Sensor("radar", SensorKind.RADAR, check_in=True)
PIR = Sensor("pir", SensorKind.PIR)


def checked_in(
    moment: str,
    *meetings: Meeting,
    since: str | None = None,
    state: PresenceState = PresenceState.PRESENT,
    seen_by: Sensor = RADAR,
) -> Meeting | None:
    reading = Reading(present=True, at=at(moment))
    sensors = [
        (one, SensorState(last=reading, present_at=at(moment)) if one is seen_by else SensorState())
        for one in (RADAR, PIR)
    ]
    presence = Presence(state, at(since or moment))
    return meeting_of_presence(
        meetings or (TEN,), presence, sensors, moment=at(moment), after=AFTER, policy=POLICY
    )


@pytest.mark.parametrize(
    ("moment", "counts"),
    [("9:54:59", False), ("9:55", True), ("10:00", True), ("10:10", True), ("10:10:01", False)],
)
def test_somebody_is_checked_in_from_five_minutes_before_until_the_end_of_the_window(
    moment: str, *, counts: bool
) -> None:
    assert checked_in(moment) == (TEN if counts else None)


def test_who_was_there_without_a_booking_is_checked_in() -> None:
    assert checked_in("10:00", since="9:30") == TEN
    assert checked_in("10:00", OVER_BEFORE, TEN, since="9:30") == TEN


def test_who_has_been_there_since_an_earlier_meeting_is_not_checked_in() -> None:
    assert checked_in("10:05", EARLIER, TEN, since="9:30") is None
    assert checked_in("9:58", EARLIER, TEN, since="9:57") is None
    assert checked_in("10:05", EARLIER, TEN, since="10:00") == TEN
    declined = meeting("9:00", "10:00", declined=True)
    assert checked_in("10:05", declined, TEN, since="9:30") == TEN


def test_nobody_is_checked_in_to_one_of_several_meetings() -> None:
    assert checked_in("10:05", TEN, meeting("10:05", "10:30"), since="10:05") is None
    assert checked_in("10:05", TEN, meeting("10:30", "11:30"), since="10:05") == TEN


@pytest.mark.parametrize("state", [PresenceState.EMPTY, PresenceState.UNKNOWN])
def test_a_room_that_is_not_known_to_be_used_checks_nobody_in(state: PresenceState) -> None:
    assert checked_in("10:05", state=state) is None
    assert meeting_of_presence((TEN,), None, (), moment=at("10:05"), after=AFTER, policy=POLICY) is None


def test_only_a_sensor_that_may_check_in_does() -> None:
    assert checked_in("10:05", seen_by=PIR) is None


def test_a_meeting_that_is_over_is_not_checked_in_to() -> None:
    assert checked_in("10:05", meeting("10:00", "10:05")) is None
