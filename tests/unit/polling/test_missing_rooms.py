"""Rooms that a list lacks: what a directory forgets for a moment is not taken from panels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.domain.model import Reason, Status
from tests.unit.polling.poller_setup import PollerSetup

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = ["one", "three", "two"]
FREE = (Status.FREE, None)


def rooms(poller_setup: PollerSetup) -> list[str]:
    return [room.id for room in poller_setup.board.rooms]


async def lists(poller_setup: PollerSetup, *listed: Sequence[str]) -> list[list[str]]:
    """What the rooms are after each list; one is asked for as soon as the poller wants it."""
    seen = []
    for rooms_now in listed:
        poller_setup.driver.rooms = list(rooms_now)
        before = poller_setup.driver.discoveries
        while poller_setup.driver.discoveries == before:
            await poller_setup.steps(1)
        seen.append(rooms(poller_setup))
    return seen


@pytest.mark.parametrize("short", [[], ["two"], ["one", "two"]])
@pytest.mark.parametrize("times", [1, 2, 5])
async def test_lists_that_lack_rooms_which_are_readable_take_none_away(short: list[str], times: int) -> None:
    poller_setup = PollerSetup(*ALL)
    await poller_setup.steps(1)
    assert await lists(poller_setup, *[short] * times, ALL) == [ALL] * (times + 1)
    await poller_setup.steps(300)
    assert [poller_setup.status(room) for room in ALL] == [FREE] * 3
    assert not any(poller_setup.recorder.removed)


@pytest.mark.parametrize("first", [[], ["two"], ALL])
async def test_that_a_room_of_an_earlier_run_was_removed_takes_two_lists(first: list[str]) -> None:
    """Its own list is not stored, or was made under other settings: the broker's topics are all there is."""
    poller_setup = PollerSetup(*first)
    assert not poller_setup.poller.health.rooms_are_sure
    await lists(poller_setup, first)
    assert not poller_setup.board.health["contoso"].rooms_are_sure
    await lists(poller_setup, ALL)
    assert poller_setup.board.health["contoso"].rooms_are_sure


async def test_a_list_that_lacks_a_room_is_requested_again_after_an_interval() -> None:
    poller_setup = PollerSetup(*ALL)
    await poller_setup.steps(301)  # the second list is regular
    poller_setup.driver.rooms = []
    await poller_setup.steps(300)
    moment, discoveries = poller_setup.clock.steady(), poller_setup.driver.discoveries
    await poller_setup.steps(35)
    assert poller_setup.driver.discoveries == discoveries + 1, moment


async def test_lists_that_alternate_take_none_away_though_a_room_cannot_be_read() -> None:
    poller_setup = PollerSetup(*ALL)
    await poller_setup.steps(1)
    poller_setup.driver.failing = {"one": (Reason.FORBIDDEN, None)}
    assert await lists(poller_setup, *[["two", "three"], ALL] * 5) == [ALL] * 10


@pytest.mark.parametrize("reason", [Reason.FORBIDDEN, Reason.NOT_FOUND])
async def test_a_room_that_two_lists_lack_and_that_cannot_be_read_is_gone(reason: Reason) -> None:
    poller_setup = PollerSetup(*ALL)
    await poller_setup.steps(1)
    poller_setup.driver.rooms.remove("one")
    poller_setup.driver.failing = {"one": (reason, None)}
    with capture_logs() as logs:
        await poller_setup.steps(500)
    assert rooms(poller_setup) == ["three", "two"]
    assert [entry["rooms"] for entry in logs if entry["event"] == "rooms.are_missing"] == [["one"]]
    assert poller_setup.poller.health.rooms == 2
    assert not poller_setup.poller.health.failing


@pytest.mark.parametrize("reason", [Reason.THROTTLED, Reason.UNAVAILABLE, Reason.MALFORMED])
async def test_a_missing_room_that_only_fails_for_a_while_is_not_gone(reason: Reason) -> None:
    poller_setup = PollerSetup(*ALL)
    await poller_setup.steps(1)
    poller_setup.driver.failing = {"one": (reason, None)}
    assert await lists(poller_setup, *[["two", "three"]] * 6) == [ALL] * 6


async def test_a_missing_room_that_could_not_be_read_once_is_not_gone() -> None:
    poller_setup = PollerSetup(*ALL)
    await poller_setup.steps(1)
    assert await lists(poller_setup, ["two", "three"]) == [ALL]
    poller_setup.driver.failing = {"one": (Reason.NOT_FOUND, None)}
    await poller_setup.steps(30)
    poller_setup.driver.failing.clear()
    assert await lists(poller_setup, ["two", "three"], ["two", "three"]) == [ALL, ALL]


async def test_a_room_that_left_the_group_is_gone_soon_after_the_fence_refuses_it() -> None:
    poller_setup = PollerSetup(*ALL)
    await poller_setup.steps(1)
    poller_setup.driver.rooms.remove("one")
    await poller_setup.steps(3600)
    assert rooms(poller_setup) == ALL
    poller_setup.driver.failing = {"one": (Reason.FORBIDDEN, None)}
    await poller_setup.steps(150)
    assert rooms(poller_setup) == ["three", "two"]


async def test_a_room_that_comes_back_is_a_room_like_any_other() -> None:
    poller_setup = PollerSetup(*ALL)
    await poller_setup.steps(1)
    poller_setup.driver.rooms, poller_setup.driver.failing = ["two"], {"one": (Reason.NOT_FOUND, None)}
    await poller_setup.steps(600)
    assert rooms(poller_setup) == ["three", "two"]
    poller_setup.driver.rooms, poller_setup.driver.failing = list(ALL), {}
    await poller_setup.steps(320)
    assert [poller_setup.status(room) for room in ALL] == [FREE] * 3


async def test_an_empty_list_at_the_start_is_requested_again_at_growing_intervals() -> None:
    poller_setup = PollerSetup()
    await poller_setup.steps(1000)
    assert poller_setup.driver.discoveries == 6  # after 30, 60, 120, 240 and 300 seconds
