"""More rooms than requests: the quota is kept, nothing is stale, and bookings are seen at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from placed_google.auth.scopes import EVENTS
from tests.drivers.google.driver_setup import ADA, BOARDROOM, LIBRARY, at
from tests.drivers.google.poller_with_workspace import PolledWorkspace

if TYPE_CHECKING:
    from placed_google import Google
    from tests.drivers.google.driver_setup import DriverSetup

ROOMS = 120
BUDGET = 100  # requests a minute; full readings each 30 seconds would be 240


def on_the_workspace_s_clock(driver_setup: DriverSetup, driver: Google) -> None:
    """Minutes of the budget pass on the simulated clock."""
    clock = driver_setup.clock

    def steady() -> float:
        return clock().timestamp()

    async def sleep(seconds: float) -> None:
        while driver.limit._under_way:  # noqa: ASYNC110 - what was sent arrives before time passes
            await asyncio.sleep(0)
        clock.advance(seconds=seconds)

    driver.budget._time, driver.budget._sleep = steady, sleep
    driver._reader._time = driver._reader._detector._time = steady


async def started(driver_setup: DriverSetup, **settings: Any) -> PolledWorkspace:
    """A building that is polled for some minutes, so that every room was read."""
    workspace = driver_setup.workspace
    for number in range(ROOMS - len(workspace.rooms())):
        workspace.add_room(f"Room {number}")
    workspace.share_rooms(driver_setup.account)
    workspace.limits.per_user_minute = BUDGET * 5 // 4
    driver_setup.account.reads_directory = True
    keys = {"rooms": None, "customer": workspace.customer_id, "requests_per_minute": BUDGET, **settings}
    driver = driver_setup.open(**keys)
    on_the_workspace_s_clock(driver_setup, driver)
    polled = PolledWorkspace(driver_setup, driver)
    await polled.poll(300)
    return polled


def refused(driver_setup: DriverSetup) -> int:
    """How many requests were over the quota."""
    records = driver_setup.simulator.requests
    statuses = [r.status for r in records] + [item.status for r in records for item in r.items]
    return sum(status in (403, 429) for status in statuses)


def stale(polled: PolledWorkspace) -> list[str]:
    rooms = [room.id for room in polled.board.rooms]
    assert len(rooms) == ROOMS
    return [room for room in rooms if polled.occupancy(room).stale]


@pytest.mark.slow
async def test_bookings_are_seen_within_a_poll_and_the_quota_is_kept(driver_setup: DriverSetup) -> None:
    polled = await started(driver_setup)
    workspace = driver_setup.workspace
    seen = []
    for number in range(0, 100, 10):
        workspace.book(f"room-{number}", at(7), at(22), summary="Soon")
        await polled.poll(31)
        seen.append(polled.status(f"room-{number}"))
        assert stale(polled) == []
    assert seen == ["busy"] * 10
    assert refused(driver_setup) == 0


@pytest.mark.slow
async def test_what_free_busy_does_not_show_is_seen_within_minutes(driver_setup: DriverSetup) -> None:
    polled = await started(driver_setup)
    event = driver_setup.workspace.book("room-7", at(7), at(22), summary="Before")
    await polled.poll(31)
    calendar = driver_setup.workspace.calendar("room-7")
    held = calendar.events[event]
    calendar.put(type(held)(**{name: getattr(held, name) for name in held.__slots__} | {"summary": "After"}))
    titles = []
    for _ in range(12):
        await polled.poll(30)
        current = polled.occupancy("room-7").current
        titles.append(current.title if current else None)
    assert titles[0] == "Before"
    assert titles[-1] == "After"
    assert refused(driver_setup) == 0


@pytest.mark.slow
async def test_without_free_busy_the_interval_is_stretched_and_nothing_is_stale(
    driver_setup: DriverSetup,
) -> None:
    """As under delegation, where its scope is not granted."""
    driver_setup.workspace.delegate(driver_setup.account, EVENTS)
    rooms = [driver_setup.workspace.add_room(f"Room {number}").address for number in range(ROOMS - 2)]
    polled = await started(driver_setup, subject=ADA, customer=None, rooms=(BOARDROOM, LIBRARY, *rooms))
    before, begun = len(driver_setup.asked("/events?")), polled.clock.steady()
    for _ in range(20):
        await polled.poll(30)
        assert stale(polled) == []
    readings = len(driver_setup.asked("/events?")) - before
    minutes = (polled.clock.steady() - begun) / 60
    assert 0.7 * BUDGET * minutes < readings <= BUDGET * (minutes + 1)
    assert refused(driver_setup) == 0
