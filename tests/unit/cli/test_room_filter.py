"""Which rooms `placed rooms` and `placed watch` list."""

from __future__ import annotations

from typing import Any

import pytest

from placed.cli.room_filter import RoomFilter, read_listing
from placed.cli.room_table import view
from tests.unit.cli.test_room_table import NOW, listed_room, minutes, sensed

ROOMS = [
    listed_room("atrium", building="HQ", floor="0", capacity=40, status="busy", busy_until=NOW + minutes(30)),
    listed_room(
        "boardroom", name="Börsensaal", building="HQ", floor="2", capacity=12, free_until=NOW + minutes(45)
    ),
    listed_room(
        "cedar", building="Annex", floor="2", capacity=4, status="starting", free_until=NOW + minutes(4)
    ),
    listed_room("den", building="Annex", floor="10", free_until=None),
    listed_room("east", building="HQ", floor="2", capacity=6, stale=True),
    listed_room("forum", building="HQ", floor="2", capacity=6, valid_until=NOW),
]


def wanted(**options: Any) -> RoomFilter:
    nothing: dict[str, Any] = {
        "building": [],
        "floor": [],
        "status": [],
        "use": [],
        "capacity": None,
        "free_for": None,
        "search": None,
    }
    return RoomFilter.of(**(nothing | options))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, "abcdef"),
        ({"building": ["hq"]}, "abef"),
        ({"building": ["hq", "Annex"], "floor": ["2"]}, "bcef"),
        ({"status": ["free,starting"]}, "bcde"),
        ({"status": ["unknown", "busy"]}, "af"),
        ({"capacity": 6}, "abef"),
        ({"free_for": "45m"}, "bd"),
        ({"free_for": "4m"}, "bcd"),
        ({"free_for": "1h"}, "d"),
        ({"search": "HQ oar"}, "b"),
        ({"search": "borsen"}, "b"),
        ({"search": "annex 10"}, "d"),
        ({"search": "nowhere"}, ""),
    ],
)
def test_filters_are_those_of_the_status_endpoint(options: dict[str, Any], found: str) -> None:
    passing = [room.room[0] for room in ROOMS if wanted(**options).matches(room, NOW)]
    assert "".join(passing) == found


def test_without_a_connection_no_room_counts_as_free() -> None:
    assert not any(wanted(status=["free"]).matches(room, NOW, lost=True) for room in ROOMS)
    assert not any(wanted(free_for="1m").matches(room, NOW, lost=True) for room in ROOMS)
    assert all(wanted(status=["unknown"]).matches(room, NOW, lost=True) for room in ROOMS)


@pytest.mark.parametrize(
    ("options", "option", "words"),
    [
        ({"status": ["fre"]}, "--status", "'fre' is none of free"),
        ({"use": ["used,unused"]}, "--use", "'unused' is none of used, booked_empty"),
        ({"free_for": "3"}, "--free-for", "45m"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(options: dict[str, Any], option: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        wanted(**options)
    assert caught.value.args[0] == option


def test_it_is_known_when_a_room_leaves_a_filter_by_itself() -> None:
    room = listed_room(free_until=NOW + minutes(45), valid_until=NOW + minutes(15))
    assert wanted().changes_in(room, NOW) == 900
    assert wanted(free_for="40m").changes_in(room, NOW) == 300


def test_rooms_are_found_by_their_use_while_it_is_known() -> None:
    unbooked, empty = sensed("present", "unbooked"), sensed("empty", "empty")
    found = wanted(use=["unbooked,used"])
    assert [found.matches(room, NOW) for room in (unbooked, empty, listed_room())] == [True, False, False]
    assert not found.matches(unbooked, NOW + minutes(5))
    assert not found.matches(unbooked, NOW, lost=True)
    assert found.changes_in(unbooked, NOW) == 300


def test_a_filtered_listing_keeps_a_room_byte_for_byte() -> None:
    kept = (
        b'{"room":"b","name":"B", "status":"free","stale":false,"valid_until":"2999-01-01T00:00:00Z","x":[1]}'
    )
    other = b'{"room":"c","name":"C","status":"busy","stale":false,"valid_until":"2999-01-01T00:00:00Z"}'
    listing = read_listing(b'{"schema":1,"epoch":7,"seq":9,"rooms":[' + kept + b"," + other + b"]}")
    assert listing.filtered(wanted(status=["free"]), NOW) == (
        b'{"schema":1,"epoch":7,"seq":9,"rooms":[' + kept + b"]}"
    )


@pytest.mark.parametrize(("filtered", "foot"), [(True, "No room matches these filters."), (False, "")])
def test_a_table_without_rooms_names_the_filters_as_the_cause(*, filtered: bool, foot: str) -> None:
    assert view([], NOW, ("0 rooms", "bold"), (80, 24), filtered=filtered).foot == foot
