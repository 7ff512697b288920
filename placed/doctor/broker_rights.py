"""Checks what a login may do at the broker: publish, subscribe, retain, and get retained messages later.

It publishes on one topic that nobody uses, and clears it at the end.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING

from placed.doctor.message_listener import listening
from placed.driver import Finding, Verdict
from placed.driver.shared_findings import blocked
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client.publish_properties import PublishProperties
from placed.mqtt.connection_problems import TAKEN_OVER, no_qos_1, reason, why_lost
from placed.mqtt.topics import Topics

if TYPE_CHECKING:
    from placed.doctor.message_listener import MessageListener
    from placed.mqtt.client.interface import BrokerClient
    from placed.settings.output_settings import Mqtt

ERRORS = (MqttError, OSError, TimeoutError, ValueError)
_EXPIRING = PublishProperties(expiry=30)  # seconds, in case a test message is not cleared
_NO_QOS = 0x9B  # reason code of a CONNACK
_KEEP = "have the broker keep retained messages"


class BrokerRights:
    """Checks what a connected client may do.

    MQTT 5 reports a refusal in the acknowledgement. MQTT 3.1.1 does not, nor does a broker that applies its
    access list only when it forwards a message; there a message that does not come back shows it.

    Args:
        settings: of the broker.
        client: the connected client.
        wait: seconds for the broker to forward a message that it has acknowledged.
    """

    def __init__(self, settings: Mqtt, client: BrokerClient, wait: float) -> None:
        self._wait = wait
        self._v5 = settings.protocol == "5"
        self._topics = Topics(settings.base_topic)
        self._topic = f"{settings.base_topic}/bridge/doctor"
        self._client = client
        self._mark = secrets.token_hex(8)
        self._may = f"have the broker's access rules let this login {{}} {settings.base_topic}/#"

    async def check(self) -> list[Finding]:
        """Returns the findings `publish` and `subscribe`."""
        echo = asyncio.create_task(self._echo())
        try:
            not_subscribed = await self._subscribe()
            publish = await self._publish(retain=False)
            publish = publish or await self._retain()
            came = False
            if publish is None and not_subscribed is None:
                done, _ = await asyncio.wait([echo], timeout=self._wait)
                came = bool(done) and echo.exception() is None
        except ERRORS as error:
            lost = lost_finding(error)
            return [lost, blocked("subscribe", lost)]
        finally:
            echo.cancel()
            await asyncio.wait([echo])
        findings = self._judge(publish, not_subscribed, came=came)
        if not came:
            return findings
        try:
            return [*findings, *await _check_replay(self._client, self._topics.base, self._wait)]
        except ERRORS as error:
            return [*findings, lost_finding(error)]

    def _judge(self, publish: Finding | None, not_subscribed: Finding | None, *, came: bool) -> list[Finding]:
        good = Finding.of("publish", Verdict.GOOD, f"taken on {self._topic}, also retained")
        if publish is not None:
            return [publish, not_subscribed or blocked("subscribe", publish)]
        if not_subscribed is not None:
            return [good, not_subscribed]
        if came:
            return [
                good,
                Finding.of("subscribe", Verdict.GOOD, f"what is published on {self._topic} comes back"),
            ]
        if self._v5:
            text = f"{self._topic} was subscribed to, and a message that was taken there did not come back"
            return [good, Finding.of("subscribe", Verdict.BAD, text, self._may.format("read"))]
        text = f"a message on {self._topic} did not come back: it may not be written there, or not be read"
        lost = Finding.of("publish", Verdict.BAD, text, self._may.format("write and read"))
        return [lost, blocked("subscribe", lost)]

    async def _subscribe(self) -> Finding | None:
        """Subscribes to the test topic and to those that the daemon reads at its start; returns a refusal."""
        topics = [self._topic, self._topics.bridge_state, self._topics.rooms]
        codes = await self._client.subscribe(topics)
        await self._client.unsubscribe(topics[1:])
        for topic, code in zip(topics, codes, strict=False):
            if code.is_failure:
                text = f"the broker does not let us subscribe to {topic}: {code.words}"
                return Finding.of("subscribe", Verdict.BAD, text, self._may.format("read"))
        return None

    async def _publish(self, *, retain: bool, payload: bytes | None = None) -> Finding | None:
        """Publishes a message; returns a refusal, which only MQTT 5 reports."""
        if payload is None:
            payload = json.dumps({"trial": self._mark}).encode()
        properties = _EXPIRING if payload else None
        refused = await self._client.publish(self._topic, payload, retain=retain, properties=properties)
        if refused is None:
            return None
        text = f"the broker refuses what is published on {self._topic}: {refused.words}"
        return Finding.of("publish", Verdict.BAD, text, self._may.format("write"))

    async def _retain(self) -> Finding | None:
        """Publishes a retained message and clears it at once; returns a refusal."""
        if not self._client.retains:
            return Finding.of("publish", Verdict.BAD, "the broker keeps no retained messages", _KEEP)
        try:
            return await self._publish(retain=True) or await self._publish(retain=True, payload=b"")
        except ERRORS as error:
            text = f"the broker ends the connection at a retained message: {why_lost(error).problem.text}"
            return Finding.of("publish", Verdict.BAD, text, _KEEP)

    async def _echo(self) -> None:
        """Waits for our message to come back."""
        async for message in self._client.messages:
            if message.topic == self._topic and self._mark.encode() in message.payload:
                return


def lost_finding(error: BaseException) -> Finding:
    """Returns the finding for a connection that the broker ended during a check."""
    number = reason(error)
    if number == TAKEN_OVER:
        remedy = "let one placed doctor end before the next begins"
    elif number == _NO_QOS:
        remedy = no_qos_1().problem.remedy
    else:
        remedy = "look into the broker's log for why it ended the connection of this client id"
    return Finding.of(
        "publish",
        Verdict.BAD,
        f"the broker ended the connection: {why_lost(error).problem.text}",
        remedy,
    )


# --- retained messages ---


async def _check_replay(client: BrokerClient, base: str, wait: float) -> list[Finding]:
    """Checks that retained messages are sent to later subscribers: by topic, and by each kind of wildcard.

    Returns no finding if they are.

    Raises:
        MqttError: the connection was lost.
    """
    topic = f"{base}/bridge/doctor"
    mark = json.dumps({"trial": secrets.token_hex(8)}).encode()
    missing: list[str] = []
    async with listening(client) as listener:
        await client.unsubscribe([topic])
        await client.publish(topic, mark, retain=True, properties=_EXPIRING)
        for wanted in (topic, f"{base}/+/doctor", f"{topic}/#"):
            if not await _arrives(client, listener, wanted, (topic, mark), wait):
                missing.append(wanted)
            if topic in missing:
                break
        await client.publish(topic, b"", retain=True)
    if topic in missing:
        text = f"a retained message on {topic} is not sent to a later subscriber"
        return [Finding.of("publish", Verdict.BAD, text, _KEEP)]
    if not missing:
        return []
    text = (
        f"retained messages are not sent to subscribers with a wildcard, here {' and '.join(missing)}: "
        "panels that subscribe to all rooms at once see each only when it is published the next time"
    )
    remedy = (
        "have panels subscribe to each room by its own topic, or use a broker that sends retained "
        "messages to wildcard subscriptions, such as mosquitto (docs/brokers.md)"
    )
    return [Finding.of("subscribe", Verdict.DOUBTFUL, text, remedy)]


async def _arrives(
    client: BrokerClient,
    listener: MessageListener,
    wanted: str,
    message: tuple[str, bytes],
    wait: float,
) -> bool:
    """Returns whether the message (topic, payload) arrives.

    True if this login may not subscribe to that: panels may.
    """
    topic, mark = message
    listener.clear()
    (code,) = await client.subscribe([wanted])
    if code.is_failure:
        return True

    def arrived() -> bool:
        return mark in (listener.retained.get(topic), listener.received.get(topic))

    found = await listener.wait_until(arrived, wait)
    await client.unsubscribe([wanted])
    return found
