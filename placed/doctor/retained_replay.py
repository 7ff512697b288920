"""Whether a broker sends retained messages to who subscribes later: by the topic, and by each wildcard."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Final

from paho.mqtt.reasoncodes import ReasonCode

from placed.doctor.message_listener import listening
from placed.driver import Finding, Verdict

if TYPE_CHECKING:
    from paho.mqtt.properties import Properties

    from placed.doctor.message_listener import MessageListener
    from placed.mqtt.client import BrokerClient

FAILED: Final = 0x80  # of a SUBACK, and above: MQTT 3.1.1, table 3.9.3; MQTT 5, 2.4
KEEP: Final = "have the broker keep retained messages"


async def try_replays(
    connection: BrokerClient, base: str, patience: float, properties: Properties | None
) -> list[Finding]:
    """What is wrong with it; nothing if it does. The message is cleared at the end.

    Raises:
        aiomqtt.MqttError: the connection was lost.
    """
    topic = f"{base}/bridge/doctor"
    mark = json.dumps({"trial": secrets.token_hex(8)}).encode()
    missing: list[str] = []
    async with listening(connection) as listener:
        await connection.unsubscribe(topic)
        await connection.publish_qos1(topic, mark, retain=True, properties=properties)
        for wanted in (topic, f"{base}/+/doctor", f"{topic}/#"):
            if not await _comes(connection, listener, wanted, (topic, mark), patience):
                missing.append(wanted)
            if topic in missing:
                break
        await connection.publish_qos1(topic, b"", retain=True)
    if topic in missing:
        said = f"a retained message on {topic} is not sent to who subscribes to it later"
        return [Finding.of("publish", Verdict.BAD, said, KEEP)]
    if not missing:
        return []
    said = (
        f"retained messages are not sent to who subscribes with a wildcard, here {' and '.join(missing)}: "
        "panels that subscribe to all rooms at once see each only when it is published the next time"
    )
    remedy = (
        "have panels subscribe to each room by its own topic, or use a broker that sends retained "
        "messages to wildcard subscriptions, such as mosquitto (docs/brokers.md)"
    )
    return [Finding.of("subscribe", Verdict.DOUBTFUL, said, remedy)]


async def _comes(
    connection: BrokerClient,
    listener: MessageListener,
    wanted: str,
    message: tuple[str, bytes],
    patience: float,
) -> bool:
    """Whether the message (topic, payload) comes; true where this login may not subscribe so: panels may."""
    topic, mark = message
    listener.forget()
    (code,) = await connection.subscribe([(wanted, 1)])
    if number_of(code) >= FAILED:
        return True

    def came() -> bool:
        return mark in (listener.held.get(topic), listener.heard.get(topic))

    found = await listener.until(came, patience)
    await connection.unsubscribe(wanted)
    return found


def number_of(code: object) -> int:
    """Of a reason in a SUBACK, whichever version it is of."""
    return code.value if isinstance(code, ReasonCode) else code if isinstance(code, int) else 0
