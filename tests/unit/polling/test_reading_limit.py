"""A service that answers few requests a minute: rooms are read less often, and stay fresh meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.polling.adaptive import AdaptivePlanner, AdaptivePolicy
from placed.settings.polling_settings import Polling
from tests.support.domain_builders import room
from tests.unit.polling.poller_setup import PollerSetup, ScriptedDriver

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.domain_builders import FakeClock


class LimitedDriver(ScriptedDriver):
    """Reads a room every twenty seconds at most."""

    def __init__(self, clock: FakeClock, rooms: Sequence[str]) -> None:
        super().__init__(clock, rooms)
        self.seconds = 20.0

    def shortest_interval(self, rooms: int) -> timedelta:
        return timedelta(seconds=self.seconds * rooms)


async def test_rooms_that_fit_are_read_as_the_settings_ask() -> None:
    poller_setup = PollerSetup("one", kind=LimitedDriver)
    await poller_setup.steps(90)
    assert [when for when, _ in poller_setup.asked()] == [0, 30, 60]


async def test_more_rooms_stretch_the_interval_and_it_is_logged_once() -> None:
    with capture_logs() as logs:
        poller_setup = PollerSetup("one", "two", "three", kind=LimitedDriver)
        await poller_setup.steps(700)
    assert [when for when, _ in poller_setup.asked()][:4] == [0, 60, 120, 180]
    (logged,) = [log for log in logs if log["event"] == "polling.interval_is_stretched"]
    assert (logged["rooms"], logged["seconds"]) == (3, 60)


async def test_a_stretched_interval_makes_no_room_stale() -> None:
    poller_setup = PollerSetup(*(f"room-{n}" for n in range(10)), kind=LimitedDriver)
    for _ in range(60):  # fifteen minutes; rooms are read every 200 seconds
        await poller_setup.steps(15)
        statement = poller_setup.board.statement("room-0")
        assert statement
        assert not statement.occupancy.stale


async def test_an_interval_follows_what_the_service_allows_now() -> None:
    poller_setup = PollerSetup("one", "two", kind=LimitedDriver)
    await poller_setup.steps(40)
    assert isinstance(poller_setup.driver, LimitedDriver)
    poller_setup.driver.seconds = 60.0
    await poller_setup.steps(240)
    assert [when for when, _ in poller_setup.asked()] == [0, 40, 160]


@pytest.mark.parametrize(("shortest", "budget"), [(0.0, 100), (60.0, 50), (600.0, 5), (6.0, 100)])
def test_a_budget_is_limited_to_what_the_service_allows(shortest: float, budget: int) -> None:
    planner = AdaptivePlanner(AdaptivePolicy(100, 30.0, 300.0), lambda: 0.0, lambda _rooms: shortest)
    planner.enroll([room(f"room-{n}") for n in range(50)])
    assert len(planner.take_due(0.0)) == min(50, budget)
    assert planner._allowance.left(0.0) == budget - min(50, budget)


async def test_with_a_budget_no_more_rooms_are_read_than_the_service_allows() -> None:
    polling = Polling(interval=timedelta(seconds=30), budget=100)
    poller_setup = PollerSetup(*(f"room-{n}" for n in range(20)), kind=LimitedDriver, polling=polling)
    await poller_setup.steps(1200)
    readings = [(when, len(rooms.split())) for when, rooms in poller_setup.asked()]
    for start, _ in readings:
        assert sum(count for when, count in readings if start <= when < start + 59) <= 3
