"""How late edges are while presence sensors flood the daemon, and what of it stays in memory."""

from __future__ import annotations

import asyncio
import gc
import resource
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, NamedTuple

from placed.domain.model import Meeting
from placed.mqtt.client_options import Login
from placed.sensors.routing import routes_of
from placed.sensors.sensor_broker_connection import SensorSubscription
from placed.sensors.sensor_broker_login import BrokerLink
from placed.sensors.sensor_message_intake import SensorReadings
from placed.settings.sensor_settings import SensorBroker, SensorSettings
from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.publisher_setup import BASE, ForwardClock, board_at, publishing, room
from tests.benchmarks.harness.received_messages import heard
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers import graph_responses
from tests.benchmarks.servers.mosquitto import mosquitto
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from tests.benchmarks.harness.publisher_setup import Site
    from tests.benchmarks.workload_size import Effort

AT_MOST = 50.0  # ms
GROWTH_AT_MOST = 8.0  # MiB
RATE = 2000  # messages a second
USUAL = 1.0 / 60.0  # messages of a sensor a second
_SETTLE = 5.0  # seconds that the first flood goes on when every sensor has reported once
_BEGIN = graph_responses.TODAY + timedelta(hours=12)
_AHEAD = timedelta(seconds=10)  # from when the meetings are made to the first of them
_EDGE = b'"event":"started"'
_MARK = f"{BASE}/rooms/mark/event"
_EVENTS = f"{BASE}/rooms/+/event"


class _Found(NamedTuple):
    lags: list[float]  # ms
    usual: list[float]  # ms, at one message of each sensor a minute
    growth: float  # MiB
    sent: int
    taken: int
    dropped: int
    cpu: float  # seconds


async def _edges(site: Site, panel: Child, rooms: list[str], every: timedelta) -> list[float]:
    """Gives each room a meeting that begins at a moment of its own; how late each is, in milliseconds."""
    first = site.clock.now() + _AHEAD
    starts = {name: first + number * every for number, name in enumerate(rooms)}
    panel.ask("begin")
    for number, (name, start) in enumerate(starts.items()):
        site.read([name], (Meeting(f"m{start}", start, start + timedelta(hours=1)),))
        if number % 20 == 0:
            await asyncio.sleep(0)
    if site.clock.now() > first:
        raise RuntimeError("this machine is too slow for the measure")
    panel.send("mark")
    came = await panel.hear()
    lags = [
        (moment - site.clock.on_the_wall(starts[message.topic.split("/")[2]])) * 1000
        for moment, message in zip(came, heard(panel), strict=False)  # the mark itself comes last
        if _EDGE in message.payload
    ]
    if len(lags) != len(starts):
        raise RuntimeError(f"{len(lags)} of {len(starts)} edges came")
    return lags


def _resident() -> float:
    """MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def _measure(port: int, panel: Child, flood: Child, rooms: int, seconds: int) -> _Found:
    clock = ForwardClock(_BEGIN)
    board = board_at(clock)
    board.enroll("contoso", [room(number) for number in range(rooms)])
    table = SensorSettings.model_validate(
        {"name": "radar", "topic": "sensors/{room}", "kind": "radar", "presence": "occupancy"}
    )
    routes = routes_of([table])
    readings = SensorReadings(board, clock.now)
    readings.change(routes)
    login = Login.of(SensorBroker(url=f"mqtt://{HOST}:{port}"))
    subscription = SensorSubscription(BrokerLink("flood", login, tuple(routes)), readings)
    ids = [room.id for room in board.rooms]
    half = len(ids) // 2
    edges = timedelta(seconds=(seconds - _AHEAD.total_seconds() - 1) / half)
    async with publishing(board, clock, port) as site:
        site.read(ids, ())
        await site.published()
        reading = asyncio.create_task(subscription.run())
        await subscription.connected.wait()
        flood.send(
            "flood", rate=RATE, seconds=rooms / RATE + _SETTLE, mark=_MARK
        )  # until all sensors are known
        await flood.hear()
        flood.send("flood", rate=rooms * USUAL, seconds=seconds, mark=_MARK)
        usual = await _edges(site, panel, ids[:half], edges)
        await flood.hear()
        gc.collect()
        before, cpu = _resident(), resource.getrusage(resource.RUSAGE_SELF)
        taken = sum(readings.counts.results.values())
        flood.send("flood", rate=RATE, seconds=seconds, mark=_MARK)
        lags = await _edges(site, panel, ids[half : 2 * half], edges)
        sent = await flood.hear()
        after = resource.getrusage(resource.RUSAGE_SELF)
        gc.collect()
        found = _Found(
            lags,
            usual,
            _resident() - before,
            sent,
            sum(readings.counts.results.values()) - taken,
            subscription.dropped,
            after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime,
        )
        reading.cancel()
        await asyncio.wait([reading])
    return found


def measure(effort: Effort) -> Result:
    """Has every room's sensor report, and half of the rooms change one by one meanwhile."""
    rooms, seconds = effort.choose(5500, 500), effort.choose(60, 15)
    with (
        mosquitto() as port,
        Child(
            "tests.benchmarks.servers.mqtt_subscriber", f"--port={port}", f"--topic={BASE}/rooms/+/event"
        ) as panel,
        Child("tests.benchmarks.servers.sensor_flood", f"--port={port}", f"--rooms={rooms}") as flood,
    ):
        settle_on(0)
        found = asyncio.run(_measure(port, panel, flood, rooms, seconds))
    flooded, usual = (quantiles(lags, n=100, method="inclusive") for lags in (found.lags, found.usual))
    return Result(
        [
            Row(
                "flood.usual.p99",
                f"edges while {rooms:,} sensors report once a minute: to a subscriber, p99",
                "ms",
                usual[98],
                at_most=AT_MOST,
            ),
            Row(
                "flood.p99",
                f"edges while sensors send {RATE:,} messages a second for {seconds} s: to a subscriber, p99",
                "ms",
                flooded[98],
                at_most=AT_MOST,
                note=(
                    f"p50 {flooded[49]:.1f} ms, most {max(found.lags):.1f} ms; "
                    f"{found.sent:,} messages sent, {found.taken:,} taken in, {found.dropped:,} dropped; "
                    f"{found.cpu / seconds * 100:.0f} % of a processor"
                ),
            ),
            Row(
                "flood.growth",
                "resident memory after that, more than before",
                "MiB",
                found.growth,
                at_most=GROWTH_AT_MOST,
            ),
        ]
    )
