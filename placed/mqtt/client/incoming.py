"""Messages from the broker that wait to be read."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from placed.mqtt.client.mqtt_error import MqttError
    from placed.mqtt.client.publish_properties import Received


class Incoming:
    """An asynchronous iterator of messages, for one reader. It raises when the connection is lost.

    Args:
        limit: how many messages may wait, of which the newest are dropped; None: any number.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._waiting: deque[Received] = deque()
        self._arrived = asyncio.Event()
        self._end: MqttError | None = None

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Received:
        while not self._waiting:
            if self._end is not None:
                raise self._end
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    def put(self, message: Received) -> None:
        """Adds a message."""
        if self._limit is None or len(self._waiting) < self._limit:
            self._waiting.append(message)
            self._arrived.set()

    def end(self, error: MqttError) -> None:
        """The connection is lost: the reader gets this error after the last message."""
        self._end = error
        self._arrived.set()
