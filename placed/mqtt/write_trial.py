"""Tries at a connected broker whether a login may write: a reload tries this before anything changes.

It publishes a message that is true, and that the broker does not keep: who receives it learns nothing new.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from placed.domain.publisher_status import Refused
from placed.mqtt.connection_problems import Trouble, not_subscribed
from placed.mqtt.refused_topics import reason_for

if TYPE_CHECKING:
    from placed.mqtt.client import BrokerClient
    from placed.mqtt.messages import Message

NOT_WRITABLE = "topic.was_not_writable"  # the event of the trouble
_EXPIRY = 10  # seconds until a broker discards a message that it could not deliver
_ECHO = 3.0  # seconds for a message to come back


async def why_not_written(client: BrokerClient, message: Message, *, v5: bool) -> Trouble | None:
    """Publishes the message, not retained; returns why the broker does not let this login write it.

    MQTT 5 gives the reason in the PUBACK. In MQTT 3.1.1 a message that does not come back shows it, unless
    the login may not read either.

    Raises:
        aiomqtt.MqttError: the broker did not answer.
    """
    topic = message.topic
    echoed = not v5 and not_subscribed(topic, (await client.subscribe([(topic, 1)]))[0]) is None
    properties = _expiring() if v5 else None
    refused = await client.publish_qos1(topic, message.payload, retain=False, properties=properties)
    if refused is not None and reason_for(refused.value) is Refused.NOT_AUTHORIZED:
        return _trouble(topic, f"the broker refuses what is published on {topic}: {refused}")
    if echoed and not await _comes_back(client, topic):
        return _trouble(topic, f"the broker does not forward what is published on {topic}")
    return None


async def _comes_back(client: BrokerClient, topic: str) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_ECHO):
            async for received in client.messages:
                if received.topic.value == topic and not received.retain:
                    return True
    return False


def _trouble(topic: str, text: str) -> Trouble:
    remedy = f"allow this login to write {topic} in the broker's access rules"
    return Trouble.of(NOT_WRITABLE, text, "username", remedy)


def _expiring() -> Properties:
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
    properties.MessageExpiryInterval = _EXPIRY
    return properties
