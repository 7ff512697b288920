"""What a broker does of all that placed and its panels rely on, tried with clients and with the daemon."""

from __future__ import annotations

import asyncio
import secrets
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from placed.doctor.broker_checks import check_broker
from placed.domain.exit_errors import CannotStart
from placed.settings.output_settings import Mqtt
from tests.support.deployment import Deployment
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.end_to_end.brokers.broker_software import Software

    Trial = Callable[[Software, "Protocol"], Awaitable[bool | None]]

Protocol = Literal["5", "3.1.1"]
PROTOCOLS: Final[tuple[Protocol, ...]] = ("5", "3.1.1")
COMES, STAYS_AWAY = 5.0, 1.0  # seconds that a message may take, and after which none comes any more
ROOMS = 2000
_ATTEMPTS = 3
LARGE = 2 * 1024 * 1024  # bytes; an index of 5,500 rooms


@dataclass(slots=True)
class Record:
    """What came of all trials over one version of MQTT.

    Attributes:
        refused: what `placed run` ends with, if it does.
        passed: by trial; None where the version has no such thing.
        doctor: what `placed doctor` finds that is not good.
    """

    refused: str | None = None
    passed: dict[str, bool | None] = field(default_factory=dict)
    doctor: list[str] = field(default_factory=list)


class Client:
    """A client of the broker that remembers what comes."""

    def __init__(self, broker: Software, protocol: Protocol, **options: Any) -> None:
        versions = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}
        self.mqtt = aiomqtt.Client(HOST, broker.port, protocol=versions[protocol], timeout=COMES, **options)
        self._came: list[aiomqtt.Message] = []

    async def message(self, topic: str, payload: bytes | None = None, within: float = COMES) -> bool:
        """Whether a message comes on the topic, with this payload if one is given."""
        try:
            async with asyncio.timeout(within):
                while not any(m.topic.value == topic and payload in (None, m.payload) for m in self._came):
                    self._came.append(await anext(self.mqtt.messages))
        except (TimeoutError, aiomqtt.MqttError):
            return False
        return True

    def qos_of(self, topic: str) -> set[int]:
        """With which QoS messages came."""
        return {message.qos for message in self._came if message.topic.value == topic}


@asynccontextmanager
async def client(broker: Software, protocol: Protocol, *topics: str, **options: Any) -> AsyncIterator[Client]:
    """It is connected, and subscribes with QoS 1."""
    one = Client(broker, protocol, **options)
    async with one.mqtt:
        for topic in topics:
            await one.mqtt.subscribe(topic, qos=1)
        yield one


async def retained_by_its_topic(broker: Software, protocol: Protocol) -> bool:
    """Who subscribes later gets a retained message."""
    return await _replayed(broker, protocol, "{}", b"kept")


async def retained_by_plus(broker: Software, protocol: Protocol) -> bool:
    """The same with a wildcard of one level."""
    return await _replayed(broker, protocol, "{}/../+", b"kept")


async def retained_by_hash(broker: Software, protocol: Protocol) -> bool:
    """The same with the other wildcard."""
    return await _replayed(broker, protocol, "{}/../#", b"kept")


async def clearing(broker: Software, protocol: Protocol) -> bool:
    """An empty message clears what is kept."""
    topic = _topic()
    async with client(broker, protocol) as one:
        await one.mqtt.publish(topic, b"kept", qos=1, retain=True)
        await one.mqtt.publish(topic, b"", qos=1, retain=True)
    async with client(broker, protocol, topic) as late:
        return not await late.message(topic, b"kept", STAYS_AWAY)


async def qos_1(broker: Software, protocol: Protocol) -> bool:
    """A message of QoS 1 comes with QoS 1."""
    topic = _topic()
    async with client(broker, protocol, topic) as one:
        await one.mqtt.publish(topic, b"x", qos=1)
        return await one.message(topic) and one.qos_of(topic) == {1}


async def large(broker: Software, protocol: Protocol) -> bool:
    """A message of 2 MiB is kept."""
    return await _replayed(broker, protocol, "{}", b"x" * LARGE)


async def rooms_at_qos_0(broker: Software, protocol: Protocol) -> bool:
    """Who subscribes to all of 2,000 rooms with QoS 0 gets every one."""
    return await _rooms(broker, protocol, 0)


async def rooms_at_qos_1(broker: Software, protocol: Protocol) -> bool:
    """The same with QoS 1."""
    return await _rooms(broker, protocol, 1)


async def expiry(broker: Software, protocol: Protocol) -> bool | None:
    """A retained message is gone when its time is over."""
    if protocol != "5":
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho's
    properties.MessageExpiryInterval = 1
    topic = _topic()
    async with client(broker, protocol) as one:
        await one.mqtt.publish(topic, b"kept", qos=1, retain=True, properties=properties)
    await asyncio.sleep(2.5)  # the broker counts by its own clock, and reports no expiry
    async with client(broker, protocol, topic) as late:
        return not await late.message(topic, None, STAYS_AWAY)


async def will(broker: Software, protocol: Protocol) -> bool:
    """The retained will of a client that is gone is published, and kept."""
    topic = _topic()
    async with client(broker, protocol, topic) as one:
        await _die(broker, protocol, aiomqtt.Will(topic, b"gone", qos=1, retain=True))
        came = await one.message(topic, b"gone")
    async with client(broker, protocol, topic) as late:
        return came and await late.message(topic, b"gone")


async def will_delay(broker: Software, protocol: Protocol) -> bool | None:
    """A will with a delay waits for it."""
    if protocol != "5":
        return None
    properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call] # paho's
    properties.WillDelayInterval = 2
    connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's
    connect.SessionExpiryInterval = 30
    topic = _topic()
    async with client(broker, protocol, topic) as one:
        await _die(
            broker, protocol, aiomqtt.Will(topic, b"gone", qos=1, properties=properties), properties=connect
        )
        early = await one.message(topic, None, STAYS_AWAY)
        return not early and await one.message(topic, b"gone")


async def session(broker: Software, protocol: Protocol) -> bool:
    """What is published while a client is away is delivered when it is back, to one and to the next."""
    return await _resumed(broker, protocol) and await _resumed(broker, protocol)


async def _resumed(broker: Software, protocol: Protocol) -> bool:
    topic, name = _topic(), f"placed{secrets.token_hex(4)}"
    options: dict[str, Any] = {"identifier": name, "clean_session": False}
    if protocol == "5":
        connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # paho's
        connect.SessionExpiryInterval = 60
        options = {"identifier": name, "clean_start": False, "properties": connect}
    async with client(broker, protocol, topic, **options):
        pass
    async with client(broker, protocol) as other:
        await other.mqtt.publish(topic, b"meanwhile", qos=1)
    async with client(broker, protocol, **options) as back:
        return await back.message(topic, b"meanwhile")


TRIALS: Final[dict[str, Trial]] = {
    "QoS 1": qos_1,
    "retained, by topic": retained_by_its_topic,
    "retained, by `+`": retained_by_plus,
    "retained, by `#`": retained_by_hash,
    "clearing": clearing,
    "2 MiB": large,
    "2,000 rooms at QoS 0": rooms_at_qos_0,
    "2,000 rooms at QoS 1": rooms_at_qos_1,
    "expiry": expiry,
    "will": will,
    "will delay": will_delay,
    "session": session,
}


async def tried(broker: Software, protocol: Protocol, folder: Path) -> Record:
    """All trials of a broker that runs. It is started again meanwhile."""
    record = Record()
    async with Deployment.open(folder) as deployment:
        deployment.configure(mqtt={"url": broker.url, "protocol": protocol})
        try:
            async with deployment.daemon() as running:
                record.passed["placed publishes"] = await _shown(broker, protocol)
                await broker.stop()
                await broker.start()
                async with asyncio.timeout(60):
                    while running.daemon.publisher.reconnects < 1:  # noqa: ASYNC110 - it notifies nobody
                        await asyncio.sleep(0.1)
                    await running.daemon.publisher.published()
                record.passed["comes back"] = await _shown(broker, protocol)
        except BaseExceptionGroup as group:
            refused, other = group.split(CannotStart)
            if refused is None or other is not None:
                raise
            record.refused = str(refused.exceptions[0])
            return record
        for name, trial in TRIALS.items():
            # What fails once on a busy machine is not what a broker does.
            for _ in range(_ATTEMPTS):
                record.passed[name] = await _passes(trial, broker, protocol)
                if record.passed[name] is not False:
                    break
        found = await check_broker(Mqtt.model_validate({"url": broker.url, "protocol": protocol}), 2.0)
        record.doctor = [f"{f.check}: {f.text}; {f.remedy}" for f in found if f.remedy]
    return record


async def _passes(trial: Trial, broker: Software, protocol: Protocol) -> bool | None:
    try:
        return await trial(broker, protocol)
    except (aiomqtt.MqttError, TimeoutError, OSError):
        return False


async def _shown(broker: Software, protocol: Protocol) -> bool:
    """Whether a panel that connects now receives a room."""
    topic = "placed/rooms/boardroom/state"
    async with client(broker, protocol, topic) as panel:
        return await panel.message(topic)


async def _replayed(broker: Software, protocol: Protocol, wanted: str, payload: bytes) -> bool:
    topic = _topic()
    async with client(broker, protocol) as one:
        await one.mqtt.publish(topic, payload, qos=1, retain=True)
    subscribed = wanted.format(topic)
    if "/../" in subscribed:
        before, _, wildcard = subscribed.partition("/../")
        subscribed = f"{before.rpartition('/')[0]}/{wildcard}"
    async with client(broker, protocol, subscribed) as late:
        return await late.message(topic, payload)


async def _rooms(broker: Software, protocol: Protocol, qos: int) -> bool:
    base = _topic()
    async with client(broker, protocol) as one:
        for number in range(ROOMS):
            await one.mqtt.publish(f"{base}/{number}/state", b"x" * 500, qos=1, retain=True)
    seen: set[str] = set()
    async with client(broker, protocol) as late:
        await late.mqtt.subscribe(f"{base}/+/state", qos=qos)
        with suppress(TimeoutError):
            while len(seen) < ROOMS:
                async with asyncio.timeout(COMES):
                    seen.add((await anext(late.mqtt.messages)).topic.value)
    return len(seen) == ROOMS


async def _die(broker: Software, protocol: Protocol, last: aiomqtt.Will, **options: Any) -> None:
    """A client with a will that is gone without a word."""
    dying = Client(broker, protocol, will=last, **options)
    await dying.mqtt.__aenter__()
    wire = dying.mqtt._client.socket()
    assert isinstance(wire, socket.socket)
    wire.shutdown(socket.SHUT_RDWR)
    with suppress(aiomqtt.MqttError):
        await dying.mqtt.__aexit__(None, None, None)


def _topic() -> str:
    return f"trials/{secrets.token_hex(4)}/state"
