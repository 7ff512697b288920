from __future__ import annotations

from datetime import timedelta

import pytest
from multidict import MultiDict
from yarl import URL

from placed.domain.model import ShowPresence, Status
from placed.domain.presence import Use
from placed.http.api import room_filters
from placed.http.api.room_filters import Filter
from placed.http.errors import HttpError
from tests.support.board_setup import NINE, BoardSetup, meeting, minutes


@pytest.fixture
def building() -> BoardSetup:
    """At nine: one room of every kind. Long was read half an hour ago, late two minutes ago."""
    board_setup = BoardSetup(moment=NINE - minutes(13))
    board_setup.add("long", "late", building="Annex")
    board_setup.read("long")
    board_setup.wait(minutes(11))
    board_setup.read("late")
    board_setup.wait(minutes(2))
    board_setup.add("free", building="Headquarters", floor="1", capacity=8)
    board_setup.add("soon", building="Headquarters", floor="2", capacity=4)
    board_setup.add("later", building="Straße 1, Hof", floor="EG", capacity=20)
    board_setup.add("busy", floor="1", capacity=8)
    board_setup.add("new")
    board_setup.read("free")
    board_setup.read("soon", meeting(3, 60))
    board_setup.read("later", meeting(45, 60))
    board_setup.read("busy", meeting(-10, 30))
    return board_setup


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "busy free late later long new soon"),
        ("building=Headquarters", "free soon"),
        ("building=headQUARTERS", "free soon"),
        ("building=Head", ""),
        ("building=Headquarters&building=Annex", "free late long soon"),
        ("building=STRASSE 1, hof", "later"),
        ("floor=1", "busy free"),
        ("floor=1&building=Headquarters", "free"),
        ("status=free", "free late later long"),
        ("status=busy,starting", "busy soon"),
        ("status=busy&status=unknown", "busy new"),
        ("status=free, busy", "busy free late later long"),
        ("status=pending", ""),
        ("capacity=8", "busy free later"),
        ("capacity=0", "busy free later soon"),
        ("capacity=21", ""),
        ("free_for=0m", "free later soon"),
        ("free_for=3m", "free later soon"),
        ("free_for=181s", "free later"),
        ("free_for=45m", "free later"),
        ("free_for=45.1m", "free"),
        ("free_for=1d", "free"),
        ("free_for=45m&capacity=10", "later"),
    ],
)
def test_a_filter_passes_matching_rooms(building: BoardSetup, query: str, found: str) -> None:
    wanted = room_filters.parse(URL(f"/?{query}").query)
    passed = [s.room.id for s in building.board.statements if wanted.lets_pass(s, building.moment)]
    assert passed == found.split()


def test_what_is_stale_is_shown_as_free_and_not_promised(building: BoardSetup) -> None:
    """It may have been booked since it was read."""
    statement = building.board.statement("late")
    assert statement is not None
    assert statement.occupancy.stale
    assert Filter(statuses=frozenset({Status.FREE})).lets_pass(statement, NINE)
    assert not Filter(free_for=timedelta(0)).lets_pass(statement, NINE)


def test_an_expired_state_is_unknown_even_without_an_evaluation(building: BoardSetup) -> None:
    statement = building.board.statement("free")
    assert statement is not None
    after = statement.occupancy.valid_until
    assert room_filters.status_at(statement, after - minutes(0.01)) is Status.FREE
    assert room_filters.status_at(statement, after) is Status.UNKNOWN
    assert not Filter(free_for=timedelta(0)).lets_pass(statement, after)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("use=used", "busy"),
        ("use=unbooked", "free"),
        ("use=empty", "later"),
        ("use=booked_empty", ""),
        ("use=unbooked, used", "busy free"),
        ("use=unbooked&use=empty&floor=1", "free"),
    ],
)
def test_rooms_are_found_by_their_use_if_status_and_presence_are_known(
    building: BoardSetup, query: str, found: str
) -> None:
    for room_id in ("busy", "free", "new"):
        building.sense(room_id, present=True)
    building.sense("later", present=False)
    wanted = room_filters.parse(URL(f"/?{query}").query)
    passed = [s.room.id for s in building.board.statements if wanted.lets_pass(s, building.moment)]
    assert passed == found.split()


def test_no_use_is_known_once_the_presence_has_expired_even_without_an_evaluation(
    building: BoardSetup,
) -> None:
    building.sense("free", present=True)
    statement = building.board.statement("free")
    assert statement is not None
    assert room_filters.use_at(statement, NINE + minutes(9.9)) is Use.UNBOOKED
    assert room_filters.use_at(statement, NINE + minutes(10)) is None


def test_a_room_that_shows_no_presence_is_found_by_no_use(building: BoardSetup) -> None:
    building.sense("free", present=True)
    building.board.change_show_presence(ShowPresence.NOTHING)
    everyone = Filter(uses=frozenset(Use))
    assert not any(everyone.lets_pass(s, building.moment) for s in building.board.statements)


A_DAY = "a duration up to a day, such as 45m or 2h"
WORDS = "one or more of free, starting, busy, pending, unknown, separated by commas"
USES = "one or more of used, booked_empty, unbooked, empty, separated by commas"
KNOWN = "one of the parameters building, floor, status, use, free_for, capacity"


@pytest.mark.parametrize(
    ("query", "mistakes"),
    [
        ("free_for=", [("free_for", "", A_DAY)]),
        ("free_for=45", [("free_for", "45", A_DAY)]),
        ("free_for=-5m", [("free_for", "-5m", A_DAY)]),
        ("free_for=25h", [("free_for", "25h", A_DAY)]),
        ("free_for=99999999999999d", [("free_for", "99999999999999d", A_DAY)]),
        ("free_for=1h&free_for=2h", [("free_for", "1h, 2h", "it once")]),
        ("status=open", [("status", "open", WORDS)]),
        ("status=", [("status", "", WORDS)]),
        ("status=free,Busy", [("status", "Busy", WORDS)]),
        ("use=unused", [("use", "unused", USES)]),
        ("use=", [("use", "", USES)]),
        ("capacity=many", [("capacity", "many", "a number of people such as 8")]),
        ("capacity=-1", [("capacity", "-1", "a number of people such as 8")]),
        ("capacity=²", [("capacity", "²", "a number of people such as 8")]),
        ("capacity=" + "9" * 5000, [("capacity", "9" * 5000, "a number of people such as 8")]),
        ("building=", [("building", "", "a name")]),
        ("floor=1&floor= ", [("floor", "", "a name")]),
        ("bulding=Annex", [("bulding", "bulding", KNOWN)]),
        ("Status=free", [("Status", "Status", KNOWN)]),
        (
            "x=1&capacity=a&free_for=b",
            [
                ("x", "x", KNOWN),
                ("capacity", "a", "a number of people such as 8"),
                ("free_for", "b", A_DAY),
            ],
        ),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_with_all_of_it(
    query: str, mistakes: list[tuple[str, str, str]]
) -> None:
    with pytest.raises(HttpError) as caught:
        room_filters.parse(URL(f"/?{query}").query)
    assert caught.value.status == 400
    reported = [(p["parameter"], p["found"], p["expected"]) for p in caught.value.listed]
    assert reported == mistakes


def test_an_empty_query_selects_every_room() -> None:
    assert room_filters.parse(MultiDict()) == room_filters.EVERYTHING
