"""The packets of MQTT 5 that are sent: CONNECT, PUBLISH and SUBSCRIBE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mqtt5

from placed.mqtt.client.publish_properties import PublishProperties

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed.mqtt.client.connect_options import ConnectOptions, Will

_QOS_1 = mqtt5.QoS.AT_LEAST_ONCE
_NO_PROPERTIES = PublishProperties()


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
