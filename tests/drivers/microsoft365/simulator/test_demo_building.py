"""The demonstration's building lives: something changes every quarter of a minute."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from placed_microsoft365.simulator import Tenant, build, building_of, life, load_scenario

if TYPE_CHECKING:
    from pathlib import Path

    from placed_microsoft365.simulator import Scenario
    from tests.drivers.microsoft365.simulator.conftest import Clock


def occupied(tenant: Tenant, at: datetime) -> set[str]:
    """Rooms in which a meeting runs that occupies them."""
    return {
        room.name
        for room in tenant.rooms()
        for meeting in tenant.meetings(room)
        if meeting.start <= at < meeting.end
        and not meeting.cancelled
        and meeting.show_as != "free"
        and meeting.response != "declined"
    }


@pytest.fixture
def scenario() -> Scenario:
    return load_scenario()


def test_the_building_has_rooms_on_three_floors_and_a_day_of_all_kinds(
    scenario: Scenario, clock: Clock
) -> None:
    tenant = build(scenario, clock)
    assert len(tenant.rooms()) == 12
    assert {room.floor for room in tenant.rooms()} == {0, 1, 2}
    assert all(room.capacity for room in tenant.rooms())
    meetings = [meeting for room in tenant.rooms() for meeting in tenant.meetings(room)]
    assert any(meeting.all_day for meeting in meetings)
    assert any(meeting.cancelled for meeting in meetings)
    assert any(meeting.sensitivity == "private" for meeting in meetings)
    assert {meeting.show_as for meeting in meetings} == {"busy", "tentative", "free"}
    assert all(meeting.start.second == 0 for meeting in meetings)
    assert 0 < len(occupied(tenant, clock())) < 12


def test_meetings_lie_around_the_whole_minute_of_the_start(scenario: Scenario) -> None:
    start = datetime(2026, 10, 6, 7, 30, 42, tzinfo=UTC)
    tenant = build(scenario, lambda: start)
    assert tenant.meetings("willow")[0].start == datetime(2026, 10, 6, 7, 31, tzinfo=UTC)


async def live(tenant: Tenant, clock: Clock, steps: int, seed: int = 1) -> list[str]:
    """Let so many things happen, in no time; returns what was reported."""
    reported: list[str] = []
    over = asyncio.Event()

    async def sleep(length: float) -> None:
        if len(reported) == steps:
            over.set()
            await asyncio.Event().wait()
        clock.advance(seconds=length)

    living = asyncio.create_task(life(tenant, seed=seed, sleep=sleep, report=reported.append))
    await over.wait()
    living.cancel()
    with pytest.raises(asyncio.CancelledError):
        await living
    return reported


async def test_the_same_seed_produces_the_same_meetings(scenario: Scenario, clock: Clock) -> None:
    start = clock.moment
    lives = []
    for seed in (1, 1, 2):
        clock.moment = start
        lives.append(await live(build(scenario, clock), clock, 50, seed))
    assert lives[0] == lives[1] != lives[2]


@pytest.mark.parametrize("seed", range(5))
async def test_something_changes_every_quarter_of_a_minute(
    scenario: Scenario, clock: Clock, seed: int
) -> None:
    """Seen as a panel sees it: which rooms are occupied, every few seconds for half an hour."""
    tenant = build(scenario, clock)
    changes: list[datetime] = []
    seen = occupied(tenant, clock())
    begin = clock()

    async def sleep(length: float) -> None:
        nonlocal seen
        until = clock.moment + timedelta(seconds=length)
        while clock.moment < until:
            clock.moment = min(until, clock.moment + timedelta(seconds=1))
            now_seen = occupied(tenant, clock())
            if now_seen != seen:
                changes.append(clock())
            seen = now_seen
        if clock() > begin + timedelta(minutes=30):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await life(tenant, seed=seed, sleep=sleep)
    gaps = [(after - before).total_seconds() for before, after in pairwise(changes)]
    assert max(gaps) < 20


async def test_a_long_run_stays_small_and_balanced(scenario: Scenario, clock: Clock) -> None:
    tenant = build(scenario, clock)
    for _ in range(10):
        await live(tenant, clock, 300)
        assert 0 < len(occupied(tenant, clock())) < 12
        assert sum(len(tenant.meetings(room)) for room in tenant.rooms()) < 800


async def test_nothing_happens_where_there_is_no_room(clock: Clock) -> None:
    assert await live(Tenant(now=clock), clock, 2) == ["nothing: there is no room"] * 2


def test_a_big_building_has_eight_meetings_a_day_in_each_room(clock: Clock) -> None:
    tenant = building_of(25, clock)
    assert [len(tenant.meetings(room)) for room in tenant.rooms()] == [8] * 25


def test_a_scenario_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "odd.toml"
    path.write_text('[[rooms]]\nmailbox = "a"\nname = "A"\nmood = "good"\n')
    with pytest.raises(ValueError, match="mood"):
        load_scenario(path)
