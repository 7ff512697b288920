from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiomqtt
import pytest

from placed.domain.presence import PresenceState
from placed.mqtt.client_options import Login
from placed.sensors.routing import routes_of
from placed.sensors.sensor_broker_connection import SensorSubscription
from placed.sensors.sensor_broker_login import BrokerLink
from placed.sensors.sensor_message_intake import SensorReadings
from placed.sensors.waiting_messages import WaitingMessages
from placed.settings.sensor_settings import SensorBroker, SensorSettings
from tests.component.mqtt.scripted_broker import listening as scripted
from tests.support.deadlines import DEADLINE
from tests.support.followed_logs import followed_logs
from tests.support.free_ports import HOST
from tests.support.mosquitto import Mosquitto
from tests.support.publisher_setup import IMPATIENT, PublisherSetup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

RADAR = {"topic": "z/radar", "room": "boardroom", "kind": "radar", "name": "radar", "presence": "occupancy"}
SERVER_UNAVAILABLE = b"\x20\x03\0\x88\0"  # a CONNACK of MQTT 5


class Listening:
    """A subscription that runs, and the board that it leads to."""

    def __init__(
        self, url: str, *tables: dict[str, Any], waiting: WaitingMessages | None = None, **broker: Any
    ) -> None:
        self.publisher_setup = PublisherSetup.furnished()
        self.readings = SensorReadings(self.publisher_setup.board, self.publisher_setup.now)
        routes = routes_of(SensorSettings(**table) for table in tables)
        self.readings.change(routes)
        login = Login.of(SensorBroker(url=url, **broker))
        link = BrokerLink("other", login, tuple(routes))
        self.subscription = SensorSubscription(link, self.readings, IMPATIENT, waiting)
        self._stated = asyncio.Event()
        self.publisher_setup.board.listeners.append(self)  # type: ignore[arg-type] # only statements matter here

    def stated(self, *_: object, **__: object) -> None:
        self._stated.set()

    def state(self, room_id: str = "boardroom") -> PresenceState | None:
        statement = self.publisher_setup.board.statement(room_id)
        assert statement is not None
        shown = json.loads(statement.document)["presence"]
        return PresenceState(shown["state"]) if shown else None

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self._stated.clear()
                await self._stated.wait()


@asynccontextmanager
async def listening(
    url: str, *tables: dict[str, Any], wait: bool = True, **more: Any
) -> AsyncIterator[Listening]:
    one = Listening(url, *tables, **more)
    task = asyncio.create_task(one.subscription.run())
    try:
        if wait:
            async with asyncio.timeout(DEADLINE):
                await one.subscription.connected.wait()
        yield one
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "mosquitto")
    await broker.start()
    yield broker
    await broker.kill()


@pytest.fixture
async def sensor(broker: Mosquitto) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client(HOST, broker.port, timeout=DEADLINE) as client:
        yield client


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_message_reaches_the_board(broker: Mosquitto, sensor: aiomqtt.Client, protocol: str) -> None:
    async with listening(broker.url, RADAR, protocol=protocol) as one:
        await sensor.publish("z/radar", '{"occupancy":true}')
        await one.until(lambda: one.state() is PresenceState.PRESENT)
    assert any("placed-sensors" in line for line in broker.log)


async def test_retained_messages_are_known_as_such(broker: Mosquitto, sensor: aiomqtt.Client) -> None:
    await sensor.publish("z/radar", '{"occupancy":true}', retain=True, qos=1)
    await sensor.publish("z/radar/availability", "offline", retain=True, qos=1)
    table = RADAR | {"available": {"topic": "z/radar/availability"}}
    async with listening(broker.url, RADAR | {"room": "library", "name": "other"}, table) as one:
        await one.until(lambda: one.state("library") is PresenceState.PRESENT)
        await sensor.publish("z/radar", '{"occupancy":true}', qos=1)
        await one.until(lambda: one.state() is PresenceState.PRESENT)
        await sensor.publish("z/radar/availability", "offline", qos=1)
        await one.until(lambda: one.state() is PresenceState.UNKNOWN)


async def test_it_comes_back_when_the_broker_does(broker: Mosquitto) -> None:
    with followed_logs() as logs:
        async with listening(broker.url, RADAR) as one:
            await broker.stop()
            await broker.start()
            async with asyncio.timeout(DEADLINE):
                await one.subscription.connected.wait()
            async with aiomqtt.Client(HOST, broker.port, timeout=DEADLINE) as sensor:
                await sensor.publish("z/radar", '{"occupancy":true}')
                await one.until(lambda: one.state() is PresenceState.PRESENT)
    assert logs.events.count("broker.was_lost") == 1
    assert logs.events.count("sensors.connected") == 2


async def test_a_broker_that_is_away_at_first_is_reported_and_read_when_it_is_there(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "late")
    with followed_logs() as logs:
        async with listening(broker.url, RADAR, wait=False) as one:
            await logs.until("broker.was_not_reached")
            assert one.subscription.problem is not None
            await broker.start()
            try:
                async with asyncio.timeout(DEADLINE):
                    await one.subscription.connected.wait()
                assert one.subscription.problem is None
            finally:
                await broker.kill()
    assert logs.events[:2] == ["broker.was_not_reached", "sensors.connected"]


async def test_a_broker_that_refuses_again_and_again_is_reported_once() -> None:
    third = asyncio.Event()

    def answer(_: bytes, before: int) -> bytes:
        if before == 2:
            third.set()
        return SERVER_UNAVAILABLE

    with followed_logs() as logs:
        async with scripted(answer) as server, listening(server.url, RADAR, wait=False):
            async with asyncio.timeout(DEADLINE):
                await third.wait()
    assert logs.events == ["broker.was_not_reached"]


async def test_a_refused_login_is_reported_with_a_remedy_of_its_own_table(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path / "closed", users={"sensors": "right"})
    await broker.start()
    try:
        with followed_logs() as logs:
            async with listening(broker.url, RADAR, wait=False):
                entry = await logs.until("broker.refused_login")
        assert "sensor_brokers.other." in entry["remedy"]
    finally:
        await broker.kill()


@pytest.mark.slow  # thousands of messages go to a real broker
async def test_a_flood_is_bounded_and_holds_up_nothing(broker: Mosquitto, sensor: aiomqtt.Client) -> None:
    async with listening(broker.url, RADAR, waiting=WaitingMessages(most_bytes=100_000)) as one:
        longest, ended = 0.0, False

        async def watch() -> None:
            nonlocal longest
            while not ended:
                before = time.thread_time()  # so that a busy machine is not blamed on the program
                await asyncio.sleep(0.001)
                longest = max(longest, time.thread_time() - before)

        watching = asyncio.create_task(watch())
        async with aiomqtt.Client(HOST, broker.port, timeout=DEADLINE) as flood:
            for number in range(4000):
                await flood.publish("z/radar", json.dumps({"occupancy": bool(number % 2)}))
        await sensor.publish("z/radar", '{"occupancy":true}', qos=1)
        await one.until(lambda: one.state() is PresenceState.PRESENT)
        ended = True
        await watching
    taken = one.readings.counts.readings["radar"]
    assert taken > 0
    assert longest < 0.25
