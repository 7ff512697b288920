"""iCalendar feeds in a daemon: from the link to MQTT and HTTP, beside another service; links show nowhere."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed_icalendar.feeds import host_turns
from placed_icalendar.simulator.feed_host import Fault, FeedHost, Kind, Publisher
from placed_icalendar.simulator.feed_host.feed_building import settings_toml
from tests.support.deadlines import DEADLINE
from tests.support.deployment import Deployment
from tests.support.placed_process import Program, run
from tests.support.status_endpoint import Web
from tests.support.watched_requests import WatchedRequests

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.mosquitto import Subscriber

HOUR = timedelta(hours=1)
TITLES = ("Salary review", "Acquisition of Fabrikam")
PAGES = (
    "/",
    "/rooms/aquarium",
    "/api/v1/rooms",
    "/api/v1/rooms/aquarium",
    "/api/v1/connections",
    "/api/v1/connections/feeds/rooms",
    "/healthz",
    "/readyz",
    "/metrics",
)


class WatchedFeeds(WatchedRequests, FeedHost):
    """A host of feeds whose requests can be waited for."""


class Feeds:
    """A deployment with a host of feeds beside it, whose table is not configured yet."""

    def __init__(self, deployment: Deployment, host: WatchedFeeds) -> None:
        self.deployment = deployment
        self.host = host
        self.publisher = host.publisher

    def book(self, room: str, **fields: Any) -> str:
        """Somebody books a room from now on."""
        now = self.deployment.clock.now()
        return self.publisher.book(room, now, now + HOUR, **fields)

    @property
    def secrets(self) -> list[str]:
        """What nothing may show."""
        return [room.secret for room in self.publisher.rooms()]


@pytest.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[Feeds]:
    async with Deployment.open(tmp_path) as deployment:
        publisher = Publisher(now=deployment.clock.now)
        for room in ("aquarium", "studio"):
            publisher.add_room(room)
        async with WatchedFeeds(publisher) as host:
            deployment.connections.append(settings_toml(host, tmp_path))
            yield Feeds(deployment, host)


async def becomes(panel: Subscriber, room: str, member: str, word: str) -> Any:
    """Waits until the last state of a room has this; returns the state."""

    def latest() -> Any:
        found = panel.latest.get(f"placed/rooms/{room}/state")
        return None if found is None else found.document

    def is_so(_: object) -> bool:
        state = latest()
        return state is not None and state[member] == word

    if not is_so(None):
        await panel.until(is_so, after=len(panel.arrivals))
    return latest()


async def test_a_booking_in_a_feed_is_published_and_so_is_its_end(feeds: Feeds) -> None:
    uid = feeds.book("aquarium", summary=TITLES[0])
    async with (
        feeds.deployment.daemon() as running,
        feeds.deployment.ways_out(running) as (panel, web),
    ):
        await becomes(panel, "aquarium", "status", "busy")
        await becomes(panel, "studio", "status", "free")
        feeds.publisher.delete(uid)
        await becomes(panel, "aquarium", "status", "free")
        listed = {room["room"]: room for room in (await web.json("/api/v1/rooms"))["rooms"]}
        assert {room["connection"] for room in listed.values()} == {"feeds"}
        (health,) = (await web.json("/api/v1/connections"))["connections"]
        assert health["fence"]["state"] == "unproven"


async def test_a_feed_that_fails_makes_no_other_room_stale_or_green(feeds: Feeds) -> None:
    feeds.book("aquarium")
    async with (
        feeds.deployment.daemon() as running,
        feeds.deployment.ways_out(running) as (panel, _),
    ):
        await becomes(panel, "aquarium", "status", "busy")
        feeds.publisher.faults.add(Fault(kind=Kind.SHORT, room="aquarium"))
        failing = await becomes(panel, "aquarium", "reason", "malformed")
        assert failing["status"] == "busy"  # what was known
        feeds.book("studio")
        await becomes(panel, "studio", "status", "busy")


async def test_a_feed_that_hangs_delays_no_other_room(feeds: Feeds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_turns, "PATIENCE", 0.1)
    async with (
        feeds.deployment.daemon() as running,
        feeds.deployment.ways_out(running) as (panel, _),
    ):
        feeds.publisher.faults.add(Fault(kind=Kind.HANG, room="aquarium"))
        await asyncio.wait_for(feeds.host.hung(), DEADLINE)
        for summary in TITLES:
            uid = feeds.book("studio", summary=summary)
            await becomes(panel, "studio", "status", "busy")
            feeds.publisher.delete(uid)
            await becomes(panel, "studio", "status", "free")
        await becomes(panel, "aquarium", "reason", "unavailable")


async def test_feeds_are_read_beside_another_service(feeds: Feeds) -> None:
    feeds.deployment.connect("contoso")
    async with feeds.deployment.daemon() as running, Web(running.url) as web:
        listed = {r["room"]: r["connection"] for r in (await web.json("/api/v1/rooms"))["rooms"]}
    assert listed == {"aquarium": "feeds", "studio": "feeds", "boardroom": "contoso", "library": "contoso"}


@pytest.mark.parametrize("inline", [False, True])
async def test_a_link_is_in_nothing_that_the_program_shows(feeds: Feeds, *, inline: bool) -> None:
    deployment = feeds.deployment
    if inline:
        links = {r.address: feeds.host.link_of(r.address) for r in feeds.publisher.rooms()}
        head, _, rest = deployment.connections[0].partition("[connections.feeds]\n")
        fence = rest[rest.index("[connections.fence]") :]
        table = "".join(f"{room} = {json.dumps(link)}\n" for room, link in links.items())
        deployment.connections[0] = f"{head}[connections.feeds]\n{table}{fence}"
    feeds.book("aquarium", summary=TITLES[0])
    feeds.book("studio", summary=TITLES[1])
    deployment.configure(polling={"interval": "100ms"})
    shown: list[str] = []
    async with deployment.listener("#") as panel:
        arguments = ("run", "-c", deployment.file, "--verbose", "--log-format", "json")
        async with Program.start(deployment.folder, *arguments) as program:
            line = await program.wait_for_line("http.is_listening")
            url = line.rpartition("http://")[2].partition('"')[0]
            await program.wait_for_line("daemon.became_ready")
            for kind in (Kind.LOGIN_PAGE, Kind.SHORT, Kind.DROP, Kind.LOOP, Kind.CUT, Kind.LOGIN):
                fault = feeds.publisher.faults.add(Fault(kind=kind, room="aquarium"))
                await feeds.host.asked(4)
                async with Web(f"http://{url.strip('/')}") as web:
                    shown += [(await web.get(page))[1] for page in PAGES]
                feeds.publisher.faults.remove(fault)
            shown += [*program.out, *program.err]
        shown += [f"{a.topic} {a.payload!r} {a.properties}" for a in panel.arrivals]
    _, checked = await run(deployment.folder, "check", "-c", deployment.file)
    _, looked = await run(deployment.folder, "doctor", "-c", deployment.file, "--json")
    shown += [*checked.out, *checked.err, *looked.out, *looked.err]
    journal = b"".join(p.read_bytes() for p in (deployment.folder / "state").rglob("*") if p.is_file())
    everything = "\n".join(shown)
    assert "aquarium" in everything
    for secret in (*feeds.secrets, *TITLES):
        assert secret not in everything
        assert secret.encode() not in journal
