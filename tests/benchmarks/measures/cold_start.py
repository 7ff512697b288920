"""The time from nothing to a whole site published: the daemon's start, without that of Python."""

from __future__ import annotations

import asyncio
import gc
import json
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from placed.domain.clock import SystemClock
from placed.runtime.daemon import Daemon, DaemonSurroundings
from placed.runtime.systemd import Supervisor
from placed.settings.loader import load
from placed.store import Journal
from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.aiomqtt_baseline import publish_all, tuned_client
from tests.benchmarks.harness.received_messages import heard
from tests.benchmarks.measures.polling import Floor, session
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers import graph_responses
from tests.benchmarks.servers.mosquitto import mosquitto
from tests.benchmarks.servers.mqtt_subscriber import MARK
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    import aiohttp
    import aiomqtt

    from placed.settings.loader import Configuration
    from tests.benchmarks.harness.mqtt_packets import Message
    from tests.benchmarks.workload_size import Effort

AT_MOST = 1.3  # floors
_TOPICS = "+/rooms/+/+"
_PER_ROOM = 4  # retained: state, availability, occupied, status
_A_PAGE = 100  # rooms
_CONFIGURATION = """
[[connections]]
name = "contoso"
driver = "microsoft365"
tenant = "{tenant}"
client_id = "11111111-2222-3333-4444-555555555555"
client_secret_file = "{folder}/secret"
authority = "{graph}"
graph = "{graph}"
ca_file = "{ca_file}"
room_list = "*"
[mqtt]
url = "mqtt://{broker}"
base_topic = "{base}"
[http]
listen = "127.0.0.1:0"
"""


class _Page(msgspec.Struct):
    """Of a page of rooms where the next one is."""

    next: str | None = msgspec.field(name="@odata.nextLink", default=None)


def configuration(graph: Child, port: int, base: str, folder: Path) -> Configuration:
    """As an administrator would write it."""
    secret = folder / "secret"
    secret.touch(mode=0o600)
    secret.write_text("s3cret")
    file = folder / "placed.toml"
    file.write_text(
        _CONFIGURATION.format(
            tenant=graph_responses.DOMAIN,
            folder=folder,
            graph=graph.begun["url"],
            ca_file=graph.begun["ca_file"],
            broker=f"{HOST}:{port}",
            base=base,
        )
    )
    return load(file)


async def ours(
    client: aiomqtt.Client, graph: Child, panel: Child, port: int, base: str
) -> tuple[float, list[Message]]:
    """Seconds from the daemon's start to its last message about rooms, and the last message on each topic."""
    with tempfile.TemporaryDirectory() as path, closing(Journal(Path(path))) as journal:
        settings = configuration(graph, port, base, Path(path))
        panel.ask("begin")
        stop = asyncio.Event()
        begun = time.time()
        daemon = Daemon(settings, DaemonSurroundings(SystemClock(), Supervisor(None), journal, "bench"))
        async with asyncio.TaskGroup() as group:
            group.create_task(daemon.run(stop))
            for poller in daemon.pollers:
                await poller.first.wait()
            await daemon.publisher.published()
            came = await _all_that_came(client, panel)
            stop.set()
    latest = {message.topic: message for message in heard(panel) if message.retain}
    return came[-1] - begun, list(latest.values())


async def floor(
    client: aiomqtt.Client, graph: Child, panel: Child, plain: aiohttp.ClientSession, messages: list[Message]
) -> float:
    """Seconds for the same, one after the other, with aiohttp and aiomqtt alone."""
    url = graph.begun["url"]
    rooms = len(messages) // _PER_ROOM
    panel.ask("begin")
    begun = time.time()
    form = {"grant_type": "client_credentials", "client_secret": "s3cret"}
    async with plain.post(f"{url}/{graph_responses.DOMAIN}/oauth2/v2.0/token", data=form) as response:
        await response.read()
    page: str | None = f"{url}/v1.0/places/microsoft.graph.room?$top={_A_PAGE}&$skip=0"
    while page is not None:
        async with plain.get(page) as response:
            page = msgspec.json.decode(await response.read(), type=_Page).next
    await Floor(plain, url, rooms, decode=True).poll()
    await publish_all(client, messages)
    came = await _all_that_came(client, panel)
    return came[-1] - begun


async def _all_that_came(client: aiomqtt.Client, panel: Child) -> list[float]:
    panel.send("mark")
    await client.publish("bench/rooms/all/mark", MARK, qos=1)
    came: list[float] = await panel.hear()
    return came


async def _measure(graph: Child, panel: Child, port: int, rooms: int, times: int) -> tuple[float, float]:
    least = [float("inf")] * 2
    for number in range(times):
        # A connection that serves once, so that no side has one that is warm.
        async with tuned_client(port) as client:
            gc.collect()
            took, messages = await ours(client, graph, panel, port, f"site{number}")
            if len(messages) != _PER_ROOM * rooms or not _is_read(messages):
                raise RuntimeError(f"{len(messages)} topics were published, or not every room is known")
            least[0] = min(least[0], took)
            async with session(graph.begun["ca_file"]) as plain:
                gc.collect()
                least[1] = min(least[1], await floor(client, graph, panel, plain, messages))
    return least[0], least[1]


def _is_read(messages: list[Message]) -> bool:
    states = [json.loads(message.payload) for message in messages if message.topic.endswith("/state")]
    return all(state["status"] != "unknown" for state in states)


def measure(effort: Effort) -> Result:
    """Starts the daemon before a broker and a service that it never met."""
    rooms = effort.choose(5500, 1000)
    # Answers carry this machine's time, so the daemon's clock shows it too: it is noon of the answers' day.
    today = datetime.now(UTC) - timedelta(hours=12)
    with (
        mosquitto() as port,
        Child("tests.benchmarks.servers.mqtt_subscriber", f"--port={port}", f"--topic={_TOPICS}") as panel,
        Child("tests.benchmarks.servers.graph", f"--rooms={rooms}", f"--today={today.isoformat()}") as graph,
    ):
        settle_on(0)
        took, least = asyncio.run(_measure(graph, panel, port, rooms, effort.choose(3, 1)))
    return Result(
        [
            Row(
                f"cold_start.{rooms}",
                f"cold start, {rooms:,} rooms, to the last retained state at a subscriber",
                "s",
                took,
                least,
                AT_MOST,
                note="floor: a token, the list of rooms, a round, and a bare publish, one after the other",
            )
        ]
    )
