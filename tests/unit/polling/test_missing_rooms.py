"""Rooms that a list lacks: what a directory forgets for a moment is not taken from panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.domain.model import Reason, Status
from tests.unit.polling.test_poller import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = ["one", "three", "two"]
FREE = (Status.FREE, None)


def rooms(stage: Stage) -> list[str]:
    return [room.id for room in stage.board.rooms]


async def lists(stage: Stage, *listed: Sequence[str]) -> list[list[str]]:
    """What the rooms are after each list; one is asked for as soon as the poller wants it."""
    seen = []
    for rooms_now in listed:
        stage.driver.rooms = list(rooms_now)
        before = stage.driver.discoveries
        while stage.driver.discoveries == before:
            await stage.steps(1)
        seen.append(rooms(stage))
    return seen


@pytest.mark.parametrize("short", [[], ["two"], ["one", "two"]])
@pytest.mark.parametrize("times", [1, 2, 5])
async def test_lists_that_lack_rooms_which_are_readable_take_none_away(short: list[str], times: int) -> None:
    stage = Stage(*ALL)
    await stage.steps(1)
    assert await lists(stage, *[short] * times, ALL) == [ALL] * (times + 1)
    await stage.steps(300)
    assert [stage.status(room) for room in ALL] == [FREE] * 3
    assert not any(stage.recorder.removed)


async def test_a_list_that_lacks_a_room_is_requested_again_after_an_interval() -> None:
    stage = Stage(*ALL)
    await stage.steps(301)  # the second list is regular
    stage.driver.rooms = []
    await stage.steps(300)
    moment, discoveries = stage.clock.steady(), stage.driver.discoveries
    await stage.steps(35)
    assert stage.driver.discoveries == discoveries + 1, moment


async def test_lists_that_alternate_take_none_away_though_a_room_cannot_be_read() -> None:
    stage = Stage(*ALL)
    await stage.steps(1)
    stage.driver.failing = {"one": (Reason.FORBIDDEN, None)}
    assert await lists(stage, *[["two", "three"], ALL] * 5) == [ALL] * 10


@pytest.mark.parametrize("reason", [Reason.FORBIDDEN, Reason.NOT_FOUND])
async def test_a_room_that_two_lists_lack_and_that_cannot_be_read_is_gone(reason: Reason) -> None:
    stage = Stage(*ALL)
    await stage.steps(1)
    stage.driver.rooms.remove("one")
    stage.driver.failing = {"one": (reason, None)}
    with capture_logs() as logs:
        await stage.steps(500)
    assert rooms(stage) == ["three", "two"]
    assert [entry["rooms"] for entry in logs if entry["event"] == "rooms.are_missing"] == [["one"]]
    assert stage.poller.health.rooms == 2
    assert not stage.poller.health.failing


@pytest.mark.parametrize("reason", [Reason.THROTTLED, Reason.UNAVAILABLE, Reason.MALFORMED])
async def test_a_missing_room_that_only_fails_for_a_while_is_not_gone(reason: Reason) -> None:
    stage = Stage(*ALL)
    await stage.steps(1)
    stage.driver.failing = {"one": (reason, None)}
    assert await lists(stage, *[["two", "three"]] * 6) == [ALL] * 6


async def test_a_missing_room_that_could_not_be_read_once_is_not_gone() -> None:
    stage = Stage(*ALL)
    await stage.steps(1)
    assert await lists(stage, ["two", "three"]) == [ALL]
    stage.driver.failing = {"one": (Reason.NOT_FOUND, None)}
    await stage.steps(30)
    stage.driver.failing.clear()
    assert await lists(stage, ["two", "three"], ["two", "three"]) == [ALL, ALL]


async def test_a_room_that_left_the_group_is_gone_soon_after_the_fence_refuses_it() -> None:
    stage = Stage(*ALL)
    await stage.steps(1)
    stage.driver.rooms.remove("one")
    await stage.steps(3600)
    assert rooms(stage) == ALL
    stage.driver.failing = {"one": (Reason.FORBIDDEN, None)}
    await stage.steps(150)
    assert rooms(stage) == ["three", "two"]


async def test_a_room_that_comes_back_is_a_room_like_any_other() -> None:
    stage = Stage(*ALL)
    await stage.steps(1)
    stage.driver.rooms, stage.driver.failing = ["two"], {"one": (Reason.NOT_FOUND, None)}
    await stage.steps(600)
    assert rooms(stage) == ["three", "two"]
    stage.driver.rooms, stage.driver.failing = list(ALL), {}
    await stage.steps(320)
    assert [stage.status(room) for room in ALL] == [FREE] * 3


async def test_an_empty_list_at_the_start_is_requested_again_at_growing_intervals() -> None:
    stage = Stage()
    await stage.steps(1000)
    assert stage.driver.discoveries == 6  # after 30, 60, 120, 240 and 300 seconds
