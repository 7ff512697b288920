"""Packets of MQTT 5: makes those that are sent, and splits a broker's bytes into those that arrive.

The codec accepts only what the standard allows. Brokers answer with reason codes that it does not allow in
that packet (mosquitto acknowledges a publish with "packet too large", 0x95), and a broker that speaks MQTT
3.1.1 alone answers a CONNECT in that version. Of such packets the reason code is read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import mqtt5

from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client.publish_properties import PublishProperties, Received
from placed.mqtt.client.reason_code import FAILURE, ReasonCode
from placed.mqtt.client.v5_texts import check_texts, variable_integer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from placed.mqtt.client.connect_options import ConnectOptions, Will

_QOS_1 = mqtt5.QoS.AT_LEAST_ONCE
_NO_PROPERTIES = PublishProperties()
CONNACK, PUBACK, SUBACK, DISCONNECT = 2, 4, 9, 14  # types of packets: MQTT 5, 2.1.2
_V311_CONNACK = 4  # bytes of the whole packet; that of MQTT 5 is longer
# Return codes of a CONNACK of MQTT 3.1.1, 3.2.2.3, as reason codes of MQTT 5.
_RETURN_CODES = {1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}
_UNSUPPORTED_VERSION = 0x84
_PANIC = "pyo3_runtime"  # the module of the codec's error, which is no Exception, for text that is not UTF-8


# --- those that are sent ---


def connect_packet(options: ConnectOptions) -> mqtt5.ConnectPacket:
    """Returns the packet, with the login and the will."""
    return mqtt5.ConnectPacket(
        options.client_id,
        username=options.username,
        password=None if options.password is None else options.password.encode(),
        clean_start=options.clean_start,
        will=None if options.will is None else _will(options.will),
        keep_alive=options.keep_alive,
        session_expiry_interval=options.session_expiry,
        max_packet_size=options.largest_incoming,
    )


def publish_packet(
    topic: str, payload: bytes, packet_id: int, *, retain: bool, properties: PublishProperties | None
) -> mqtt5.PublishPacket:
    """Returns the packet of a message with QoS 1."""
    expiry, content_type, user, correlation = properties or _NO_PROPERTIES
    return mqtt5.PublishPacket(
        topic,
        payload,
        qos=_QOS_1,
        retain=retain,
        packet_id=packet_id,
        payload_format_indicator=0 if content_type is None else 1,
        message_expiry_interval=expiry,
        content_type=content_type,
        user_properties=list(user),
        correlation_data=correlation,
    )


def subscribe_packet(
    packet_id: int, filters: Iterable[str], qos: int, *, live_only: bool
) -> mqtt5.SubscribePacket:
    """Returns the packet; `live_only`: the broker sends no retained messages at the start."""
    retained = mqtt5.RetainHandling.SEND_NEVER if live_only else mqtt5.RetainHandling.SEND_ALWAYS
    wanted = [
        mqtt5.TopicFilter(
            name, max_qos=mqtt5.QoS(qos), retain_as_published=live_only, retain_handling=retained
        )
        for name in filters
    ]
    return mqtt5.SubscribePacket(packet_id, wanted)


def has_wildcard(topic_filter: str) -> bool:
    """Returns whether a filter may match several topics."""
    return not {"+", "#"}.isdisjoint(topic_filter)


def _will(will: Will) -> mqtt5.Will:
    expiry, content_type, user, _ = will.properties or _NO_PROPERTIES
    return mqtt5.Will(
        will.topic,
        payload=will.payload,
        qos=_QOS_1,
        retain=will.retain,
        payload_format_indicator=0 if content_type is None else 1,
        message_expiry_interval=expiry,
        content_type=content_type,
        will_delay_interval=will.delay,
        user_properties=list(user),
    )


# --- those that arrive ---


@dataclass(frozen=True, slots=True)
class UnusualReason:
    """A packet with a reason code that the standard does not allow there.

    Attributes:
        kind: the type of the packet.
        packet_id: 0 if the packet has none.
        codes: one for each topic filter of a SUBACK; one of any other packet.
    """

    kind: int
    packet_id: int
    codes: tuple[ReasonCode, ...]


def message_of(packet: mqtt5.PublishPacket) -> Received:
    """Returns the message of a PUBLISH."""
    return Received(
        packet.topic,
        packet.payload,
        packet.retain,
        packet.message_expiry_interval,
        tuple(packet.user_properties),
        packet.response_topic,
        packet.correlation_data,
    )


class PacketReader:
    """The bytes of one connection that are not a whole packet yet.

    Args:
        largest: bytes of the largest packet that is read; None: any.
    """

    def __init__(self, largest: int | None = None) -> None:
        self._largest = largest
        self._rest = b""
        self._is_ascii = True  # whether every text is UTF-8 for certain

    def feed(self, data: bytes) -> Iterator[mqtt5.Packet | UnusualReason]:
        """Yields the packets that are complete with these bytes.

        Raises:
            MqttError: the broker sends what is not MQTT 5, or a packet that is too large.
        """
        data = self._rest + data if self._rest else data
        view, at = memoryview(data), 0
        self._is_ascii = data.isascii()
        try:
            while at < len(data):
                packet, size = self._next(view[at:])
                at += size
                yield packet
        except IndexError:  # the rest of the packet has not arrived yet
            self._check_size(len(data) - at)
        finally:
            self._rest = data[at:]

    def _next(self, view: memoryview) -> tuple[mqtt5.Packet | UnusualReason, int]:
        try:
            if not self._is_ascii:
                check_texts(view)
            return mqtt5.read(view)
        except ValueError as error:
            return _unusual(view, error)
        except BaseException as error:
            if type(error).__module__ != _PANIC:
                raise
            raise MqttError("the broker sends a malformed packet: text that is not UTF-8") from None

    def _check_size(self, size: int) -> None:
        if self._largest is not None and size > self._largest:
            raise MqttError("the broker sends a packet that is larger than we take")


def _unusual(view: memoryview, error: ValueError) -> tuple[UnusualReason, int]:
    """Returns the reason codes of a packet that the codec refused, and its size in bytes.

    Raises:
        IndexError: the packet is not complete.
        MqttError: it is no such packet.
    """
    kind = view[0] >> 4
    if kind not in (CONNACK, PUBACK, SUBACK, DISCONNECT):
        raise MqttError(f"the broker sends a malformed packet: {error}") from None
    length, start = variable_integer(view, 1)
    end = start + length
    body = bytes(view[start:end])
    if len(body) < length:
        raise IndexError
    try:
        unusual = _read_codes(kind, body, whole=end)
    except IndexError:
        raise MqttError(f"the broker sends a malformed packet: {error}") from None
    if kind in (CONNACK, DISCONNECT) and not unusual.codes[0].is_failure:  # then the rest counts
        raise MqttError(f"the broker sends a malformed packet: {error}") from None
    return unusual, end


def _read_codes(kind: int, body: bytes, *, whole: int) -> UnusualReason:
    if kind == CONNACK:
        code = body[1]
        if whole == _V311_CONNACK and code < FAILURE:
            code = _RETURN_CODES.get(code, _UNSUPPORTED_VERSION)
        return UnusualReason(kind, 0, (ReasonCode(code),))
    if kind == DISCONNECT:
        return UnusualReason(kind, 0, (ReasonCode(body[0]),))
    packet_id = int.from_bytes(body[:2])
    if kind == PUBACK:
        return UnusualReason(kind, packet_id, (ReasonCode(body[2]),))
    properties, at = variable_integer(memoryview(body), 2)
    return UnusualReason(kind, packet_id, tuple(map(ReasonCode, body[at + properties :])))
