"""Tries at a connected broker whether a login may write: a reload tries this before anything changes.

It publishes a message that is true, and that the broker does not keep: who receives it learns nothing new.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from placed.domain.mqtt_delivery_status import Refused
from placed.mqtt.client.publish_properties import PublishProperties
from placed.mqtt.connection_problems import Trouble, not_subscribed
from placed.mqtt.refused_topic_schedule import reason_for

if TYPE_CHECKING:
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.messages import Message

NOT_WRITABLE = "topic.was_not_writable"  # the event of the trouble
_EXPIRING = PublishProperties(expiry=10)  # seconds until a broker discards what it could not deliver
_ECHO = 3.0  # seconds for a message to come back


async def why_not_written(client: BrokerClient, message: Message, *, v5: bool) -> Trouble | None:
    """Publishes the message, not retained; returns why the broker does not let this login write it.

    MQTT 5 gives the reason in the PUBACK. In MQTT 3.1.1 a message that does not come back shows it, unless
    the login may not read either.

    Raises:
        MqttError: the broker did not answer.
    """
    topic = message.topic
    echoed = not v5 and not_subscribed(topic, (await client.subscribe([topic]))[0]) is None
    refused = await client.publish(topic, message.payload, retain=False, properties=_EXPIRING)
    if refused is not None and reason_for(refused.value) is Refused.NOT_AUTHORIZED:
        return _trouble(topic, f"the broker refuses what is published on {topic}: {refused}")
    if echoed and not await _comes_back(client, topic):
        return _trouble(topic, f"the broker does not forward what is published on {topic}")
    return None


async def _comes_back(client: BrokerClient, topic: str) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(_ECHO):
            async for received in client.messages:
                if received.topic == topic and not received.retain:
                    return True
    return False


def _trouble(topic: str, text: str) -> Trouble:
    remedy = f"allow this login to write {topic} in the broker's access rules"
    return Trouble.of(NOT_WRITABLE, text, "username", remedy)
