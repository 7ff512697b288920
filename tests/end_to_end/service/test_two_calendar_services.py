"""Microsoft 365 and Google Workspace in one daemon: subscribers and clients see rooms, and no difference."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed.mqtt.topics import Topics
from placed_google.simulator import Role, Simulator
from tests.support.deployment import Deployment
from tests.support.google_workspace import connection_toml, make_key_file, simulated_workspace
from tests.support.placed_process import Program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_google.simulator import ServiceAccount

PLACES = ("room", "connection", "building")


class Two:
    """Two rooms of each service, each service with a room called Library."""

    def __init__(self, deployment: Deployment, simulator: Simulator, account: ServiceAccount) -> None:
        self.deployment = deployment
        self.simulator = simulator
        self.workspace = simulator.workspace
        self.account = account

    def book(self, room: str, *, length: timedelta = timedelta(hours=1)) -> None:
        """Somebody books a room from now on, by its name."""
        start = self.deployment.clock.now()
        if room in {"boardroom", "library"}:
            self.deployment.tenant.book(room, start, start + length)
        else:
            self.workspace.book(room, start, start + length)


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Two]:
    async with (
        Deployment.open(tmp_path) as deployment,
        simulated_workspace(deployment.clock.now) as simulator,
    ):
        workspace = simulator.workspace
        for name in ("Aquarium", "Library"):
            workspace.add_room(name, building="Pier 4", floor="1", capacity=6)
        account = workspace.add_service_account()
        account.reads_directory = True
        workspace.share_rooms(account)
        deployment.connect("contoso")
        key_file = make_key_file(simulator, account, tmp_path / "fabrikam.json")
        listed = connection_toml(simulator, key_file)
        start = listed.index("rooms = ")
        rooms = listed[start : listed.index("\n", start)]
        deployment.connections.append(listed.replace(rooms, f'customer = "{workspace.customer_id}"'))
        deployment.configure(home_assistant={"discovery": True})
        yield Two(deployment, simulator, account)


def without_moments(document: dict[str, Any]) -> dict[str, Any]:
    """What is the same of any two rooms of the same state."""
    own = {"room", "name", "connection", "changed_at", "observed_at", "valid_until", "seq", "epoch"}
    return {key: value for key, value in document.items() if key not in own}


async def test_rooms_of_both_services_are_published_alike(two: Two) -> None:
    async with two.deployment.daemon() as running, two.deployment.ways_out(running) as (panel, web):
        listed = (await web.json("/api/v1/rooms"))["rooms"]
        assert [tuple(room[key] for key in PLACES) for room in listed] == [
            ("aquarium", "fabrikam", "Pier 4"),
            ("boardroom", "contoso", None),
            ("fabrikam-library", "fabrikam", "Pier 4"),
            ("library", "contoso", None),
        ]
        for room in listed:
            await panel.message(f"placed/rooms/{room['room']}/status", "free")
        index = json.loads((await panel.message("placed/rooms")).payload)
        assert [room["id"] for room in index["rooms"]] == [room["room"] for room in listed]

        states = []
        for room in ("aquarium", "boardroom"):
            seen = len(panel.arrivals)
            two.book(room)
            await panel.message(f"placed/rooms/{room}/status", "busy", after=seen)
            states.append(panel.latest[f"placed/rooms/{room}/state"].document)
            assert (await web.room(room))["status"] == "busy"
            assert await web.metric("placed_room_occupied", room=room) == 1
        google, microsoft = map(without_moments, states)
        for moment in ("start", "end"):
            assert google["current"].pop(moment)
            assert microsoft["current"].pop(moment)
        for key in ("busy_until", "free_until"):
            google.pop(key, None)
            microsoft.pop(key, None)
        assert google == microsoft


async def test_health_and_metrics_show_both_connections(two: Two) -> None:
    async with two.deployment.daemon() as running, two.deployment.ways_out(running) as (panel, web):
        found = (await web.json("/api/v1/connections"))["connections"]
        assert {(one["name"], one["driver"], one["state"]) for one in found} >= {
            ("contoso", "microsoft365", "ok"),
            ("fabrikam", "google", "ok"),
        }
        assert found[0].keys() == found[1].keys()
        by_name = {one["name"]: one for one in found}
        assert by_name["fabrikam"]["fence"]["state"] == "verified"
        for name in by_name:
            assert await web.metric("placed_connection_up", connection=name) == 1
        assert (await web.get("/readyz"))[0] == 200
        health = json.loads((await panel.message("placed/bridge/health")).payload)
        assert len(health["connections"]) == 2


async def test_home_assistant_gets_a_device_for_each_room_of_either(two: Two) -> None:
    topics = Topics("placed", discovery="homeassistant")
    async with two.deployment.listener("homeassistant/#") as seen, two.deployment.daemon():
        rooms = ("aquarium", "boardroom", "fabrikam-library", "library")
        wanted = [topics.room_configs(room) for room in rooms]
        for configs in wanted:
            for topic in configs.values():
                await seen.message(topic)
        google, microsoft = (
            {entity: json.loads(seen.latest[topic].payload).keys() for entity, topic in configs.items()}
            for configs in wanted[:2]
        )
        assert google == microsoft


async def test_one_service_that_is_down_leaves_the_other_s_rooms_alone(two: Two) -> None:
    async with two.deployment.daemon() as running, two.deployment.ways_out(running) as (panel, web):
        await panel.message("placed/rooms/aquarium/status", "free")
        async with two.deployment.outage():
            await running.failing()
            seen = len(panel.arrivals)
            two.book("aquarium")
            await panel.message("placed/rooms/aquarium/status", "busy", after=seen)
        assert {one["name"] for one in (await web.json("/api/v1/connections"))["connections"]} == {
            "contoso",
            "fabrikam",
        }


async def test_a_breach_at_one_service_stops_that_connection_only(two: Two) -> None:
    two.workspace.share("ada@fabrikam.example", two.account, Role.READER)
    async with two.deployment.daemon() as running, two.deployment.ways_out(running) as (panel, web):
        assert (await running.has_logged("fence.was_breached"))["connection"] == "fabrikam"
        await panel.message("placed/rooms/boardroom/status", "free")
        two.book("boardroom")
        await panel.message("placed/rooms/boardroom/status", "busy")
        for room in ("aquarium", "fabrikam-library"):
            state = await web.room(room)
            assert (state["status"], state["reason"]) == ("unknown", "breached")


async def test_google_s_connection_is_added_and_removed_by_reloads_while_the_other_goes_on(two: Two) -> None:
    deployment = two.deployment
    both = list(deployment.connections)

    async def reload(connections: list[str]) -> None:
        deployment.connections = connections
        deployment.configure()
        program.signal(signal.SIGHUP)

    deployment.connections = both[:1]
    deployment.configure()
    command = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *command) as program, deployment.listener() as panel:
        await program.logged("daemon.became_ready")
        await panel.message("placed/rooms/boardroom/status", "free")
        await panel.caught_up()
        before, logins = len(panel.arrivals), deployment.logins
        await reload(both)
        for room in ("aquarium", "fabrikam-library"):
            await panel.message(f"placed/rooms/{room}/status", "free")
        added = len(panel.arrivals)
        await reload(both[:1])
        for room in ("aquarium", "fabrikam-library"):
            await panel.message(f"placed/rooms/{room}/state", "", after=added)
        await panel.until(lambda a: a.topic == "placed/rooms" and b"aquarium" not in a.payload, after=added)
        assert {
            arrival.payload for arrival in panel.arrivals[before:] if "boardroom/status" in arrival.topic
        } <= {b"free"}
        assert deployment.logins == logins
        assert "Traceback" not in "\n".join(program.err)
