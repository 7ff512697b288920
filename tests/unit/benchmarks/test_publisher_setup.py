from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from placed.domain.release_date import RELEASED
from tests.benchmarks.harness.publisher_setup import ForwardClock
from tests.benchmarks.servers import graph_responses

NOON = datetime(2026, 1, 8, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def test_a_sleep_ends_when_the_clock_is_put_forward_beyond_its_end() -> None:
    clock = ForwardClock(NOON)
    sleep = asyncio.create_task(clock.sleep(HOUR.total_seconds()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    clock.put_forward(NOON + HOUR)

    async with asyncio.timeout(10):
        await sleep


async def test_a_sleep_goes_on_when_the_clock_is_put_forward_before_its_end() -> None:
    clock = ForwardClock(NOON)
    sleep = asyncio.create_task(clock.sleep(HOUR.total_seconds()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    clock.put_forward(NOON + HOUR / 2)
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert not sleep.done()
    sleep.cancel()


def test_the_day_of_the_measures_is_after_the_release() -> None:
    """Else the time counts as not known, and what is measured are rooms that are all unknown."""
    assert graph_responses.TODAY > RELEASED
