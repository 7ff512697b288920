"""The simulated sensors of the demonstration."""

from __future__ import annotations

from datetime import timedelta

import pytest

from placed.cli.demo_sensors import Condition, conditions, is_used, reports
from placed.domain.model import Meeting
from tests.support.board_setup import NINE, BoardSetup, minutes

ROOMS = [f"room-{number:02}" for number in range(40)]
NOBODY = b'{"occupancy":false}'


@pytest.fixture
def booked() -> BoardSetup:
    """Forty rooms, all of them booked for an hour."""
    setup = BoardSetup()
    setup.add(*ROOMS)
    for room_id in ROOMS:
        setup.read(room_id, Meeting(room_id, NINE, NINE + minutes(60)))
    return setup


def used(setup: BoardSetup) -> int:
    """In how many rooms somebody is."""
    return sum(is_used(statement, setup.moment) for statement in setup.board.statements)


def test_one_sensor_is_blind_and_one_is_dead_and_a_large_building_has_no_more_than_twelve() -> None:
    found = conditions(reversed(ROOMS))
    assert list(found) == ROOMS[:12]
    assert list(found.values()) == [Condition.BLIND, Condition.DEAD, *[Condition.ALIVE] * 10]
    assert conditions(["only"]) == {"only": Condition.BLIND}


def test_the_dead_sensor_reports_once_and_the_blind_one_never_notices_anybody(booked: BoardSetup) -> None:
    sensors = conditions(ROOMS)
    first = dict(reports(sensors, booked.board.statements, NINE, first=True))
    later = dict(reports(sensors, booked.board.statements, NINE, first=False))
    assert first.keys() == {f"sensors/{room_id}" for room_id in ROOMS[:12]}
    assert first.keys() - later.keys() == {"sensors/room-01"}
    assert later["sensors/room-00"] == NOBODY
    assert set(later.values()) == {NOBODY, b'{"occupancy":true}'}


def test_most_meetings_have_people_from_their_start_to_their_end(booked: BoardSetup) -> None:
    at_first = used(booked)
    assert 20 < at_first < 40
    booked.moment += minutes(59)
    assert used(booked) == at_first


def test_some_free_rooms_are_used_for_some_minutes() -> None:
    setup = BoardSetup()
    setup.add(*ROOMS)
    for room_id in ROOMS:
        setup.read(room_id)
    counts = []
    for _ in range(20):
        counts.append(used(setup))
        setup.moment += timedelta(minutes=3)
    assert 0 < sum(counts) < 400
    assert len(set(counts)) > 1
