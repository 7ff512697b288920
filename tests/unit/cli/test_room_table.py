"""The table of `placed rooms` and `placed watch`, and which rooms are in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from rich.console import Console

from placed.cli.room_filter import ListedRoom
from placed.cli.room_table import Line, cells, changes_in, left, plain, rendered, summary, table, view

NOW = datetime.now(UTC).replace(microsecond=0)


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def listed_room(room: str = "boardroom", **more: Any) -> ListedRoom:
    """A room as the status endpoint lists it."""
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


def sensed(state: str, use: str | None, status: str = "free", **more: Any) -> ListedRoom:
    """A room with a presence since ten minutes ago, which is valid for five minutes."""
    usual = {"state": state, "since": NOW - minutes(10), "valid_until": NOW + minutes(5), "count": None}
    presence = {key: more.pop(key, value) for key, value in usual.items()}
    return listed_room(status=status, presence=presence, use=use, **more)


@pytest.mark.parametrize(
    ("room", "cell"),
    [
        (sensed("present", "used", "busy"), "◉ used"),
        (sensed("present", "used", "busy", count=1), "◉ 1 person"),
        (sensed("present", "unbooked"), "◉ unbooked"),
        (sensed("present", "unbooked", count=3), "◉ 3 people, unbooked"),
        (sensed("present", None, "unknown"), "◉ somebody"),
        (sensed("present", "a use of tomorrow"), "◉ somebody"),
        (sensed("empty", "booked_empty", "busy", count=0), "◌ nobody since {since}"),
        (sensed("empty", "empty"), "◌ empty"),
        (sensed("unknown", None), "? unknown"),
        (sensed("a state of tomorrow", None), "? unknown"),
        (sensed("present", "unbooked", valid_until=NOW), "? unknown"),
    ],
)
def test_the_use_of_a_room_has_a_shape_and_words(room: ListedRoom, cell: str) -> None:
    since = f"{(NOW - minutes(10)).astimezone():%H:%M}"  # no test has a name that depends on the time
    ((*_, use, _, _),) = shown(room)
    assert use == cell.format(since=since)


def test_the_column_of_use_is_there_only_if_a_room_has_sensors() -> None:
    assert [len(row) for row in shown(listed_room("a"), listed_room("b"))] == [7, 7]
    assert [row[5] for row in shown(listed_room("a"), sensed("empty", "empty"))] == ["", "◌ empty"]


def test_no_presence_is_shown_of_a_room_that_is_not_updated_any_more() -> None:
    room = sensed("present", "used", "busy")
    for line in (room.line(NOW, "no connection"), room.line(NOW + minutes(15))):
        assert (line.presence, line.use) == (None, None)


@pytest.mark.parametrize("width", [44, 52, 54, 64, 66, 76, 78, 80, 84, 88, 99, 100, 120, 200])
@pytest.mark.parametrize("presence", [True, False])
@pytest.mark.parametrize("reason", ["unavailable", None])
def test_the_columns_that_are_shown_fit(width: int, *, presence: bool, reason: str | None) -> None:
    long = {
        "name": "A room with a name that is far too long for it",
        "building": "Headquarters",
        "floor": "12",
    }
    until = NOW + timedelta(days=2)
    rooms = [
        sensed("empty", "booked_empty", "busy", busy_until=until, stale=True, reason=reason, **long),
        sensed("present", "unbooked", count=12, free_until=until, next={"start": until}, **long),
    ]
    if not presence:
        rooms = [replace(room, presence=None, use=None) for room in rooms]
    console = Console(file=StringIO(), width=width)
    console.print(table([cells(room.line(NOW), NOW) for room in rooms], width))
    assert isinstance(console.file, StringIO)
    printed = console.file.getvalue().splitlines()
    assert {line[-1] for line in printed} == set("┓┃┩│┘")
    assert (" use " in printed[1]) is (presence and width >= 54)


def test_the_remaining_time_is_beside_the_use_on_80_columns_while_no_room_has_a_note() -> None:
    used = sensed("present", "used", "busy", busy_until=NOW + minutes(45), name="A room with a longer name")
    unread = listed_room("b", status="unknown", reason="forbidden")
    assert "45 min" in shown(used, width=80)[0]
    assert "45 min" not in shown(used, unread, width=80)[0]
    assert "forbidden" in shown(used, unread, width=80)[1][-1]


def test_use_that_asks_for_attention_has_a_colour() -> None:
    rooms = [sensed("present", "unbooked"), sensed("empty", "booked_empty", "busy")]
    console = Console(
        file=StringIO(), width=150, force_terminal=True, no_color=False, color_system="standard"
    )
    console.print(table([cells(room.line(NOW), NOW) for room in (*rooms, sensed("empty", "empty"))], 150))
    assert isinstance(console.file, StringIO)
    printed = console.file.getvalue()
    assert printed.count("\x1b[33m◉ unbooked") == printed.count("\x1b[33m◌ nobody since") == 1
    assert "m◌ empty" not in printed
