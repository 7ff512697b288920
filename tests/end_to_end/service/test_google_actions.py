"""A panel books and ends a room of Google Workspace at the real daemon, by a second service account."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from placed_google.simulator import Role
from tests.support.acting_panels import ALLOWED, panels_file, payload, post
from tests.support.deployment import Deployment
from tests.support.google_workspace import connection_toml, make_key_file, simulated_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_google.simulator import Event, Workspace

ROOM = "placed/rooms/aquarium"
STATE = f"{ROOM}/state"
MINUTE = timedelta(minutes=1)


class ActionRoom:
    """The room Aquarium, which is read as one service account and written as another."""

    def __init__(self, deployment: Deployment, workspace: Workspace) -> None:
        self.deployment = deployment
        self.workspace = workspace

    def events(self) -> list[Event]:
        """What makes it busy in truth."""
        calendar = self.workspace.calendar("Aquarium")
        return [event for event in calendar.events.values() if event.makes_busy(calendar.id)]


@pytest.fixture
async def aquarium(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[ActionRoom]:
    end = getattr(request, "param", "shorten")
    async with (
        Deployment.open(tmp_path) as deployment,
        simulated_workspace(deployment.clock.now) as simulator,
    ):
        workspace = simulator.workspace
        room = workspace.add_room("Aquarium")
        reader, writer = (workspace.add_service_account(name) for name in ("placed", "placed-actions"))
        workspace.share_rooms(reader, Role.READER)
        workspace.share_rooms(writer, Role.WRITER)
        key_file = make_key_file(simulator, writer, tmp_path / "writer.json")
        keys = {"key_file": str(key_file), "allow": ALLOWED, "end": end}
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        actions = "\n".join(
            ["[connections.actions]", *lines, f'[rooms."{room.address}"]', 'name = "Aquarium"\n']
        )
        reading = make_key_file(simulator, reader, tmp_path / "reader.json")
        deployment.connections = [connection_toml(simulator, reading, actions=actions)]
        panels = str(panels_file(deployment.folder))
        deployment.configure(http={"listen": "127.0.0.1:0", "panel_tokens": panels})
        yield ActionRoom(deployment, workspace)


async def test_a_room_is_booked_and_ended_at_its_panel(aquarium: ActionRoom) -> None:
    deployment = aquarium.deployment
    until = deployment.clock.now().replace(second=0, microsecond=0) + 30 * MINUTE
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await panel.message("placed/rooms/aquarium/status", "free")
        assert (await post(web.url, "book", room="aquarium", until=until))[0] in (200, 202)
        state = await panel.until(lambda a: a.topic == STATE and a.document["status"] == "busy")
        (event,) = aquarium.events()
        assert (event.end, event.attendees) == (until, ())

        meeting = datetime.fromisoformat(state.document["current"]["start"])
        assert (await post(web.url, "end", room="aquarium", meeting=meeting))[0] in (200, 202)
        seen = state.document["current"]["end"]
        await panel.until(
            lambda a: (
                a.topic == STATE and (a.document["current"] is None or a.document["current"]["end"] != seen)
            )
        )
        assert all(one.end < until for one in aquarium.events())


@pytest.mark.parametrize("aquarium", ["decline"], indirect=True)
async def test_a_persons_meeting_is_ended_by_declining_it(aquarium: ActionRoom) -> None:
    deployment = aquarium.deployment
    now = deployment.clock.now()
    event = aquarium.workspace.book("Aquarium", now - 5 * MINUTE, now + 55 * MINUTE)
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        state = await panel.until(lambda a: a.topic == STATE and a.document["status"] == "busy")
        meeting = datetime.fromisoformat(state.document["current"]["start"])
        assert (await post(web.url, "end", room="aquarium", meeting=meeting))[0] in (200, 202)
        await panel.until(lambda a: a.topic == STATE and a.document["status"] == "free")
        own = aquarium.workspace.event(event).own(aquarium.workspace.calendar("Aquarium").id)
        assert own is not None
        assert (own.response, own.comment) == ("declined", "The meeting was ended at the room.")


async def test_a_room_is_booked_and_ended_over_mqtt_and_the_audit_names_the_event(
    aquarium: ActionRoom,
) -> None:
    deployment = aquarium.deployment
    until = deployment.clock.now().replace(second=0, microsecond=0) + 30 * MINUTE
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, _):
        await running.has_logged("commands.are_taken")
        outcomes = []
        state = None
        for action in ("book", "end"):
            key = str(uuid4())
            meeting: datetime | None = (
                None if state is None else datetime.fromisoformat(state.document["current"]["start"])
            )
            command = payload(key, until if action == "book" else None, meeting)
            await panel.publish(f"{ROOM}/command/{action}", command)
            await panel.publish(f"{ROOM}/command/{action}", command)  # as QoS 1 may
            final = await panel.until(
                lambda a, key=key: (  # type: ignore[misc]
                    a.topic == f"{ROOM}/response"
                    and (a.document["key"], a.document["outcome"] != "accepted") == (key, True)
                )
            )
            outcomes.append((final.document["action"], final.document["outcome"], final.document["reason"]))
            if action == "book":
                state = await panel.until(lambda a: a.topic == STATE and a.document["status"] == "busy")
                (event,) = aquarium.events()
        assert outcomes == [("book", "done", None), ("end", "done", None)]
        assert all(one.end < until for one in aquarium.events())
        requests = [line["request"] for line in running.logged("action.audit") if "status" in line]
        assert requests == [event.id, event.id]
        assert event.summary is not None
        assert event.summary not in str(running.logged("action.audit"))


async def test_a_booking_whose_answer_is_lost_is_found_and_done(aquarium: ActionRoom) -> None:
    deployment = aquarium.deployment
    until = deployment.clock.now().replace(second=0, microsecond=0) + 30 * MINUTE
    aquarium.workspace.faults.lost_answer()
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, _):
        await running.has_logged("commands.are_taken")
        key = str(uuid4())
        await panel.publish(f"{ROOM}/command/book", payload(key, until))
        final = await panel.until(
            lambda a: a.topic == f"{ROOM}/response" and a.document["outcome"] != "accepted"
        )
        assert (final.document["key"], final.document["outcome"]) == (key, "done")
        (order,) = [line for line in running.logged("action.audit") if "status" in line]
        (event,) = aquarium.events()
        assert (order["status"], order["request"]) == ("unclear", event.id)
