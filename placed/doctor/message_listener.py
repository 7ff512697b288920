"""Collects the messages that arrive over a connection, for checks that wait for their own message."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from placed.mqtt.client.mqtt_error import MqttError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from placed.mqtt.client.interface import BrokerClient

_Result = TypeVar("_Result")


class MessageListener:
    """Collects messages until it is closed.

    Attributes:
        retained: payloads of retained messages by topic; the last one of each.
        received: payloads of all other messages by topic; the last one of each.
        ended: set when the connection is lost.
    """

    def __init__(self) -> None:
        self.retained: dict[str, bytes] = {}
        self.received: dict[str, bytes] = {}
        self.ended = asyncio.Event()
        self._arrived = asyncio.Event()

    def clear(self) -> None:
        """Removes all messages."""
        self.retained.clear()
        self.received.clear()

    async def wait_until(self, condition: Callable[[], bool], wait: float) -> bool:
        """Returns whether the condition becomes true; gives up when nothing arrives for `wait` seconds."""
        while not condition():
            self._arrived.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._arrived.wait()
            except TimeoutError:
                return condition()
        return True

    async def unless_ended(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """Returns the result of the work.

        Raises:
            MqttError: the connection was lost meanwhile; the work would wait for ever.
        """
        task = asyncio.create_task(work)
        ended = asyncio.create_task(self.ended.wait())
        await asyncio.wait([task, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        await asyncio.sleep(0)  # the work gets to handle what was acknowledged before
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            raise MqttError("the broker ended the connection")
        return task.result()

    async def listen(self, connection: BrokerClient) -> None:
        """Reads messages until the connection is lost."""
        try:
            async for message in connection.messages:
                kept = self.retained if message.retain else self.received
                kept[message.topic] = message.payload
                self._arrived.set()
        except MqttError:
            self.ended.set()


@asynccontextmanager
async def listening(connection: BrokerClient) -> AsyncIterator[MessageListener]:
    """Collects messages in the background; it does not raise if the connection is lost."""
    listener = MessageListener()
    task = asyncio.create_task(listener.listen(connection))
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
