"""Rooms that were written to are read out of turn."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from placed.domain.model import Reason
from placed.polling.requested_readings import RequestedReadings
from placed.settings.polling_settings import Polling
from tests.support.deadlines import DEADLINE
from tests.unit.polling.poller_setup import PollerSetup


def test_a_room_is_read_now_and_four_times_more_within_half_a_minute() -> None:
    requested = RequestedReadings()
    requested.add("one", 100.0)
    times = []
    while requested.next < 1000:
        times.append(requested.next - 100)
        assert requested.take(requested.next) == {"one"}
    assert times == [0, 2, 5, 10, 30]


def test_the_latest_request_counts_of_a_room_and_the_others_stay() -> None:
    requested = RequestedReadings()
    requested.add("one", 100.0, (0.0, 30.0))
    requested.add("two", 101.0, (0.0,))
    requested.add("one", 102.0, (1.0,))
    assert requested.take(102.0) == {"two"}
    assert requested.next == 103.0


@pytest.mark.parametrize("budget", [None, 600])
async def test_a_room_that_was_written_to_is_read_between_the_rounds(budget: int | None) -> None:
    setup = PollerSetup("one", "two", polling=Polling(interval=timedelta(seconds=300), budget=budget))
    await setup.poller.step()
    setup.clock.pass_(7)
    setup.poller.read_soon("two")
    await setup.steps(31)
    assert [when - 7 for when, rooms in setup.asked()[1:] if "two" in rooms] == [0, 2, 5, 10, 30]


async def test_a_room_that_pauses_since_the_service_throttles_is_not_read_sooner() -> None:
    setup = PollerSetup("one", "two")
    setup.driver.failing["two"] = (Reason.THROTTLED, 20.0)
    await setup.poller.step()
    setup.driver.failing.clear()
    setup.clock.pass_(3)
    setup.poller.read_soon("two")
    await setup.steps(18)
    assert setup.asked() == [(0, "one two"), (20, "two")]


async def test_a_sleeping_poller_wakes_to_read_a_room_that_was_written_to() -> None:
    setup = PollerSetup("one")
    asleep, wake, read = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        del seconds
        asleep.set()
        await wake.wait()

    setup.clock.sleep = sleep  # type: ignore[method-assign]
    polling = asyncio.create_task(setup.poller.run())
    async with asyncio.timeout(DEADLINE):
        await asleep.wait()
        setup.poller.progress = read.set
        setup.poller.read_soon("one")
        await read.wait()
    polling.cancel()
