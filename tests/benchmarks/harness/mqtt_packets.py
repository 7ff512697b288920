"""The few packets of MQTT 5 that a subscriber needs, so that reading them is cheap."""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from collections.abc import Iterator

# 3.1: the protocol's name and version, a clean start, and no keepalive; no properties, no client id.
CONNECT = b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x00\x00"
SUBACK, PUBLISH = 9, 3
_AS_PUBLISHED = 0x08  # 3.8.3.1: retain is as it was published; QoS 0


class Message(NamedTuple):
    """One publish, as `aiomqtt.Client.publish` takes it."""

    topic: str
    payload: bytes
    retain: bool
    properties: Properties


def subscribe(topic: str) -> bytes:
    """A SUBSCRIBE (3.8); the topic is a short one."""
    name = topic.encode()
    body = struct.pack("!HBH", 1, 0, len(name)) + name + bytes([_AS_PUBLISHED])
    return bytes([0x82, len(body)]) + body


def end_of(data: bytes, at: int) -> int | None:
    """Where the packet that begins there ends; None if it is not all there yet."""
    length = shift = 0
    place = at + 1
    while place < len(data):
        digit = data[place]
        length |= (digit & 0x7F) << shift
        shift += 7
        place += 1
        if not digit & 0x80:
            return place + length if place + length <= len(data) else None
    return None


def messages(packets: bytes) -> Iterator[Message]:
    """The messages among whole packets; they were sent with QoS 0."""
    at = 0
    while (end := end_of(packets, at)) is not None:
        if packets[at] >> 4 == PUBLISH:
            yield _message(packets, at, end)
        at = end


def _message(packets: bytes, at: int, end: int) -> Message:
    retain = bool(packets[at] & 1)
    place = at + 1
    while packets[place] & 0x80:  # its length
        place += 1
    place += 1
    (size,) = struct.unpack_from("!H", packets, place)
    topic = packets[place + 2 : place + 2 + size].decode()
    place += 2 + size
    length = packets[place] + 1  # of the properties; placed's are short
    return Message(topic, packets[place + length : end], retain, _properties(packets[place : place + length]))


@cache
def _properties(packed: bytes) -> Properties:
    """The same once for all messages that have the same: making one takes longer than sending it."""
    if packed[0] >= 0x80:
        raise ValueError("properties of 128 bytes or more")
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
    properties.unpack(packed)  # type: ignore[no-untyped-call]
    return properties
