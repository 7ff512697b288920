"""Both clients: what they do at real brokers, and that a connection that ends leaves nothing behind."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from placed.mqtt.client import timeouts
from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.connect_options import Will
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client.publish_properties import PublishProperties
from placed.mqtt.client.reason_code import ReasonCode
from tests.component.mqtt.raw_broker import BOTH, CONNACK, TOPIC, answering, served
from tests.end_to_end.brokers.broker_software import Amqtt
from tests.support.client_conformance import CHECKS, conforms, opened, options
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST
from tests.support.mosquitto import Authority, Subscriber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from placed.mqtt.client.connect_options import ProtocolVersion
    from tests.support.client_conformance import Check
    from tests.support.mosquitto import Mosquitto

    Start = Callable[..., Awaitable[Mosquitto]]

# --- at real brokers ---


@BOTH
@pytest.mark.parametrize("check", CHECKS)
async def test_a_client_conforms_at_mosquitto(
    mosquitto: Mosquitto, protocol: ProtocolVersion, check: Check
) -> None:
    await conforms(check, mosquitto.port, protocol)


@pytest.fixture
async def amqtt(tmp_path: Path) -> AsyncIterator[Amqtt]:
    """amqtt, which speaks MQTT 3.1.1 alone."""
    broker = Amqtt(tmp_path / "amqtt")
    await broker.start()
    yield broker
    await broker.stop()


# amqtt leaves the earlier connection of a client identifier open.
@pytest.mark.parametrize("check", CHECKS[:-1])
async def test_a_client_conforms_at_amqtt(amqtt: Amqtt, check: Check) -> None:
    await conforms(check, amqtt.port, "3.1.1")


async def test_limits_that_the_broker_announces_are_known(start: Start) -> None:
    broker = await start(
        extra=["max_inflight_messages 5", "max_packet_size 5000", "retain_available false", "max_qos 0"]
    )
    async with opened(options(broker.port, "5")) as client:
        assert client.in_flight == 4  # one is left for the last `offline`
        assert client.max_packet_size == 5000
        assert not client.retains
        assert not client.takes_qos_1


async def test_refusals_have_the_broker_s_reason(start: Start) -> None:
    broker = await start(
        users={"panel": "secret"},
        access=["user panel", "topic readwrite allowed/#"],
        extra=["message_size_limit 100"],
    )
    wanted = replace(options(broker.port, "5"), username="panel", password="secret")
    async with opened(wanted) as client:
        assert await client.publish("allowed/x", b"x", retain=False) is None
        refused = await client.publish("other/x", b"x", retain=False)
        assert refused is not None
        assert refused.words == "Not authorized (0x87)"
        # mosquitto uses a code that MQTT 5 does not allow in a PUBACK.
        too_large = await client.publish("allowed/x", bytes(101), retain=False)
        assert too_large == ReasonCode(0x95)
        granted, denied = await client.subscribe(["allowed/#", "$SYS/secret/#"])
        assert not granted.is_failure
        assert denied.value in (0x80, 0x87, 1)  # mosquitto 2 decides at each message
    with pytest.raises(MqttError) as raised:
        async with opened(replace(wanted, password="wrong")):
            pass
    assert raised.value.reason is not None
    assert raised.value.reason.value in (0x86, 0x87)


async def test_properties_arrive(mosquitto: Mosquitto) -> None:
    async with Subscriber(mosquitto, TOPIC) as seen, opened(options(mosquitto.port, "5")) as client:
        await client.subscribe([TOPIC])
        properties = PublishProperties(60, "application/json", (("instance", "abc"),))
        await client.publish(TOPIC, b"{}", retain=True, properties=properties)
        arrival = await seen.message(TOPIC)
        assert arrival.properties["ContentType"] == "application/json"
        assert arrival.properties["PayloadFormatIndicator"] == 1
        assert arrival.properties["UserProperty"] == [("instance", "abc")]
        assert arrival.expiry in (59, 60)
        received = await anext(client.messages)
        assert received.user == (("instance", "abc"),)
        assert received.expiry in (59, 60)


@BOTH
async def test_a_connection_that_is_closed_publishes_no_will(
    mosquitto: Mosquitto, protocol: ProtocolVersion
) -> None:
    wanted = replace(options(mosquitto.port, protocol), will=Will(TOPIC, b"will"))
    async with Subscriber(mosquitto, TOPIC) as seen:
        async with opened(wanted) as client:
            await client.publish(TOPIC, b"last", retain=False)
        await mosquitto.wait_for_line("disconnected")
        await seen.caught_up()
        assert [arrival.payload for arrival in seen.arrivals] == [b"last"]


async def test_a_disconnect_with_will_has_the_broker_publish_it(mosquitto: Mosquitto) -> None:
    will = Will(TOPIC, b"will", retain=True, properties=PublishProperties(content_type="text/plain"))
    async with Subscriber(mosquitto, TOPIC) as seen:
        async with opened(replace(options(mosquitto.port, "5"), will=will)) as client:
            await client.disconnect_with_will()
        arrival = await seen.message(TOPIC, "will")
        assert arrival.retain
        assert arrival.properties["ContentType"] == "text/plain"


async def test_a_network_that_takes_no_more_is_reported_and_then_takes_again(mosquitto: Mosquitto) -> None:
    async with opened(options(mosquitto.port, "5")) as client:
        writable = asyncio.Event()
        answers: list[ReasonCode | None] = []
        client.writable = writable.set
        mosquitto.freeze()
        sent = 0
        while not client.congested:
            client.send(TOPIC, bytes(1024 * 1024), answers.append, retain=False)
            sent += 1
            await asyncio.sleep(0)
            assert sent < client.in_flight
        mosquitto.thaw()
        async with asyncio.timeout(DEADLINE):
            await writable.wait()
        assert not client.congested
        await client.publish(TOPIC, b"x", retain=False)
        assert answers == [None] * sent


async def test_messages_of_one_turn_go_out_in_one_write() -> None:
    pieces: list[bytes] = []
    arrived = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        pieces.append(await reader.read(100_000))
        arrived.set()
        await reader.read()

    async with served(serve) as port, opened(options(port, "5")) as client:
        for number in range(20):
            client.send(TOPIC, str(number).encode(), lambda _: None, retain=False)
        async with asyncio.timeout(DEADLINE):
            await arrived.wait()
    assert pieces[0].count(TOPIC.encode()) == 20


async def test_messages_that_arrive_with_the_answer_to_an_unsubscribe_are_there_after_it() -> None:
    """Code that lists retained topics relies on it. Without `join` in the client 32 of 50 are missed."""
    topic, many = TOPIC.encode(), 50
    publish = bytes([0x31, 2 + len(topic) + 1, 0, len(topic)]) + topic + b"x"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(bytes([0x20, 2, 0, 0]))  # CONNACK
        packet_id = (await reader.read(1000))[2:4]
        writer.write(publish * many + bytes([0xB0, 2]) + packet_id)  # UNSUBACK
        await reader.read()

    async with served(serve) as port, opened(options(port, "3.1.1")) as client:
        await client.unsubscribe([TOPIC])
        assert len(client.messages) == many


# --- TLS ---


async def test_a_close_does_not_wait_long_for_a_silent_peer_over_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaints: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(timeouts, "GOODBYE", 0.05)
    authority, silent = Authority(tmp_path), asyncio.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(HOST))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()  # nor does it see a close_notify
        await silent.wait()
        writer.transport.abort()

    async with served(serve, context) as port:
        client = new_client(replace(options(port, "5"), tls=authority.context()))
        await client.open()
        async with asyncio.timeout(DEADLINE):
            await client.close()  # without this, asyncio waits for 30 s
        silent.set()
    assert complaints == []


async def test_a_handshake_that_is_cancelled_closes_the_socket(
    tmp_path: Path, complaints: list[dict[str, Any]]
) -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)
        begun.set()
        await reader.read()
        closed.set()

    async with served(serve) as port, asyncio.timeout(DEADLINE):
        client = new_client(replace(options(port, "5"), tls=Authority(tmp_path).context()))
        opening = asyncio.create_task(client.open())
        await begun.wait()
        opening.cancel()
        await asyncio.wait([opening])
        assert opening.cancelled()
        await closed.wait()
        await client.close()
    assert complaints == []


async def test_the_next_address_is_tried_when_a_handshake_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, complaints: list[dict[str, Any]]
) -> None:
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue(HOST))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        await reader.read()

    async with answering(b"") as closing, served(serve, context) as port:

        async def look_up(*_: object) -> list[tuple[str, int]]:
            return [(HOST, closing), (HOST, port)]

        monkeypatch.setattr("placed.mqtt.client.v5.look_up", look_up)
        async with opened(replace(options(port, "5"), tls=authority.context())):
            pass
    assert complaints == []
