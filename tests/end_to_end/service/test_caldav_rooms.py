"""A daemon with a CalDAV connection: its rooms are published over MQTT and HTTP like any other."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed.doctor import Chart, examine
from placed.driver import Surroundings
from placed.settings.loader import load
from placed_icalendar.simulator.caldav_host import CalDavHost, DavFault, Kind, Where
from tests.support.caldav_server import calendars_toml, simulated_calendars
from tests.support.deployment import Deployment
from tests.support.placed_process import Program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ROOMS = ("aquarium", "library")


class CalDavDeployment:
    """A broker, and a CalDAV server with two rooms."""

    def __init__(self, deployment: Deployment, host: CalDavHost) -> None:
        self.deployment = deployment
        self.host = host

    def book(self, room: str, *, length: timedelta = timedelta(hours=1), summary: str = "Budget") -> None:
        """Somebody books a room from now on."""
        start = self.deployment.clock.now()
        self.host.store.book(room, start, start + length, summary=summary)

    async def findings(self) -> list[dict[str, Any]]:
        """What the doctor finds that is not good."""
        clock = self.deployment.clock
        surroundings = Surroundings(clock.now, 8, details=False, version="1.2.3")
        found = examine(load(self.deployment.file), surroundings, self.deployment.state_directory)
        chart = Chart.of([item async for item in found])
        return [one for one in chart.document()["findings"] if one["verdict"] != "good"]


@pytest.fixture
async def calendars(tmp_path: Path) -> AsyncIterator[CalDavDeployment]:
    async with (
        Deployment.open(tmp_path) as deployment,
        simulated_calendars(deployment.clock.now, *ROOMS) as host,
    ):
        deployment.connections.append(calendars_toml(host, tmp_path))
        deployment.configure()
        yield CalDavDeployment(deployment, host)


async def test_rooms_are_published_over_mqtt_and_http(calendars: CalDavDeployment) -> None:
    deployment = calendars.deployment
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        for room in ROOMS:
            await panel.message(f"placed/rooms/{room}/status", "free")
        seen = len(panel.arrivals)
        calendars.book("aquarium")
        await panel.message("placed/rooms/aquarium/status", "busy", after=seen)
        state = await web.room("aquarium")
        assert (state["status"], state["name"], state["connection"]) == ("busy", "Aquarium", "calendars")
        assert state["current"]["title"] is None  # privacy.show does not ask for it
        assert (await web.room("library"))["status"] == "free"
        (connection,) = (await web.json("/api/v1/connections"))["connections"]
        assert (connection["state"], connection["fence"]["state"]) == ("ok", "verified")
        health = json.loads((await panel.message("placed/bridge/health")).payload)
        assert health["connections"][0]["name"] == "calendars"
        assert (await web.get("/readyz"))[0] == 200


async def test_a_calendar_that_is_shared_later_is_a_room_and_one_that_is_gone_is_none(
    calendars: CalDavDeployment,
) -> None:
    deployment = calendars.deployment
    deployment.configure(polling={"interval": "1s", "rediscover": "1s"})
    async with deployment.daemon(), deployment.listener() as panel:
        await panel.message("placed/rooms/library/status", "free")
        calendars.host.store.add_room("studio")
        calendars.host.account.share("studio")
        await panel.message("placed/rooms/studio/status", "free")
        seen = len(panel.arrivals)
        calendars.host.account.unshare("library")
        await panel.message("placed/rooms/library/state", "", after=seen)


async def test_one_room_that_is_malformed_leaves_the_other_alone(calendars: CalDavDeployment) -> None:
    deployment = calendars.deployment
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await panel.message("placed/rooms/aquarium/status", "free")
        calendars.host.store.put_text("aquarium", "bad", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n")
        await running.has_logged("rooms.became_unreadable")
        seen = len(panel.arrivals)
        calendars.book("library")
        await panel.message("placed/rooms/library/status", "busy", after=seen)
        await panel.until(lambda a: a.topic == "placed/rooms/aquarium/state" and b'"malformed"' in a.payload)
        state = await web.room("aquarium")
        assert (state["stale"], state["reason"]) == (True, "malformed")


async def test_a_breach_ends_a_daemon_that_has_no_other_connection(calendars: CalDavDeployment) -> None:
    calendars.host.account.share("ada")
    deployment = calendars.deployment
    command = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *command) as program:
        assert (await program.logged("fence.was_breached"))["connection"] == "calendars"
        assert await program.ends() == 3


async def test_a_wrong_password_is_logged_with_its_remedy_and_never_shown(
    calendars: CalDavDeployment,
) -> None:
    calendars.host.account.locked = True
    deployment = calendars.deployment
    command = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *command) as program:
        entry = await program.logged("connection.failed")
        assert "app password" in entry["remedy"]
        assert await program.ends() == 3
    shown = "\n".join([*program.err, *program.out])
    assert calendars.host.account.password not in shown
    assert "Traceback" not in shown


async def test_the_doctor_finds_nothing_wrong_where_nothing_is(calendars: CalDavDeployment) -> None:
    calendars.book("library")
    assert await calendars.findings() == []


@pytest.mark.parametrize(
    ("fault", "check", "remedy"),
    [
        (DavFault(kind=Kind.STATUS, where=Where.HOME, status=403), "discovery", "share the calendar"),
        (DavFault(kind=Kind.HTML, where=Where.HOME, status=200), "discovery", "set url"),
        (
            DavFault(kind=Kind.STATUS, where=Where.CALENDAR, status=403, room="library"),
            "readable",
            "",
        ),
        (
            DavFault(kind=Kind.STATUS, where=Where.CALENDAR, status=404, room="library"),
            "readable",
            "share the calendar",
        ),
        (DavFault(kind=Kind.CUT, where=Where.CALENDAR, room="library"), "readable", "raise its limit"),
        (DavFault(kind=Kind.NO_TAG), "tags", "polling.interval"),
    ],
)
async def test_the_doctor_names_the_one_next_step(
    calendars: CalDavDeployment, fault: DavFault, check: str, remedy: str
) -> None:
    calendars.host.faults.add(fault)
    first, *others = await calendars.findings()
    assert first["check"] == check
    assert remedy in first["remedy"]
    assert all(one["blocked_by"] or one["verdict"] == "doubtful" for one in others)
