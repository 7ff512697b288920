"""Listens at the broker as a panel does: with a client identifier of its own, and saying nothing."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from placed.mqtt.errors import BrokerLost, Trouble
from placed.mqtt.oneshot import visit
from placed.panel.rules import Heard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from placed.mqtt.client import Connection
    from placed.settings.schema import Mqtt

_FAILED = 0x80  # and above, of a SUBACK: MQTT 3.1.1, 3.9.3; MQTT 5, 2.4
_FEW = 50  # topics that are worth an acknowledgement; of QoS 1 brokers queue only so many retained messages


class Subscription:
    """What comes on the topics, one by one."""

    def __init__(self, broker: Connection) -> None:
        self._broker = broker
        self._coming: asyncio.Task[Heard] | None = None

    async def next(self) -> Heard:
        """The next message; may be cancelled, and then nothing is missed."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._read())
        coming = self._coming
        try:
            return await asyncio.shield(coming)
        finally:
            if coming.done():
                self._coming = None

    async def close(self) -> None:
        """Nobody waits any more."""
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.wait([self._coming])

    async def _read(self) -> Heard:
        while True:
            message = await anext(self._broker.messages)
            if isinstance(message.payload, bytes):
                told = vars(message.properties) if message.properties else {}  # what was not told is missing
                expiry = told.get("MessageExpiryInterval")
                return Heard(message.topic.value, message.payload, message.retain, expiry)


@asynccontextmanager
async def subscribed(settings: Mqtt, topics: Sequence[str]) -> AsyncIterator[Subscription]:
    """A connection that tells what comes on the topics, what the broker holds first.

    Raises:
        BrokerLost: it could not be made, the topics may not be read, or it was lost.
        CannotStart: files that the settings name can not be used.
    """
    async with visit(settings, f"watch-{secrets.token_hex(4)}") as broker:
        subscription = Subscription(broker)
        try:
            await _subscribe(broker, topics)
            yield subscription
        finally:
            await subscription.close()


async def _subscribe(broker: Connection, topics: Sequence[str]) -> None:
    every = any("+" in topic for topic in topics)
    qos = 0 if every or len(topics) > _FEW else 1
    codes: Sequence[int | ReasonCode] = await broker.subscribe([(topic, qos) for topic in topics])
    for topic, code in zip(topics, codes, strict=False):
        if (code if isinstance(code, int) else code.value) >= _FAILED:
            raise BrokerLost(
                Trouble(
                    "topic.was_not_readable",
                    f"the broker does not let us subscribe to {topic}: {code}",
                    "base_topic",
                    "have its access rules let this login read there",
                )
            )
