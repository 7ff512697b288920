"""Publishing with nothing but the codec `mqtt5` under a protocol of asyncio: as fast as Python can."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import mqtt5

from placed.mqtt.client.interface import IN_FLIGHT
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.harness.mqtt_packets import Message


class _Publish(NamedTuple):
    topic: str
    payload: bytes
    retain: bool
    content_type: str | None
    expiry: int | None


def publishes(messages: Sequence[Message]) -> list[_Publish]:
    """The same messages, as the codec takes them."""
    found = []
    for topic, payload, retain, properties in messages:
        known = vars(properties)
        found.append(
            _Publish(topic, payload, retain, known.get("ContentType"), known.get("MessageExpiryInterval"))
        )
    return found


class CodecClient(asyncio.Protocol):
    """As many messages under way as the broker and placed allow."""

    def __init__(self) -> None:
        self.connected = asyncio.get_running_loop().create_future()
        self._finished = asyncio.Event()
        self._waiting: list[_Publish] = []
        self._in_flight = 0
        self._window = IN_FLIGHT
        self._packet_id = 0
        self._rest = b""

    async def publish_all(self, messages: Sequence[_Publish]) -> None:
        """Publishes them, and waits until all are acknowledged."""
        self._waiting = list(reversed(messages))
        self._finished.clear()
        self._fill()
        await self._finished.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(mqtt5.ConnectPacket("codec-baseline", clean_start=True).write())

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        data, at = self._rest + data, 0
        view = memoryview(data)
        try:
            while at < len(data):
                packet, size = mqtt5.read(view[at:])
                at += size
                if isinstance(packet, mqtt5.PubAckPacket):
                    self._in_flight -= 1
                elif isinstance(packet, mqtt5.ConnAckPacket):
                    self._window = max(1, min(IN_FLIGHT, packet.receive_max - 1))
                    self.connected.set_result(None)
        except IndexError:
            pass
        self._rest = data[at:]
        self._fill()
        if not self._waiting and not self._in_flight:
            self._finished.set()

    def _fill(self) -> None:
        packets = []
        while self._waiting and self._in_flight < self._window:
            message = self._waiting.pop()
            self._in_flight += 1
            self._packet_id = self._packet_id % 0xFFFF + 1
            packet = mqtt5.PublishPacket(
                message.topic,
                message.payload,
                qos=mqtt5.QoS.AT_LEAST_ONCE,
                retain=message.retain,
                packet_id=self._packet_id,
                payload_format_indicator=1,
                message_expiry_interval=message.expiry,
                content_type=message.content_type,
            )
            packets.append(packet.write())
        if packets:
            self.transport.write(b"".join(packets))


async def codec_client(port: int) -> CodecClient:
    """A connected one."""
    _, client = await asyncio.get_running_loop().create_connection(CodecClient, HOST, port)
    await client.connected
    return client
