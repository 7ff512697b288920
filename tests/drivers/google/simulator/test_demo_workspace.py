"""The demonstration's building in a Workspace."""

from __future__ import annotations

import ssl
import tomllib
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp

from placed_google.simulator import Workspace, build, building_of
from placed_google.simulator.demo import demo
from placed_google.simulator.scenario.workspace_building import WorkspaceBuilding
from placed_simulator.building_file import load_scenario
from placed_simulator.building_life import BuildingChanges

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.google.simulator.conftest import Clock


def occupied(workspace: Workspace) -> set[str]:
    """Rooms in which a meeting runs that occupies them."""
    now = workspace.now()
    return {
        room.name
        for room in workspace.rooms()
        if any(
            event.makes_busy(room.address)
            for event in workspace.calendar(room).within(now, now + timedelta(seconds=1))
        )
    }


def test_the_building_has_rooms_on_three_floors_and_a_day_of_all_kinds(clock: Clock) -> None:
    workspace = build(load_scenario(), clock)
    assert len(workspace.rooms()) == 12
    assert {room.floor for room in workspace.rooms()} == {"0", "1", "2"}
    events = [(room, event) for room in workspace.rooms() for event in workspace.events(room)]
    assert any(event.all_day for _, event in events)
    assert {event.status for _, event in events} == {"confirmed", "tentative", "cancelled"}
    assert any(event.visibility == "private" for _, event in events)
    assert any(event.transparency == "transparent" for _, event in events)
    answers = {own.response for room, event in events if (own := event.own(room.address)) is not None}
    assert answers >= {"accepted", "tentative", "needsAction"}
    assert 0 < len(occupied(workspace)) < 12


def test_a_long_life_stays_small_and_balanced(clock: Clock) -> None:
    workspace = build(load_scenario(), clock)
    changes = BuildingChanges(WorkspaceBuilding(workspace), seed=1)
    seen = set()
    for _ in range(400):
        clock.advance(seconds=8)
        assert changes.step()
        seen.add(frozenset(occupied(workspace)))
        assert 0 < len(occupied(workspace)) < 12
    assert len(seen) > 50
    assert sum(len(workspace.events(room)) for room in workspace.rooms()) < 800


def test_a_big_building_has_eight_meetings_a_day_in_each_room(clock: Clock) -> None:
    workspace = building_of(25, clock)
    assert [len(workspace.events(room)) for room in workspace.rooms()] == [8] * 25


async def test_the_demo_gives_a_connection_that_leads_to_it(tmp_path: Path) -> None:
    async with demo(tmp_path, 2) as settings:
        (connection,) = tomllib.loads(settings)["connections"]
        assert connection["driver"] == "google"
        assert connection["key_file"] == str(tmp_path / "placed-key.json")
        context = ssl.create_default_context(cafile=connection["ca_file"])
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{connection['calendar_url']}/_control/accounts", ssl=context) as response,
        ):
            (account,) = await response.json()
    assert account["reads_directory"] is True
    assert account["delegated"] == []
