"""A day of two connections in which every message that is published to integrators occurs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import aiohttp

from placed.domain.action import Action, Command
from placed_microsoft365.simulator import Tenant, make_client_certificate
from tests.support.acting_panels import TOKEN as DOOR
from tests.support.acting_panels import panels_file
from tests.support.adjustable_clock import LeapingClock
from tests.support.deployment import Deployment
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_microsoft365.simulator import App
    from tests.support.deployment import Running
    from tests.support.mosquitto import Arrival, Subscriber

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
HOLD = 2 * MINUTE  # of the sensor
WINDOW = MINUTE  # for a check-in after the start
STEP = 4  # seconds of a leap; more would be a gap in which nobody watched the room
TOKEN = "token-of-the-radar"
FENCE = """[connections.fence]
canaries = ["ada@contoso.example"]
"""
# Rooms wait for a check-in also at a meeting that was booked a moment ago.
CHECK_IN = """[connections.check_in]
from = "10m"
after = "1m"
[connections.no_show]
exempt = { booked_within = "0s" }
"""


@dataclass(slots=True)
class Day:
    """Two connections: `group` reads the boardroom and the atrium, where one checks in, `list` the library.

    Attributes:
        group: the registration of the connection that is called so.
        panel: receives all messages of the broker.
    """

    deployment: Deployment
    group: App
    panel: Subscriber
    running: Running
    web: Web

    async def published(self, room: str, *, after: int, **wanted: object) -> Arrival:
        """The room's state as soon as it has these values."""
        topic = f"placed/rooms/{room}/state"
        return await self.panel.until(
            lambda a: a.topic == topic and a.payload and wanted.items() <= a.document.items(), after=after
        )

    async def happened(self, room: str, event: str, *, after: int) -> Arrival:
        """An event of the room."""
        topic = f"placed/rooms/{room}/event"
        return await self.panel.until(
            lambda a: a.topic == topic and a.document["event"] == event, after=after
        )

    @property
    def heard(self) -> int:
        """How much the panel has heard so far."""
        return len(self.panel.arrivals)

    async def people_change_their_minds(self) -> None:
        """A meeting starts, meets another, is moved and is cancelled; others are private or take all day."""
        tenant, now, begun = self.deployment.tenant, self.deployment.clock.now(), self.heard
        first = tenant.book("library", now - MINUTE, now + HOUR, subject="Budget")
        await self.happened("library", "started", after=begun)
        second = tenant.book("library", now - MINUTE, now + 2 * HOUR, sensitivity="private")
        await self.happened("library", "conflict", after=begun)
        await self.published("library", after=begun, conflicts=1)
        tenant.move(first, now - MINUTE, now + 3 * HOUR)
        await self.happened("library", "moved", after=begun)
        for meeting in (first, second):
            tenant.cancel(meeting)
        await self.happened("library", "cancelled", after=begun)
        await self.published("library", after=begun, status="free", conflicts=0)
        today, begun = now.date(), self.heard
        whole_day = tenant.book("library", today, today + timedelta(days=1), all_day=True)
        await self.published("library", after=begun, status="busy", conflicts=0)
        begun = self.heard
        tenant.delete(whole_day)
        await self.published("library", after=begun, status="free", next=None)

    async def a_meeting_comes_and_goes_by_the_clock(self) -> None:
        """A free room is about to be taken, waits for a check-in, is in use, and is free again."""
        tenant, clock, begun = self.deployment.tenant, self.deployment.clock, self.heard
        now = clock.now()
        meeting = tenant.book("boardroom", now + 3 * MINUTE, now + 5 * MINUTE)
        await self.published("boardroom", after=begun, status="starting")
        clock.leap(3 * 60)
        await self.published("boardroom", after=begun, status="pending", occupied=True)
        begun = self.heard
        start = now + 3 * MINUTE
        check_in = Command(str(uuid4()), Action.CHECK_IN, "boardroom", clock.now(), start)
        self.running.daemon.actions.submit(check_in)
        await self.published("boardroom", after=begun, status="busy", occupied=True)
        clock.leap(2 * 60)
        await self.happened("boardroom", "ended", after=begun)
        tenant.delete(meeting)

    async def nobody_comes_to_a_meeting(self) -> None:
        """A panel is there all the time, and nobody checks in; it is a rehearsal."""
        tenant, clock, begun = self.deployment.tenant, self.deployment.clock, self.heard
        start = clock.now() + 2 * timedelta(seconds=STEP)
        meeting = tenant.book("atrium", start, start + HOUR)
        await self.published("atrium", after=begun, status="starting")
        token, url = {"Authorization": f"Bearer {DOOR}"}, f"{self.running.url}/api/v1/panel?room=atrium"
        async with aiohttp.ClientSession(headers=token) as door:
            while clock.now() < start + WINDOW + MINUTE:
                async with door.get(url) as answer:
                    assert answer.status == 200
                clock.leap(STEP)
                await self.deployment.simulator.asked(1)
        await self.happened("atrium", "no_show", after=begun)
        begun = self.heard
        tenant.delete(meeting)
        await self.published("atrium", after=begun, status="free", next=None)

    async def the_service_releases_a_room(self) -> None:
        """Somebody has checked in, and ten minutes later the meeting is gone."""
        tenant, clock, begun = self.deployment.tenant, self.deployment.clock, self.heard
        start = clock.now() + MINUTE
        meeting = tenant.book("atrium", start, start + HOUR)
        await self.published("atrium", after=begun, status="starting")
        check_in = Command(str(uuid4()), Action.CHECK_IN, "atrium", clock.now(), start)
        await self.running.daemon.actions.submit(check_in).final()
        clock.leap(11 * 60)
        await self.published("atrium", after=begun, status="busy")
        tenant.delete(meeting)
        await self.happened("atrium", "released_by_service", after=begun)

    async def a_room_is_unreadable(self) -> None:
        """It is stale, then unknown, and recovers; beside it a meeting makes no sense."""
        deployment, begun = self.deployment, self.heard
        deployment.tenant.faults.forbidden(room="library")
        deployment.tenant.faults.bad_event("end_before_start", room="atrium")
        await self.panel.until(
            lambda a: a.topic == "placed/bridge/health" and a.document["connections"][1]["failing"],
            after=begun,
        )
        deployment.clock.leap(2 * 60)
        await self.published("library", after=begun, stale=True, status="free", reason="forbidden")
        deployment.clock.leap(15 * 60)
        await self.happened("library", "unknown", after=begun)
        await self.panel.message("placed/rooms/library/occupied", "", after=begun)
        await self.panel.message("placed/rooms/library/availability", "offline", after=begun)
        await self.panel.until(
            lambda a: (
                a.topic == "placed/bridge/health"
                and any(c["impossible_meetings"] for c in a.document["connections"])
            ),
            after=begun,
        )
        deployment.tenant.faults.clear()
        begun = self.heard
        deployment.clock.leap(5 * 60)  # such a room is asked for seldom
        await self.happened("library", "recovered", after=begun)

    async def a_room_leaves(self) -> None:
        """The boardroom is taken out of the group."""
        begun = self.heard
        self.deployment.tenant.remove_member("placed-rooms", "boardroom")
        for word in ("state", "availability", "occupied", "status"):
            await self.panel.message(f"placed/rooms/boardroom/{word}", "", after=begun)
        await self.panel.until(lambda a: a.topic == "placed/rooms" and "boardroom" not in a.text, after=begun)

    async def the_fence_falls(self) -> None:
        """A canary is readable, with permissions that nobody asked for; its connection is breached."""
        begun = self.heard
        self.deployment.tenant.lift_restrictions(self.group)
        self.deployment.tenant.grant(self.group, "Mail.Read")
        self.deployment.tenant.expire_tokens(self.group)
        self.deployment.clock.leap(3600)
        await self.published("atrium", after=begun, status="unknown", reason="breached")
        await self.panel.until(
            lambda a: (
                a.topic == "placed/bridge/health" and a.document["connections"][0]["state"] == "breached"
            ),
            after=begun,
        )

    async def a_sensor_reports(self) -> None:
        """Somebody is in the library without a booking, nobody is at a meeting, and then it is silent."""
        tenant, clock, begun = self.deployment.tenant, self.deployment.clock, self.heard
        await self._sense("ON")
        await self.published("library", after=begun, use="unbooked")
        await self.panel.message("placed/rooms/library/presence", "ON", after=begun)
        clock.leap(HOLD.total_seconds())
        await self.happened("library", "unbooked_use", after=begun)
        meeting = tenant.book("library", clock.now() - MINUTE, clock.now() + 2 * HOUR)
        await self.published("library", after=begun, use="used")
        begun = self.heard
        await self._sense("OFF")
        clock.leap(HOLD.total_seconds())
        await self.published("library", after=begun, use="booked_empty")
        await self.panel.message("placed/rooms/library/presence", "OFF", after=begun)
        clock.leap(HOLD.total_seconds())
        await self.happened("library", "booked_empty", after=begun)
        begun = self.heard
        clock.leap(HOUR.total_seconds())
        await self.published("library", after=begun, use=None, status="busy")
        await self.panel.message("placed/rooms/library/presence", "", after=begun)
        begun = self.heard
        tenant.delete(meeting)
        await self.published("library", after=begun, status="free")

    async def _sense(self, word: str) -> None:
        token = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{self.running.url}/api/v1/sensors/radar"
        async with aiohttp.ClientSession() as session, session.post(url, data=word, headers=token) as answer:
            assert answer.status == 204

    async def passes(self) -> None:
        """All of it but the sensor, which needs `add_library_sensor`."""
        await self.people_change_their_minds()
        await self.a_meeting_comes_and_goes_by_the_clock()
        await self.nobody_comes_to_a_meeting()
        await self.the_service_releases_a_room()
        await self.a_room_is_unreadable()
        await self.a_room_leaves()
        await self.the_fence_falls()


@asynccontextmanager
async def two_connections(folder: Path) -> AsyncIterator[tuple[Deployment, App]]:
    """A deployment, and the app registration of the connection `group`; no daemon runs yet."""
    clock = LeapingClock()
    tenant = Tenant(now=clock.now)
    tenant.add_person("ada")
    tenant.add_room("boardroom", building="HQ", floor=3, capacity=12)
    tenant.add_room("atrium")
    tenant.add_room("library")
    async with Deployment.open(folder, tenant) as deployment:
        deployment.clock = clock
        fenced = tenant.add_group("placed-rooms", members=["boardroom", "atrium"])
        pem = folder / "client.pem"
        write_secret(pem, make_client_certificate(key_size=2048))
        group = deployment.connect("group", room_group=fenced.address, certificate=pem, more=FENCE + CHECK_IN)
        group.certificates = tenant.register_app(certificates=[pem.read_bytes()]).certificates
        listed = deployment.connect("list", rooms=["library"], more=FENCE)
        tenant.restrict(group, fenced)
        tenant.restrict(listed, tenant.add_group("others", members=["library"]))
        configure(deployment)
        yield deployment, group


def configure(deployment: Deployment, **mqtt: object) -> None:
    """Writes the configuration, with these keys more for the broker."""
    deployment.configure(
        polling={"interval": "200ms", "rediscover": "500ms"},
        occupancy={"stale_after": "1m"},
        privacy={"show": "everything"},
        mqtt={"url": deployment.broker.url, **mqtt},
        home_assistant={"discovery": True},
        http={"listen": "127.0.0.1:0", "panel_tokens": str(panels_file(deployment.folder))},
    )


def add_library_sensor(deployment: Deployment) -> None:
    """Adds a sensor in the library to the configuration; its webhook is no message to the broker."""
    file = deployment.folder / "radar.token"
    write_secret(file, TOKEN)
    table = f"""
[[sensors]]
name = "radar"
room = "library"
presence = "@"
kind = "radar"
hold = "{HOLD.total_seconds()}s"
stale_after = "30m"
token_file = "{file}"
"""
    deployment.file.write_text(deployment.file.read_text() + table)


@asynccontextmanager
async def day(deployment: Deployment, group: App) -> AsyncIterator[Day]:
    """A running daemon and a subscriber to everything that it publishes."""
    async with deployment.listener("#") as panel:
        async with deployment.daemon() as running, Web(running.url) as web:
            yield Day(deployment, group, panel, running, web)
        await panel.until(lambda a: a.topic == "placed/bridge/state" and "offline" in a.text)
        await panel.caught_up()
