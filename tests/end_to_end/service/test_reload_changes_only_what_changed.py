"""A reload starts, stops and changes what differs, and leaves everything else alone."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp

from tests.support.deadlines import DEADLINE
from tests.support.placed_process import Program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Arrival, Subscriber

ROOMS = ("boardroom", "library")
TOPICS = ("state", "availability", "occupied", "status")
REPEATED_BY_THE_CLOCK = ("placed/bridge/state", "placed/bridge/health")


class Stream:
    """A client that follows the events over HTTP, on one connection."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._news = asyncio.Event()
        self.text = ""

    @property
    def ended(self) -> bool:
        return self._reader.at_eof()

    async def follow(self) -> None:
        while chunk := await self._reader.read(65536):
            self.text += chunk.decode()
            self._news.set()
        self._news.set()

    async def shows(self, text: str) -> None:
        await self._until(lambda: text in self.text)

    async def ends(self) -> None:
        await self._until(lambda: self.ended)

    async def _until(self, wanted: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not wanted():
                self._news.clear()
                await self._news.wait()


@dataclass
class Watched:
    """`placed run` with all that would notice a restart of one of its parts."""

    deployment: Deployment
    program: Program
    panel: Subscriber
    stream: Stream
    url: str

    def __post_init__(self) -> None:
        self.begun = len(self.panel.arrivals)
        self.logins = self.deployment.logins

    async def reload(self) -> list[str]:
        """Reloads; what changed, by the log, once the reload is over."""
        after = len(self.program.err)
        self.program.signal(signal.SIGHUP)
        entry = json.loads(await self.program.wait_for_line("configuration.was_reloaded", after=after))
        await self.program.wait_for_line("daemon.became_ready", after=after)
        assert entry["stays_until_a_start"] == ["state directory", "epoch"]
        return list(entry["changed"])

    async def arrivals(self) -> list[Arrival]:
        """What was published since the beginning, but for what is repeated by the clock."""
        await self.panel.caught_up()
        return [a for a in self.panel.arrivals[self.begun :] if a.topic not in REPEATED_BY_THE_CLOCK]

    async def nothing_was_restarted(self) -> None:
        """Nobody signed in, the broker saw one session, and the stream is the one of the beginning."""
        assert self.deployment.logins == self.logins
        assert len([entry for entry in self.program.logs if entry["event"] == "broker.connected"]) == 1
        assert not self.stream.ended
        assert self.stream.text.count("event: snapshot") == 1
        states = [a.document["state"] for a in self.panel.arrivals if a.topic == "placed/bridge/state"]
        assert set(states) == {"online"}


@asynccontextmanager
async def watched(deployment: Deployment) -> AsyncIterator[Watched]:
    """The boardroom is busy for an hour, the library free until a meeting in 15 minutes."""
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now, now + timedelta(hours=1))
    deployment.tenant.book("library", now + timedelta(minutes=15), now + timedelta(minutes=30))
    deployment.configure(occupancy={"lead": "5m"})
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program, deployment.listener() as panel:
        await program.logged("daemon.became_ready")
        for room in ROOMS:
            for topic in TOPICS:
                await panel.message(f"placed/rooms/{room}/{topic}")
        await panel.message("placed/rooms")
        await panel.caught_up()
        url = (await program.logged("http.is_listening"))["url"]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stream = Stream(reader)
        following = asyncio.create_task(stream.follow())
        await stream.shows(": keep-alive")
        try:
            yield Watched(deployment, program, panel, stream, url)
            assert "Traceback" not in "\n".join(program.err)
        finally:
            following.cancel()
            writer.close()


def names(health: Arrival) -> list[str]:
    return [connection["name"] for connection in health.document["connections"]]


async def test_with_another_lead_only_rooms_that_it_concerns_are_published(deployment: Deployment) -> None:
    async with watched(deployment) as daemon:
        deployment.configure(occupancy={"lead": "20m"})
        assert await daemon.reload() == ["occupancy"]
        await daemon.panel.message("placed/rooms/library/status", "starting")
        await daemon.stream.shows('"status":"starting"')
        topics = {a.topic for a in await daemon.arrivals()}
        assert {topic for topic in topics if not topic.startswith("placed/rooms/library/")} == set()
        await daemon.nothing_was_restarted()


async def test_a_configuration_that_is_the_same_changes_nothing(deployment: Deployment) -> None:
    async with watched(deployment) as daemon:
        deployment.file.write_text(deployment.file.read_text() + "\n# another look, the same settings\n")
        assert await daemon.reload() == []
        assert await daemon.arrivals() == []
        await daemon.nothing_was_restarted()


async def test_adding_a_connection_does_not_affect_the_others(deployment: Deployment) -> None:
    deployment.connect("one", rooms=ROOMS)
    async with watched(deployment) as daemon:
        deployment.tenant.add_room("attic")
        deployment.connect("two", rooms=["attic"])
        deployment.configure(occupancy={"lead": "5m"})
        assert await daemon.reload() == ["connections.two"]
        await daemon.panel.message("placed/rooms/attic/status", "free")
        await daemon.stream.shows('"room":"attic"')
        topics = {a.topic for a in await daemon.arrivals()}
        assert not [topic for topic in topics if "boardroom" in topic or "library" in topic]
        daemon.logins += 1  # that of the new one, in its trial
        await daemon.nothing_was_restarted()


async def test_changing_a_connection_does_not_affect_the_others(deployment: Deployment) -> None:
    deployment.connect("one", rooms=["boardroom"])
    deployment.connect("two", rooms=["library"])
    async with watched(deployment) as daemon:
        deployment.tenant.add_room("attic")
        text = deployment.file.read_text()
        deployment.file.write_text(text.replace('["library', '["attic@contoso.example", "library'))
        assert await daemon.reload() == ["connections.two"]
        await daemon.panel.message("placed/rooms/attic/status", "free")
        topics = {a.topic for a in await daemon.arrivals()}
        assert not [topic for topic in topics if "boardroom" in topic]
        await daemon.nothing_was_restarted()  # the registration is the same, so its token is used on


async def test_removing_a_connection_does_not_affect_the_others(deployment: Deployment) -> None:
    deployment.connect("one", rooms=["boardroom"])
    deployment.connect("two", rooms=["library"])
    async with watched(deployment) as daemon:
        del deployment.connections[1]
        deployment.configure(occupancy={"lead": "5m"})
        assert await daemon.reload() == ["connections.two"]
        for topic in TOPICS:
            await daemon.panel.message(f"placed/rooms/library/{topic}", "", after=daemon.begun)
        await daemon.panel.until(
            lambda a: a.topic == "placed/bridge/health" and names(a) == ["one"],
            after=daemon.begun,
        )
        await daemon.stream.shows("event: removed")
        assert not [a.topic for a in await daemon.arrivals() if "boardroom" in a.topic]
        await daemon.nothing_was_restarted()


async def test_a_changed_mqtt_table_restarts_only_the_publisher(deployment: Deployment) -> None:
    async with watched(deployment) as daemon:
        deployment.configure(
            occupancy={"lead": "5m"}, mqtt={"url": deployment.broker.url, "plain_topics": False}
        )
        assert await daemon.reload() == ["mqtt"]
        await daemon.panel.message("placed/rooms/library/status", "", after=daemon.begun)
        assert deployment.logins == daemon.logins
        assert not daemon.stream.ended


async def test_another_endpoint_at_the_same_address_ends_no_stream(deployment: Deployment) -> None:
    async with watched(deployment) as daemon:
        http = {"listen": "127.0.0.1:0", "hosts": ["rooms.contoso.example"], "max_clients": 100}
        deployment.configure(occupancy={"lead": "5m"}, http=http)
        assert await daemon.reload() == ["http"]
        async with aiohttp.ClientSession(daemon.url, headers={"Host": "rooms.contoso.example"}) as client:
            assert (await client.get("/healthz")).status == 200
        assert await daemon.arrivals() == []
        await daemon.nothing_was_restarted()


async def test_a_changed_listen_address_restarts_only_the_endpoint(deployment: Deployment) -> None:
    async with watched(deployment) as daemon:
        deployment.configure(occupancy={"lead": "5m"}, http={"listen": "127.0.0.2:0"})
        assert await daemon.reload() == ["http"]
        await daemon.stream.ends()
        assert deployment.logins == daemon.logins
        assert await daemon.arrivals() == []


async def test_what_may_be_shown_changes_without_a_sign_in(deployment: Deployment) -> None:
    async with watched(deployment) as daemon:
        deployment.configure(occupancy={"lead": "5m"}, privacy={"show": "organizer"})
        assert await daemon.reload() == ["privacy"]
        await daemon.panel.until(
            lambda a: a.topic == "placed/rooms/boardroom/state" and bool(a.document["current"]["organizer"]),
            after=daemon.begun,
        )
        deployment.configure(occupancy={"lead": "5m"})
        after = len(daemon.panel.arrivals)
        assert await daemon.reload() == ["privacy"]
        state = await daemon.panel.message("placed/rooms/boardroom/state", after=after)
        assert state.document["current"]["organizer"] is None
        await daemon.nothing_was_restarted()
