"""Replies to commands that wait to be published, also while there is no connection for a moment."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from placed.domain.action import Outcome, Refusal, Reply
from placed.mqtt.client.publish_properties import PublishProperties
from placed.mqtt.unused_commands import REPLY_DROPPED, REPLY_REFUSED

if TYPE_CHECKING:
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.unused_commands import UnusedCommands

HOLDS = 60.0  # seconds
MOST = 1000  # replies that may wait
_JSON = "application/json"
_encode = msgspec.json.Encoder().encode


class ReplyTo(NamedTuple):
    """Where the replies to a command go, and its Correlation Data."""

    topic: str
    correlation: bytes | None = None


class RefusalDocument(msgspec.Struct, frozen=True):
    """A reply of the form of `Reply`, to a command whose action or room need not exist."""

    key: str
    action: str
    room: str
    outcome: Outcome
    reason: Refusal
    epoch: int
    seq: int


class _Waiting(NamedTuple):
    to: ReplyTo
    payload: bytes
    until: float  # on the event loop's clock


class Replies:
    """Publishes replies in order.

    Args:
        counts: of replies that are dropped or refused.
    """

    def __init__(self, counts: UnusedCommands) -> None:
        self._counts = counts
        self._waiting: deque[_Waiting] = deque()
        self._added = asyncio.Event()

    def put(self, to: ReplyTo, reply: Reply | RefusalDocument) -> None:
        """Adds a reply; beyond the limit it is dropped and counted."""
        if len(self._waiting) >= MOST:
            self._counts.note(REPLY_DROPPED)
            return
        until = asyncio.get_running_loop().time() + HOLDS
        self._waiting.append(_Waiting(to, _encode(reply), until))
        self._added.set()

    async def publish_over(self, client: BrokerClient) -> None:
        """Publishes what waits and what is added, until it is cancelled.

        Raises:
            MqttError: the connection is lost; what was not acknowledged is published over the next one.
        """
        loop = asyncio.get_running_loop()
        while True:
            while self._waiting:
                to, payload, until = self._waiting[0]
                left = round(until - loop.time())
                if left > 0:
                    properties = PublishProperties(left, _JSON, correlation=to.correlation)
                    code = await client.publish(to.topic, payload, retain=False, properties=properties)
                    if code is not None:
                        self._counts.note(REPLY_REFUSED, code=str(code))
                else:
                    self._counts.note(REPLY_DROPPED)
                self._waiting.popleft()
            self._added.clear()
            await self._added.wait()
