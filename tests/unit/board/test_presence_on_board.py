"""Presence on the board: what a subscriber sees while sensors, calendars and clocks do what they do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from placed.board.board import Board
from placed.domain.calendar_event_detection import EventKind
from placed.domain.model import ShowPresence
from placed.domain.presence import Reading, Sensor
from placed.domain.privacy import Show
from tests.support.domain_builders import POLICY, Recorder, at, room
from tests.unit.board.building_with_sensors import (
    CALENDARS,
    COUNTER,
    MINUTE,
    OF_USE,
    PIR,
    RADAR,
    SENSORS,
    Building,
    shown,
)

sensors = st.sampled_from(SENSORS)
seconds = st.integers(0, 900).map(lambda drawn: timedelta(seconds=drawn))
Step = tuple[str, tuple[Any, ...]]
steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("pass"), st.tuples(seconds)),
    st.tuples(st.just("pass"), st.tuples(st.integers(0, 8).map(lambda drawn: drawn * 10 * MINUTE))),
    st.tuples(
        st.just("report"),
        st.tuples(
            sensors,
            st.sampled_from((timedelta(), timedelta(), timedelta(), -MINUTE, 5 * MINUTE, 70 * MINUTE)),
            st.sampled_from((0, 0, 1, 3)),
            st.sampled_from((False, False, False, True)),
        ),
    ),
    st.tuples(st.just("available"), st.tuples(sensors, st.booleans())),
    st.tuples(st.just("read"), st.tuples(st.sampled_from(CALENDARS))),
    st.tuples(st.just("same"), st.tuples()),
    st.tuples(st.just("fails"), st.tuples()),
    st.tuples(st.just("set"), st.tuples(st.integers(-300, 300).map(lambda drawn: drawn * MINUTE))),
)


def happen(building: Building, step: Step) -> None:
    """Has one step happen in the building; sensors that it does not have report nothing."""
    kind, given_ = step
    match kind:
        case "pass":
            building.time_passes(*given_)
        case "report":
            sensor, age, count, retained = given_
            if sensor in building.sensors:
                building.sensor_reports(sensor, age, count, retained=retained)
        case "available":
            sensor, available = given_
            if sensor in building.sensors:
                building.sensor_is_there(sensor, available=available)
        case "read":
            building.calendar_is_read(*given_)
        case "same":
            building.calendar_is_the_same()
        case "fails":
            building.calendar_fails()
        case "set":
            building.clock_is_set(*given_)


@given(
    st.sampled_from(((RADAR,), (PIR,), (COUNTER,), (RADAR, PIR), SENSORS)),
    st.sampled_from((ShowPresence.STATE, ShowPresence.COUNT)),
    st.lists(steps, max_size=40),
)
def test_no_subscriber_sees_a_presence_that_does_not_hold(
    of_room: tuple[Sensor, ...], presence: ShowPresence, happenings: list[Step]
) -> None:
    building = Building(of_room, presence)
    for step in happenings:
        happen(building, step)


def building_with(*sensors: Sensor) -> Building:
    """A building whose calendar is read; nobody has been in the room for a while."""
    building = Building(sensors, ShowPresence.STATE)
    building.calendar_is_read(CALENDARS[0])
    return building


def minutes_pass(building: Building, minutes: int, reported: int | None = None) -> list[EventKind]:
    """Has time pass, with a reading of the calendar and perhaps of the sensors each minute.

    Returns the events of presence.
    """
    events = Recorder()
    building.sensed.listeners.append(events)
    for _ in range(minutes):
        building.time_passes(MINUTE)
        building.calendar_is_the_same()
        for sensor in building.sensors if reported is not None else ():
            building.sensor_reports(sensor, timedelta(), reported or 0, retained=False)
    building.sensed.listeners.remove(events)
    return [event.happening for event in events.events if event.happening in OF_USE]


def test_a_presence_keeps_its_age_when_the_clock_is_set() -> None:
    building = building_with(RADAR)
    minutes_pass(building, 10, reported=1)
    assert building.document.presence
    age = building.clock.moment - building.document.presence.since
    building.clock_is_set(timedelta(hours=-3))
    assert building.clock.moment - building.document.presence.since == age
    assert age == 9 * MINUTE


def test_use_without_a_booking_is_an_event_after_the_hold_wherever_the_clock_was_set_to() -> None:
    building = building_with(RADAR)
    building.sensor_reports(RADAR, timedelta(), 1, retained=False)
    building.clock_is_set(timedelta(hours=3))
    building.calendar_is_the_same()
    assert building.document.use == "unbooked"
    assert minutes_pass(building, 1) == [EventKind.UNBOOKED_USE]


def test_a_meeting_that_nobody_attends_is_one_event_though_somebody_looks_in() -> None:
    building = building_with(RADAR)
    building.calendar_is_read(CALENDARS[3])
    assert minutes_pass(building, 10, reported=0) == [EventKind.BOOKED_EMPTY]
    assert minutes_pass(building, 3, reported=1) == []
    assert minutes_pass(building, 10, reported=0) == []
    assert building.document.use == "booked_empty"


def test_use_without_a_booking_is_one_event_though_the_sensor_is_lost_for_a_while() -> None:
    building = building_with(RADAR)
    assert minutes_pass(building, 10, reported=1) == [EventKind.UNBOOKED_USE]
    building.sensor_is_there(RADAR, available=False)
    assert minutes_pass(building, 3) == []
    assert minutes_pass(building, 10, reported=1) == []
    assert minutes_pass(building, 10, reported=0) == []
    assert minutes_pass(building, 10, reported=1) == [EventKind.UNBOOKED_USE]


def test_an_event_of_presence_comes_with_a_statement_of_its_own() -> None:
    building = building_with(RADAR)
    assert minutes_pass(building, 10, reported=1) == [EventKind.UNBOOKED_USE]
    seqs = [statement.seq for statement in building.heard.statements]
    assert len(set(seqs)) == len(seqs)


def test_presence_alone_does_not_go_before_the_edges_of_the_calendar() -> None:
    building = building_with(RADAR)
    minutes_pass(building, 1)
    stated = len(building.heard.statements)
    building.sensor_reports(RADAR, timedelta(), 1, retained=False)
    assert building.heard.urgent[stated:] == [False]


def test_readings_that_change_nothing_are_published_only_to_renew_the_document() -> None:
    building = building_with(RADAR)
    minutes_pass(building, 10, reported=1)
    before = len(building.heard.statements)
    minutes_pass(building, 60, reported=1)
    assert 4 <= len(building.heard.statements) - before <= 12  # as the calendar alone has it: 15 min of life


def test_while_the_time_is_not_known_a_presence_is_unknown_and_not_absent() -> None:
    """Without any presence, a panel and Home Assistant would take the sensor for removed."""
    times = [True]
    board = Board(POLICY, Show.NOTHING, lambda: at("9:00"), epoch=7, believable=lambda: times[-1])
    board.set_sensors({"boardroom": (RADAR,)})
    board.enroll("contoso", [room()])
    board.sense("boardroom", RADAR, Reading(present=True, at=at("9:00")))
    times.append(False)
    board.clock_was_set(timedelta())
    board.judge_due()
    statement = board.statement("boardroom")
    assert statement is not None
    presence = shown(statement).presence
    assert presence is not None
    assert presence.state == "unknown"
