"""Clients of both versions at brokers that fail, send what MQTT forbids, or end the connection."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from placed.mqtt.client import timeouts
from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.mqtt_error import ClosedBeforeConnack, MqttError
from placed.mqtt.client.reason_code import ReasonCode
from placed.mqtt.connection_problems import why_not_connected
from tests.component.mqtt.raw_broker import BOTH, CONNACK, DISCONNECT, PUBACK, TOPIC, answering, served
from tests.support.client_conformance import opened, options
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from placed.mqtt.client.connect_options import ProtocolVersion
    from placed.mqtt.client.publish_properties import Received
    from tests.support.mosquitto import Mosquitto


@BOTH
async def test_a_message_that_is_not_acknowledged_ends_the_connection(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch, protocol: ProtocolVersion
) -> None:
    monkeypatch.setattr(timeouts, "ANSWER", 0.2)
    async with opened(options(mosquitto.port, protocol)) as client:
        mosquitto.freeze()
        client.send(TOPIC, b"x", lambda _: None, retain=False)
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(MqttError):
                await client.ended()
        mosquitto.thaw()


@pytest.mark.slow  # real time: a keep-alive has whole seconds
async def test_a_broker_that_answers_no_ping_is_given_up() -> None:
    async with (
        answering(CONNACK, hang_up=False) as port,
        opened(replace(options(port, "5"), keep_alive=1)) as client,
        asyncio.timeout(DEADLINE),
    ):
        with pytest.raises(MqttError, match="does not answer"):
            await client.ended()


@pytest.mark.slow  # real time: a keep-alive has whole seconds
async def test_the_broker_s_keep_alive_replaces_ours() -> None:
    connack = bytes([0x20, 6, 0, 0, 3, 0x13, 0, 1])  # Server Keep Alive: 1 s
    async with (
        answering(connack, hang_up=False) as port,
        opened(options(port, "5")) as client,
        asyncio.timeout(DEADLINE),
    ):
        with pytest.raises(MqttError, match="does not answer"):
            await client.ended()


async def test_a_broker_without_wildcards_is_not_asked_for_them() -> None:
    """It would have to end the connection, again and again: MQTT 5, 3.2.2.3.11."""
    asked = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(bytes([0x20, 5, 0, 0, 2, 0x28, 0]))  # Wildcard Subscription Available: no
        asked.append(await reader.read(1000))
        writer.write(b"\x90\x04\0\x01\0\x01")  # SUBACK of one filter
        asked.append(await reader.read(1000))

    async with served(serve) as port, opened(options(port, "5")) as client, asyncio.timeout(DEADLINE):
        assert await client.subscribe(["trials/+/state", "#"]) == [ReasonCode(0xA2)] * 2
        assert await client.subscribe(["trials/+/state", TOPIC]) == [ReasonCode(0xA2), ReasonCode(1)]
        assert b"+" not in asked[0]
        assert TOPIC.encode() in asked[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x20\x03\x00\xff",  # a CONNACK that ends early
        b"\xff\xff\xff\xff\xff",
        b"\x20\x02\x00\x01",  # MQTT 3.1.1: unacceptable protocol version
        b"\x20\x03\x00\x84\x00",
        b"\x10\x00",
        b"",
    ],
)
async def test_what_is_no_connack_is_an_error_and_no_traceback(
    complaints: list[dict[str, Any]], answer: bytes
) -> None:
    async with answering(answer) as port:
        with pytest.raises(MqttError) as raised:
            async with opened(options(port, "5")):
                pass
    refused = raised.value.reason
    assert (refused == ReasonCode(0x84)) is (answer[:1] == b"\x20" and answer[3:4] in b"\x01\x84")
    if not answer:
        assert isinstance(raised.value, ClosedBeforeConnack)
    assert complaints == []


@pytest.mark.parametrize(
    "packet",
    [
        b"\x30\x05\x00\x01\xff\x00x",  # a topic
        b"\x32\x09\x00\x01a\x00\x01\x03\x26\x00\x00",  # text that ends early
        b"\x30\x0b\x00\x01a\x06\x03\x00\x03\xed\xa0\x80x",  # a content type with a surrogate
        b"\x32\x11\x00\x01a\x00\x01\x0b\x02\x00\x00\x00\x09\x26\x00\x01k\x00\x01\xff",  # a user property
        b"\x40\x08\x00\x01\x00\x04\x1f\x00\x01\xff",  # the text beside a reason code
    ],
)
async def test_text_that_is_no_utf_8_ends_the_connection_without_a_traceback(
    complaints: list[dict[str, Any]], capfd: pytest.CaptureFixture[str], packet: bytes
) -> None:
    async with answering(CONNACK + packet, hang_up=False) as port, asyncio.timeout(DEADLINE):
        with pytest.raises(MqttError, match="malformed"):
            async with opened(options(port, "5")) as client:
                await client.ended()
    gc.collect()
    assert complaints == []
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "packet",
    [
        b"\x30\x05\x00\x01\xff\x00x",  # a topic that is not UTF-8, with QoS 0
        b"\x32\x07\x00\x03a\xff\xff\x00\x01",  # the same with QoS 1
        b"\x30\x04\x00\x01#x",  # a wildcard in a topic
        b"\x30\x03\x00\x00x",  # no topic
        b"\x30\x02\x00\x09",  # a topic that ends early
        b"\x90\x01\x00",  # a SUBACK that ends early
    ],
)
async def test_what_mqtt_3_1_1_forbids_ends_the_connection_without_a_traceback(
    complaints: list[dict[str, Any]], capfd: pytest.CaptureFixture[str], packet: bytes
) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(bytes([0x20, 2, 0, 0]))
        await reader.read(1000)  # the PUBLISH
        writer.write(packet)

    async with served(serve) as port, asyncio.timeout(DEADLINE), opened(options(port, "3.1.1")) as client:
        client.send(TOPIC, b"x", lambda _: None, retain=False)
        with pytest.raises(MqttError, match="malformed") as raised:
            await client.ended()
    assert "malformed" in why_not_connected(raised.value).problem.text
    gc.collect()
    assert complaints == []
    assert capfd.readouterr().err == ""


async def test_what_follows_the_end_is_not_taken(complaints: list[dict[str, Any]]) -> None:
    heard: list[Received] = []
    publish = b"\x30\x05\x00\x01a\x00x"
    async with answering(CONNACK + publish + DISCONNECT + publish, hang_up=False) as port:
        client = new_client(options(port, "5"))
        client.receive = heard.append
        with suppress(MqttError):
            await client.open()
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(MqttError) as raised:
                await client.ended()
        await client.close()
    assert raised.value.reason == ReasonCode(0x8B)
    assert [message.payload for message in heard] == [b"x"]
    assert complaints == []


@pytest.mark.parametrize(
    "answer",
    [
        b"\x20\x06\x00\x00\x03\x21\x00\x00",  # Receive Maximum: 0
        b"\x20\x05\x00\x00\x02\x7f\x00",  # a property that does not exist
    ],
)
async def test_a_connack_that_is_malformed_is_not_reported_as_success(answer: bytes) -> None:
    async with answering(answer, hang_up=False) as port:
        with pytest.raises(MqttError, match="malformed") as raised:
            async with opened(options(port, "5")):
                pass
    assert raised.value.reason is None
    assert "malformed" in why_not_connected(raised.value).problem.text


async def test_a_disconnect_without_a_failure_is_not_reported_as_success() -> None:
    async with answering(CONNACK + b"\xe0\x00", hang_up=False) as port, asyncio.timeout(DEADLINE):
        with pytest.raises(MqttError, match="the broker ended the connection") as raised:
            async with opened(options(port, "5")) as client:
                await client.ended()
    assert raised.value.reason is None


async def test_a_second_connack_ends_the_connection() -> None:
    async with answering(CONNACK + CONNACK, hang_up=False) as port, asyncio.timeout(DEADLINE):
        with pytest.raises(MqttError, match="second CONNACK"):
            async with opened(options(port, "5")) as client:
                await client.ended()


async def test_what_aiomqtt_cannot_send_ends_the_connection(
    mosquitto: Mosquitto, complaints: list[dict[str, Any]]
) -> None:
    async with opened(options(mosquitto.port, "3.1.1")) as client:
        client.send("a/+", b"x", lambda _: None, retain=False)
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(MqttError):
                await client.ended()
    assert len(complaints) == 1


@BOTH
async def test_a_suback_that_does_not_answer_every_filter_is_an_error(protocol: ProtocolVersion) -> None:
    v5 = protocol == "5"
    suback = b"\x90\x04\x00\x01\x00\x00" if v5 else b"\x90\x03\x00\x01\x00"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK if v5 else b"\x20\x02\x00\x00")
        await reader.read(1000)
        writer.write(suback)
        await reader.read()

    async with served(serve) as port, opened(options(port, protocol)) as client:
        with pytest.raises(MqttError, match="filter"):
            await client.subscribe(["a", "b"])


async def test_a_message_with_qos_2_is_taken_once() -> None:
    publish, again = b"\x34\x07\x00\x01a\x00\x05\x00x", b"\x3c\x07\x00\x01a\x00\x05\x00x"
    answers = [b"\x50\x02\x00\x05", b"\x50\x02\x00\x05", b"\x70\x02\x00\x05", b"\x50\x02\x00\x05"]
    answered: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(CONNACK)
        for packet, answer in zip([publish, again, b"\x62\x02\x00\x05", publish], answers, strict=True):
            writer.write(packet)
            answered.append(await reader.readexactly(len(answer)))
        writer.write(b"\x30\x05\x00\x01b\x00x")
        await reader.read()

    async with served(serve) as port, opened(options(port, "5")) as client, asyncio.timeout(DEADLINE):
        topics = [(await anext(client.messages)).topic for _ in range(3)]
    assert topics == ["a", "a", "b"]
    assert answered == answers


async def test_a_publish_waits_until_the_broker_takes_another_message() -> None:
    pieces: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"\x20\x06\x00\x00\x03\x21\x00\x01")  # Receive Maximum: 1
        for packet_id in (1, 2):
            pieces.append(await reader.read(1000))
            writer.write(bytes([0x40, 2, 0, packet_id]))
        await reader.read()

    async with served(serve) as port, opened(options(port, "5")) as client, asyncio.timeout(DEADLINE):
        client.send("first", b"x", lambda _: None, retain=False)
        await client.publish("second", b"x", retain=False)
    assert [b"second" in piece for piece in pieces] == [False, True]


@pytest.mark.parametrize(
    "publish",
    [
        b"\x30\x07\x00\x00\x03\x23\x00\x01x",  # a topic alias, of which we allow none
        b"\x32\x07\x00\x01a\x00\x00\x00x",  # packet identifier 0
    ],
)
async def test_a_message_that_mqtt_5_forbids_ends_the_connection(publish: bytes) -> None:
    async with answering(CONNACK + publish, hang_up=False) as port, asyncio.timeout(DEADLINE):
        with pytest.raises(MqttError, match="not allowed"):
            async with opened(options(port, "5")) as client:
                await client.ended()


@BOTH
@pytest.mark.parametrize("answer", [CONNACK + DISCONNECT, CONNACK, DISCONNECT, CONNACK + PUBACK, b""])
async def test_a_broker_that_lets_in_and_hangs_up_at_once(
    complaints: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    protocol: ProtocolVersion,
    answer: bytes,
) -> None:
    monkeypatch.setattr(timeouts, "V311_CONNACK", 0.1)
    async with answering(answer) as port:
        for _ in range(20 if protocol == "5" else 2):
            client = new_client(options(port, protocol))
            with suppress(MqttError):
                await client.open()
                await client.subscribe(["#"])
            await client.close()
            del client
    gc.collect()
    await asyncio.sleep(0)
    assert complaints == []
