"""A day of two connections in which every message that is published to integrators occurs."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from placed_microsoft365.simulator import Tenant, make_client_certificate
from tests.support.adjustable_clock import LeapingClock
from tests.support.deployment import Deployment
from tests.support.secret_files import write_secret
from tests.support.status_client import Web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_microsoft365.simulator import App
    from tests.support.deployment import Running
    from tests.support.mosquitto import Arrival, Subscriber

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
FENCE = """[connections.fence]
canaries = ["ada@contoso.example"]
"""


@dataclass(slots=True)
class Day:
    """Two connections: `group` reads the boardroom and the atrium, `list` the library.

    Attributes:
        group: the registration of the connection that is called so.
        panel: hears all that the broker is told.
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
        """A room that is free is about to be taken, is taken, and is free again."""
        tenant, clock, begun = self.deployment.tenant, self.deployment.clock, self.heard
        now = clock.now()
        meeting = tenant.book("boardroom", now + 3 * MINUTE, now + 5 * MINUTE)
        await self.published("boardroom", after=begun, status="starting")
        clock.leap(3 * 60)
        await self.published("boardroom", after=begun, status="busy", occupied=True)
        clock.leap(2 * 60)
        await self.happened("boardroom", "ended", after=begun)
        tenant.delete(meeting)

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

    async def passes(self) -> None:
        """All of it."""
        await self.people_change_their_minds()
        await self.a_meeting_comes_and_goes_by_the_clock()
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
        group = deployment.connect("group", room_group=fenced.address, certificate=pem, more=FENCE)
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
    )


@asynccontextmanager
async def day(deployment: Deployment, group: App) -> AsyncIterator[Day]:
    """A running daemon and a subscriber to everything that it publishes."""
    async with deployment.listener("#") as panel:
        async with deployment.daemon() as running, Web(running.url) as web:
            yield Day(deployment, group, panel, running, web)
        await panel.until(lambda a: a.topic == "placed/bridge/state" and "offline" in a.text)
        await panel.caught_up()
