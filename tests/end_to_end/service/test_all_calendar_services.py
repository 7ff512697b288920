"""All drivers side by side in one daemon: Microsoft 365, Google Workspace, feeds and CalDAV."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed.mqtt.topics import Topics
from placed_google.simulator.scenario.daemon_access import let_in
from placed_icalendar.simulator.feed_host.feed_building import settings_toml
from tests.support.caldav_server import calendars_toml, simulated_calendars
from tests.support.deployment import Deployment
from tests.support.feed_host import simulated_feeds
from tests.support.google_workspace import simulated_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_google.simulator import Simulator
    from placed_icalendar.simulator.caldav_host import CalDavHost
    from placed_icalendar.simulator.feed_host import FeedHost
    from placed_simulator.loopback_server import LoopbackServer
    from tests.support.mosquitto import Arrival

# The driver of each connection, and its room.
DRIVERS = {"contoso": "microsoft365", "fabrikam": "google", "feeds": "icalendar", "calendars": "caldav"}
ROOM_OF = {"contoso": "boardroom", "fabrikam": "aquarium", "feeds": "studio", "calendars": "workshop"}
# What differs from room to room whatever the service.
OWN = {"room", "name", "connection", "changed_at", "observed_at", "valid_until", "seq", "epoch"}


class AllServices:
    """A room at each service."""

    def __init__(
        self, deployment: Deployment, google: Simulator, feeds: FeedHost, calendars: CalDavHost
    ) -> None:
        self.deployment = deployment
        self.hosts: dict[str, LoopbackServer] = {
            "contoso": deployment.simulator,
            "fabrikam": google,
            "feeds": feeds,
            "calendars": calendars,
        }
        self._desks: dict[str, Any] = {
            "contoso": deployment.tenant,
            "fabrikam": google.workspace,
            "feeds": feeds.publisher,
            "calendars": calendars.store,
        }

    def book(self, connection: str) -> None:
        """Somebody books the connection's room for an hour from now on."""
        start = self.deployment.clock.now().replace(microsecond=0)
        self._desks[connection].book(ROOM_OF[connection], start, start + timedelta(hours=1))


@pytest.fixture
async def services(tmp_path: Path) -> AsyncIterator[AllServices]:
    async with (
        Deployment.open(tmp_path) as deployment,
        simulated_workspace(deployment.clock.now) as google,
        simulated_feeds(deployment.clock.now, ROOM_OF["feeds"]) as feeds,
        simulated_calendars(deployment.clock.now, ROOM_OF["calendars"]) as calendars,
    ):
        deployment.connect("contoso", rooms=[ROOM_OF["contoso"]])
        google.workspace.add_room("Aquarium")
        deployment.connections += [
            let_in(google, tmp_path),
            settings_toml(feeds, tmp_path),
            calendars_toml(calendars, tmp_path),
        ]
        deployment.configure(
            home_assistant={"discovery": True}, occupancy={"stale_after": "3s", "expire_after": "1h"}
        )
        yield AllServices(deployment, google, feeds, calendars)


def is_stale(arrival: Arrival, room: str) -> bool:
    """Whether it states that the room was not read for some time."""
    return arrival.topic == f"placed/rooms/{room}/state" and arrival.document["stale"] is True


async def test_a_booking_is_published_alike_whatever_the_service(services: AllServices) -> None:
    deployment = services.deployment
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        listed = (await web.json("/api/v1/rooms"))["rooms"]
        assert {(room["room"], room["connection"]) for room in listed} == {
            (room, connection) for connection, room in ROOM_OF.items()
        }
        states = []
        for connection, room in ROOM_OF.items():
            await panel.message(f"placed/rooms/{room}/status", "free")
            seen = len(panel.arrivals)
            services.book(connection)
            await panel.message(f"placed/rooms/{room}/status", "busy", after=seen)
            document = panel.latest[f"placed/rooms/{room}/state"].document
            answered = await web.room(room)
            assert (answered["status"], answered["current"]) == ("busy", document["current"])
            assert await web.metric("placed_room_occupied", room=room) == 1
            assert document["current"].pop("start")
            assert document["current"].pop("end")
            kept = document.keys() - OWN - {"busy_until", "free_until"}
            states.append({key: document[key] for key in kept})
        assert all(state == states[0] for state in states)


async def test_health_and_metrics_show_every_connection(services: AllServices) -> None:
    deployment = services.deployment
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        for room in ROOM_OF.values():
            await panel.message(f"placed/rooms/{room}/status", "free")
        found = (await web.json("/api/v1/connections"))["connections"]
        assert {one["name"]: one["driver"] for one in found} == DRIVERS
        assert {one["state"] for one in found} == {"ok"}
        assert all(one.keys() == found[0].keys() for one in found)
        fences = {one["name"]: one["fence"]["state"] for one in found}
        assert (fences["fabrikam"], fences["feeds"], fences["calendars"]) == (
            "verified",
            "unproven",  # everybody who has the link of a feed can read it
            "verified",
        )
        for name in DRIVERS:
            assert await web.metric("placed_connection_up", connection=name) == 1
        assert (await web.get("/readyz"))[0] == 200
        health = json.loads((await panel.message("placed/bridge/health")).payload)
        assert {one["name"] for one in health["connections"]} == set(DRIVERS)


async def test_home_assistant_gets_the_same_entities_for_a_room_of_each_service(
    services: AllServices,
) -> None:
    topics = Topics("placed", discovery="homeassistant")
    deployment = services.deployment
    async with deployment.listener("homeassistant/#") as seen, deployment.daemon():
        found = []
        for room in ROOM_OF.values():
            configs = topics.room_configs(room)
            for topic in configs.values():
                await seen.message(topic)
            found.append({e: json.loads(seen.latest[t].payload).keys() for e, t in configs.items()})
        assert all(entities == found[0] for entities in found)


@pytest.mark.parametrize("down", DRIVERS)
async def test_a_service_that_is_down_leaves_the_rooms_of_the_others_alone(
    services: AllServices, down: str
) -> None:
    deployment = services.deployment

    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        for room in ROOM_OF.values():
            await panel.message(f"placed/rooms/{room}/status", "free")
        async with services.hosts[down].outage():
            await panel.until(lambda arrival: is_stale(arrival, ROOM_OF[down]))
            for connection in DRIVERS.keys() - {down}:
                room, seen = ROOM_OF[connection], len(panel.arrivals)
                services.book(connection)
                await panel.message(f"placed/rooms/{room}/status", "busy", after=seen)
                assert await web.metric("placed_connection_up", connection=connection) == 1
        seen = len(panel.arrivals)
        services.book(down)
        await panel.message(f"placed/rooms/{ROOM_OF[down]}/status", "busy", after=seen)


async def test_no_secret_of_any_connection_is_logged_or_answered(services: AllServices) -> None:
    deployment = services.deployment
    feeds, calendars = services.hosts["feeds"], services.hosts["calendars"]
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        for room in ROOM_OF.values():
            await panel.message(f"placed/rooms/{room}/status", "free")
        async with feeds.outage(), calendars.outage():
            await panel.until(
                lambda a: a.topic == "placed/rooms/studio/state" and a.document["stale"] is True
            )
        shown = json.dumps([await web.json("/api/v1/connections"), await web.json("/api/v1/rooms")])
        shown += repr(running.logs) + repr([arrival.payload for arrival in panel.arrivals])
    assert "private-" not in shown
    assert "horse-battery" not in shown
