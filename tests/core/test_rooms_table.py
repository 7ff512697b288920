"""The table of `placed rooms`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from placed.cli.rooms import _table


def state(room: str = "boardroom", **more: Any) -> dict[str, Any]:
    """A room as the status endpoint tells it."""
    usual: dict[str, Any] = {
        "room": room,
        "name": room.title(),
        "building": None,
        "floor": None,
        "status": "free",
        "stale": False,
        "next": None,
        "busy_until": None,
        "free_until": None,
        "valid_until": f"{datetime.now(UTC) + timedelta(minutes=15):%Y-%m-%dT%H:%M:%SZ}",
        "reason": None,
    }
    return usual | more


def shown(*states: dict[str, Any]) -> list[list[str]]:
    """The cells of the table, a list a room."""
    console = Console(file=StringIO(), width=150)
    console.print(_table({one["room"]: one for one in states}))
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if line.startswith("│")]


@pytest.mark.parametrize(
    ("status", "cell"),
    [
        ("free", "○ free"),
        ("starting", "◐ starting"),
        ("busy", "● busy"),
        ("pending", "◌ pending"),
        ("unknown", "? unknown"),
        ("a status of tomorrow", "a status of tomorrow"),
    ],
)
def test_a_status_has_a_shape_and_not_only_a_colour(status: str, cell: str) -> None:
    ((_, _, told, *_),) = shown(state(status=status))
    assert told == cell


def test_a_state_that_is_past_its_time_is_not_believed() -> None:
    then = "2026-01-01T09:00:00Z"
    past = state(valid_until=then, free_until=then, next={"start": then})
    assert shown(past) == [["Boardroom", "", "? unknown", "", "", ""]]


def test_times_are_those_of_the_clock_on_the_wall() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    until, following = now + timedelta(hours=1), now + timedelta(hours=2)
    busy = state(status="busy", busy_until=until.isoformat(), next={"start": following.isoformat()})
    ((*_, first, second, _),) = shown(busy)
    assert (first, second) == (f"{until.astimezone():%H:%M}", f"{following.astimezone():%H:%M}")


def test_what_is_wrong_with_a_room_is_noted() -> None:
    rows = shown(state("a", stale=True), state("b", stale=True, reason="throttled"))
    assert [row[-1] for row in rows] == ["stale", "throttled"]


def test_rooms_come_by_building_floor_and_name() -> None:
    rows = shown(
        state("d", building="West", floor="1"),
        state("c", building="East", floor="2"),
        state("b", building="East", floor="1"),
        state("a"),
    )
    assert [(row[0], row[1]) for row in rows] == [
        ("A", ""),
        ("B", "East 1"),
        ("C", "East 2"),
        ("D", "West 1"),
    ]


def test_names_are_shown_as_they_are() -> None:
    """And not read as the markup of the terminal."""
    ((name, where, *_),) = shown(state(name="Lab [quiet] [/]", building="[red]", floor="[/bold]"))
    assert (name, where) == ("Lab [quiet] [/]", "[red] [/bold]")
