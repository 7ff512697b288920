"""A room that is lost is its own failure; all rooms lost at once are one error of the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.driver import Failed, NotPermitted, Query, Unavailable, Unchanged
from placed.driver.lost_rooms import LostRooms
from tests.support.domain_builders import at, room

if TYPE_CHECKING:
    from placed.driver import Answer


def error(rooms: int) -> NotPermitted:
    return NotPermitted(f"{rooms} rooms", remedy="share them again")


@pytest.fixture
def rooms() -> LostRooms:
    return LostRooms({Reason.NOT_FOUND}, error)


def query(name: str) -> Query:
    return Query(room(name), at("9:00"), at("17:00"))


def is_read(name: str) -> Answer:
    return Unchanged(query(name), at("9:00"))


def fails(name: str, reason: Reason = Reason.NOT_FOUND) -> Answer:
    return Failed(query(name), reason, Problem("", "no such calendar"))


def read_once(
    rooms: LostRooms, *answers: Answer, passed_on: list[Answer], ended_by: Exception | None = None
) -> None:
    with rooms.reading(lambda *found: passed_on.extend(found)) as take:
        for found in answers:
            take(found)
        if ended_by is not None:
            raise ended_by


def one_reading(rooms: LostRooms, *answers: Answer) -> list[Answer]:
    """Reads once; returns the answers that were passed on."""
    passed_on: list[Answer] = []
    read_once(rooms, *answers, passed_on=passed_on)
    return passed_on


def test_one_lost_room_is_its_own_failure_and_comes_after_the_others(rooms: LostRooms) -> None:
    one_reading(rooms, is_read("a"), is_read("b"))
    assert one_reading(rooms, fails("a"), is_read("b")) == [is_read("b"), fails("a")]
    assert not rooms.is_readable("a@contoso.example")
    assert rooms.is_readable("b@contoso.example")


def test_all_rooms_lost_at_once_are_the_connection_s_error_alone(rooms: LostRooms) -> None:
    one_reading(rooms, is_read("a"), is_read("b"))
    passed_on: list[Answer] = []
    with pytest.raises(NotPermitted, match="2 rooms"):
        read_once(rooms, fails("a"), fails("b"), passed_on=passed_on)
    assert passed_on == []


def test_rooms_that_were_never_readable_are_not_lost(rooms: LostRooms) -> None:
    assert one_reading(rooms, fails("a"), fails("b")) == [fails("a"), fails("b")]


def test_the_only_room_may_have_been_deleted(rooms: LostRooms) -> None:
    one_reading(rooms, is_read("a"))
    assert one_reading(rooms, fails("a")) == [fails("a")]


def test_a_room_that_is_out_of_the_list_no_longer_counts(rooms: LostRooms) -> None:
    one_reading(rooms, is_read("a"), is_read("b"))
    rooms.keep({"a@contoso.example"})
    assert one_reading(rooms, fails("a")) == [fails("a")]


def test_another_reason_is_no_lost_room(rooms: LostRooms) -> None:
    one_reading(rooms, is_read("a"), is_read("b"))
    failures = [fails("a", Reason.THROTTLED), fails("b", Reason.THROTTLED)]
    assert one_reading(rooms, *failures) == failures
    assert rooms.is_readable("a@contoso.example")


def test_lost_rooms_are_reported_if_the_reading_ends_with_an_error(rooms: LostRooms) -> None:
    one_reading(rooms, is_read("a"), is_read("b"))
    passed_on: list[Answer] = []
    with pytest.raises(Unavailable):
        read_once(rooms, fails("a"), passed_on=passed_on, ended_by=Unavailable("the service is down"))
    assert passed_on == [fails("a")]
