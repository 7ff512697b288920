"""Packets of MQTT 5 that arrive in pieces of any size."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import mqtt5
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client.reason_code import ReasonCode
from placed.mqtt.client.v5_packets import PUBACK, PacketReader, UnusualReason

_PACKETS = (
    mqtt5.ConnAckPacket(receive_max=20, server_keep_alive=3, reason_str="x" * 200),
    mqtt5.PublishPacket(
        "a", bytes(300), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=3, user_properties=[("a", "b")]
    ),
    UnusualReason(PUBACK, 3, (ReasonCode(0x95),)),
    mqtt5.SubAckPacket(5, [mqtt5.SubAckReasonCode.NOT_AUTHORIZED]),
    mqtt5.PingRespPacket(),
    mqtt5.DisconnectPacket(reason_code=mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN),
)
_BYTES = b"".join(b"\x40\x03\x00\x03\x95" if isinstance(p, UnusualReason) else p.write() for p in _PACKETS)


@given(st.lists(st.integers(0, len(_BYTES))))
def test_packets_arrive_whole_whatever_the_pieces(cuts: list[int]) -> None:
    reader = PacketReader()
    pieces = [_BYTES[start:end] for start, end in pairwise([0, *sorted(cuts), len(_BYTES)])]
    assert tuple(packet for piece in pieces for packet in reader.feed(piece)) == _PACKETS


def test_packets_arrive_whole_byte_by_byte() -> None:
    reader = PacketReader()
    assert tuple(packet for byte in _BYTES for packet in reader.feed(bytes([byte]))) == _PACKETS


@pytest.mark.parametrize(("code", "reason"), [(0, 0x84), (1, 0x84), (5, 0x87), (6, 0x84), (0x87, 0x87)])
def test_a_connack_without_properties_has_a_code_of_either_version(code: int, reason: int) -> None:
    """That of MQTT 5 needs properties, which some brokers leave out if they refuse."""
    (packet,) = PacketReader().feed(bytes([0x20, 2, 0, code]))
    assert isinstance(packet, UnusualReason)
    assert packet.codes == (ReasonCode(reason),)


def test_the_rest_of_a_packet_that_is_too_large_is_not_waited_for() -> None:
    reader = PacketReader(largest=100)
    begin = b"\x30\xff\xff\xff\x7f"
    assert not list(reader.feed(begin))
    with pytest.raises(MqttError, match="larger"):
        list(reader.feed(bytes(101 - len(begin))))


@given(st.binary(max_size=40))
def test_any_bytes_are_packets_or_an_error_of_the_client(data: bytes) -> None:
    with suppress(MqttError):
        list(PacketReader(100).feed(data))
