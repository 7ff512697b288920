"""How many requests are under way: by itself, and against the limits of the simulated service."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Reason
from placed.driver import Failed
from placed_microsoft365.graph.concurrency_limit import Pace

if TYPE_CHECKING:
    from tests.drivers.microsoft365.driver_with_simulator import House
    from tests.drivers.microsoft365.simulator.conftest import Clock


def test_it_starts_slowly_and_doubles_with_every_round_trip() -> None:
    pace = Pace(8)
    windows = [pace.window]
    for _ in range(3):
        for _ in range(int(pace.window)):
            pace.succeeded()
        windows.append(pace.window)
    assert windows == [2, 4, 8, 8]


def test_the_settings_are_never_exceeded() -> None:
    assert Pace(1).window == 1
    pace = Pace(3)
    for _ in range(100):
        pace.succeeded()
    assert pace.window == 3


async def test_a_throttle_halves_it_once_for_all_that_were_under_way() -> None:
    pace = Pace(8)
    pace.window = 8.0
    async with AsyncExitStack() as stack:
        numbers = [await stack.enter_async_context(pace.turn()) for _ in range(8)]
    for number in numbers:
        pace.was_throttled(number)
    assert pace.window == 4
    async with pace.turn() as number:
        pace.was_throttled(number)
    assert pace.window == 2


async def test_it_never_stops_altogether() -> None:
    pace = Pace(8)
    for _ in range(10):
        async with pace.turn() as number:
            pace.was_throttled(number)
    assert pace.window == 1


async def test_after_a_throttle_it_grows_by_one_a_round_trip() -> None:
    pace = Pace(8)
    pace.window = 8.0
    async with pace.turn() as number:
        pace.was_throttled(number)
    for _ in range(4):
        pace.succeeded()
    assert 4.5 < pace.window < 5.1


async def test_no_more_are_under_way_than_the_window_allows() -> None:
    pace = Pace(8)
    under_way = most = 0

    async def ask() -> None:
        nonlocal under_way, most
        async with pace.turn():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    await asyncio.gather(*(ask() for _ in range(50)))
    assert most == 2


async def test_whoever_waits_begins_when_the_window_grows() -> None:
    pace = Pace(8)
    async with pace.turn(), pace.turn():
        third = asyncio.create_task(pace.turn().__aenter__())
        await asyncio.sleep(0)
        assert not third.done()
        pace.succeeded()
        assert await third == 3


async def test_who_is_cancelled_gives_the_place_back() -> None:
    pace = Pace(1)
    async with pace.turn():
        waiting = asyncio.create_task(pace.turn().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
    async with asyncio.timeout(1), pace.turn():
        pass


async def test_a_rest_that_is_asked_for_is_kept() -> None:
    pace = Pace(8)
    loop = asyncio.get_running_loop()
    async with pace.turn() as number:
        began = loop.time()
        pace.was_throttled(number, 0.05)
    async with pace.turn():
        assert loop.time() - began >= 0.05


@pytest.mark.parametrize("limit", [50, 300])
async def test_a_round_over_the_service_s_limit_ends_and_the_window_settles(
    house: House, clock: Clock, limit: int
) -> None:
    rooms = [house.tenant.add_room(f"room-{number}").address for number in range(1000)]
    house.tenant.limits.app_requests = limit
    house.tenant.limits.app_window = timedelta(seconds=10)
    driver = house.open()
    answers = await house.read(driver, *rooms)
    failed = [answer for answer in answers if isinstance(answer, Failed)]
    assert len(failed) == 1000 - limit
    assert {(f.reason, f.retry_after) for f in failed} == {(Reason.THROTTLED, 10.0)}
    assert driver.pace.window < 3
    for _ in range(3):
        clock.advance(seconds=10)
        house.tenant.limits.app_requests = 100_000
        await house.read(driver, *rooms)
    assert driver.pace.window == 8


async def test_nobody_passes_those_who_wait() -> None:
    pace = Pace(1)
    order: list[str] = []

    async def ask(name: str, times: int) -> None:
        for _ in range(times):
            async with pace.turn():
                order.append(name)
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask("busy", 3))
        group.create_task(ask("patient", 1))
    assert order == ["busy", "patient", "busy", "busy"]


async def test_who_gives_up_waiting_keeps_nobody_from_a_place() -> None:
    pace = Pace(1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(pace.turn())
        for _ in range(2):
            waiting = asyncio.create_task(stack.enter_async_context(pace.turn()))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
    async with asyncio.timeout(1), pace.turn():
        pass


async def test_who_gives_up_when_let_in_gives_the_place_back() -> None:
    pace = Pace(1)

    async def ask() -> None:
        async with pace.turn():
            pass

    async with pace.turn():
        waiting = asyncio.create_task(ask())
        await asyncio.sleep(0)
    waiting.cancel()  # it has the place by now, and has not heard of it yet
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    async with asyncio.timeout(1), pace.turn():
        pass
