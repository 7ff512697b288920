"""How many requests are under way."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from placed.driver.network.concurrency_limit import ConcurrencyLimit
from tests.support.deadlines import DEADLINE


def test_it_starts_slowly_and_doubles_with_every_round_trip() -> None:
    limit = ConcurrencyLimit(8)
    windows = [limit.window]
    for _ in range(3):
        for _ in range(int(limit.window)):
            limit.succeeded()
        windows.append(limit.window)
    assert windows == [2, 4, 8, 8]


def test_the_settings_are_never_exceeded() -> None:
    assert ConcurrencyLimit(1).window == 1
    limit = ConcurrencyLimit(3)
    for _ in range(100):
        limit.succeeded()
    assert limit.window == 3


async def test_a_throttle_halves_it_once_for_all_that_were_under_way() -> None:
    limit = ConcurrencyLimit(8)
    limit.window = 8.0
    async with AsyncExitStack() as stack:
        numbers = [await stack.enter_async_context(limit.slot()) for _ in range(8)]
    for number in numbers:
        limit.was_throttled(number)
    assert limit.window == 4
    async with limit.slot() as number:
        limit.was_throttled(number)
    assert limit.window == 2


async def test_it_never_stops_altogether() -> None:
    limit = ConcurrencyLimit(8)
    for _ in range(10):
        async with limit.slot() as number:
            limit.was_throttled(number)
    assert limit.window == 1


async def test_after_a_throttle_it_grows_by_one_a_round_trip() -> None:
    limit = ConcurrencyLimit(8)
    limit.window = 8.0
    async with limit.slot() as number:
        limit.was_throttled(number)
    for _ in range(4):
        limit.succeeded()
    assert 4.5 < limit.window < 5.1


async def test_no_more_are_under_way_than_the_window_allows() -> None:
    limit = ConcurrencyLimit(8)
    under_way = most = 0

    async def ask() -> None:
        nonlocal under_way, most
        async with limit.slot():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    await asyncio.gather(*(ask() for _ in range(50)))
    assert most == 2


async def test_waiting_requests_start_when_the_window_grows() -> None:
    limit = ConcurrencyLimit(8)
    async with limit.slot(), limit.slot():
        third = asyncio.create_task(limit.slot().__aenter__())
        await asyncio.sleep(0)
        assert not third.done()
        limit.succeeded()
        assert await third == 3


async def test_a_cancelled_request_releases_its_place() -> None:
    limit = ConcurrencyLimit(1)
    async with limit.slot():
        waiting = asyncio.create_task(limit.slot().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
    async with asyncio.timeout(DEADLINE), limit.slot():
        pass


async def test_a_requested_pause_is_kept() -> None:
    limit = ConcurrencyLimit(8)
    loop = asyncio.get_running_loop()
    async with limit.slot() as number:
        began = loop.time()
        limit.was_throttled(number, 0.05)
    async with limit.slot():
        assert loop.time() - began >= 0.05


async def test_waiting_requests_are_not_overtaken() -> None:
    limit = ConcurrencyLimit(1)
    order: list[str] = []

    async def ask(name: str, times: int) -> None:
        for _ in range(times):
            async with limit.slot():
                order.append(name)
                await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask("busy", 3))
        group.create_task(ask("patient", 1))
    assert order == ["busy", "patient", "busy", "busy"]


async def test_a_request_that_stops_waiting_blocks_no_other() -> None:
    limit = ConcurrencyLimit(1)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(limit.slot())
        for _ in range(2):
            waiting = asyncio.create_task(stack.enter_async_context(limit.slot()))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
    async with asyncio.timeout(DEADLINE), limit.slot():
        pass


async def test_a_request_cancelled_when_admitted_releases_its_place() -> None:
    limit = ConcurrencyLimit(1)

    async def ask() -> None:
        async with limit.slot():
            pass

    async with limit.slot():
        waiting = asyncio.create_task(ask())
        await asyncio.sleep(0)
    waiting.cancel()  # it has the place by now, and has not heard of it yet
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    async with asyncio.timeout(DEADLINE), limit.slot():
        pass
