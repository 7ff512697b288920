"""The table of `placed rooms` and `placed watch`, and which rooms are in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
from rich.console import Console

from placed.cli.room_filter import ListedRoom, RoomFilter, read_listing
from placed.cli.room_table import Line, cells, changes_in, left, plain, rendered, summary, table, view

NOW = datetime.now(UTC).replace(microsecond=0)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def listed_room(room: str = "boardroom", **more: Any) -> ListedRoom:
    """A room as the status endpoint tells it."""
    usual: dict[str, Any] = {
        "room": room,
        "name": room.title(),
        "status": "free",
        "stale": False,
        "valid_until": NOW + minutes(15),
        "building": None,
        "floor": None,
    }
    return msgspec.convert(usual | more, ListedRoom)


def shown(*rooms: ListedRoom, width: int = 150) -> list[list[str]]:
    """The cells of the table, a list a room."""
    lines = sorted((room.line(NOW) for room in rooms), key=lambda line: line.order)
    console = Console(file=StringIO(), width=width)
    console.print(table([cells(line, NOW) for line in lines], width))
    return rows(console)


def rows(console: Console) -> list[list[str]]:
    assert isinstance(console.file, StringIO)
    printed = console.file.getvalue().splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed if line.startswith("│")]


@pytest.mark.parametrize(
    ("status", "cell"),
    [
        ("free", "○ free"),
        ("starting", "△ starting"),
        ("busy", "■ busy"),
        ("pending", "⬡ pending"),
        ("unknown", "◇ unknown"),
        ("a status of tomorrow", "a status of tomorrow"),
    ],
)
def test_a_status_has_a_shape_and_not_only_a_colour(status: str, cell: str) -> None:
    ((_, _, word, *_),) = shown(listed_room(status=status))
    assert word == cell


def test_an_expired_state_is_shown_as_unknown() -> None:
    past = listed_room(valid_until=NOW, free_until=NOW + minutes(60), next={"start": NOW + minutes(60)})
    assert shown(past) == [["Boardroom", "", "◇ unknown", "", "", "", "not updated in time"]]


def test_nothing_is_known_of_any_room_without_a_connection() -> None:
    line = listed_room(busy_until=NOW + minutes(5), status="busy").line(NOW, "no connection")
    assert (line.status, line.until, line.note) == ("unknown", None, "no connection")


def test_times_are_those_of_the_clock_on_the_wall() -> None:
    until, following = NOW + timedelta(hours=1), NOW + timedelta(hours=49)
    busy = listed_room(status="busy", busy_until=until, next={"start": following})
    ((*_, first, still, second, _),) = shown(busy)
    assert first.endswith(f"{until.astimezone():%H:%M}")
    assert still == "1 h 00"
    assert second == f"{following.astimezone():%a %H:%M}"


@pytest.mark.parametrize(
    ("status", "seconds", "text"),
    [
        ("free", 44 * 60 + 59, "44 min"),  # not promised for longer than it is free
        ("busy", 44 * 60 + 1, "45 min"),  # nor to be free before it is
        ("free", 59, "<1 min"),
        ("busy", 59, "1 min"),
        ("free", 3600, "1 h 00"),
        ("busy", 26 * 3600 + 5 * 60, "26 h 05"),
        ("free", 0, ""),
    ],
)
def test_how_long_it_still_is_errs_on_the_safe_side(status: str, seconds: int, text: str) -> None:
    assert left(status, NOW + timedelta(seconds=seconds), NOW) == text


def test_it_is_known_when_a_countdown_crosses_a_minute() -> None:
    lines = [Line("a", None, None, "busy", until=NOW + timedelta(seconds=s)) for s in (90, 140, -5)]
    assert changes_in(lines, NOW) == 20
    assert changes_in([Line("a", None, None, "free")], NOW) is None


def test_what_is_wrong_with_a_room_is_noted() -> None:
    noted = shown(listed_room("a", stale=True), listed_room("b", stale=True, reason="throttled"))
    assert [(row[2], row[-1]) for row in noted] == [("○ free, stale", ""), ("○ free, stale", "throttled")]


def test_rooms_come_by_building_floor_and_name() -> None:
    sorted_rooms = shown(
        listed_room("e", building="West", floor="1"),
        listed_room("d", building="East", floor="10"),
        listed_room("c", building="East", floor="2"),
        listed_room("b", building="East", floor="1"),
        listed_room("a"),
    )
    assert [row[0] for row in sorted_rooms] == ["A", "B", "C", "D", "E"]
    assert [row[1] for row in sorted_rooms] == ["", "East 1", "East 2", "East 10", "West 1"]


def test_names_are_shown_as_they_are() -> None:
    """And not read as the markup of the terminal."""
    ((name, where, *_),) = shown(listed_room(name="Lab [quiet] [/]", building="[red]", floor="[/bold]"))
    assert (name, where) == ("Lab [quiet] [/]", "[red] [/bold]")


def test_a_name_cannot_control_the_terminal_or_change_its_direction() -> None:
    assert plain("a\x1b[2Jb\r\nc\x07\x9bd") == "a [2Jb  c  d"
    assert plain("\u202eevil\u202c \u2066x\u2069") == "evil x"
    assert plain("Über 会議室 🪴") == "Über 会議室 🪴"
    assert len(plain("x" * 10_000)) == 200


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 200])
def test_a_narrow_terminal_has_a_line_a_room_with_its_status(width: int) -> None:
    long = listed_room(
        name="A room with a name that is far too long for it", building="Headquarters", floor="12"
    )
    busy = listed_room("b", status="busy", busy_until=NOW + minutes(5), stale=True, reason="unavailable")
    console = Console(file=StringIO(), width=width)
    console.print(table([cells(room.line(NOW), NOW) for room in (long, busy)], width))
    assert isinstance(console.file, StringIO)
    printed = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in printed)
    assert [line.count("○ free") + line.count("■ busy") for line in printed if line.startswith("│")] == [1, 1]


def test_what_fits_is_shown_and_how_many_more_there_are() -> None:
    lines = [Line(f"room {number:04}", "HQ", "1", "free") for number in range(5500)]
    seen = view(lines, NOW, (summary(lines, 5500), "bold"), (80, 24))
    console = Console(file=StringIO(), width=80, height=24)
    console.print(rendered(seen))
    assert isinstance(console.file, StringIO)
    printed = console.file.getvalue().splitlines()
    assert len(printed) <= 24
    assert len(rows(console)) == 18
    assert printed[0] == "5,500 rooms: 5,500 free"
    assert printed[-1] == "… and 5,482 more; a filter such as --floor or --search shows fewer"


def test_two_views_are_equal_without_a_visible_difference() -> None:
    lines = [Line("a", None, None, "busy", until=NOW + timedelta(minutes=9, seconds=50))]
    first, second, third = (view(lines, NOW + timedelta(seconds=s), ("", ""), (80, 24)) for s in (0, 49, 51))
    assert first == second != third


# --- filters ------------------------------------------------------------------------------------------------

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
    [({"status": ["fre"]}, "--status", "'fre' is none of free"), ({"free_for": "3"}, "--free-for", "45m")],
)
def test_a_filter_that_makes_no_sense_is_refused(options: dict[str, Any], option: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        wanted(**options)
    assert caught.value.args[0] == option


def test_it_is_known_when_a_room_leaves_a_filter_by_itself() -> None:
    room = listed_room(free_until=NOW + minutes(45), valid_until=NOW + minutes(15))
    assert wanted().changes_in(room, NOW) == 900
    assert wanted(free_for="40m").changes_in(room, NOW) == 300


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
