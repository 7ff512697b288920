"""Keeps what comes over a connection, for those who wait for a message of theirs to come back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import aiomqtt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from placed.mqtt.client import BrokerClient

_Result = TypeVar("_Result")


class MessageListener:
    """Reads until it is closed.

    Attributes:
        held: payloads of retained messages, by topic; the last of each.
        heard: payloads of all others, by topic; the last of each.
        ended: set when the connection is lost.
    """

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.heard: dict[str, bytes] = {}
        self.ended = asyncio.Event()
        self._came = asyncio.Event()

    def forget(self) -> None:
        """Begins again."""
        self.held.clear()
        self.heard.clear()

    async def until(self, wanted: Callable[[], bool], patience: float) -> bool:
        """Whether it becomes so; gives up when nothing has come for `patience` seconds."""
        while not wanted():
            self._came.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._came.wait()
            except TimeoutError:
                return wanted()
        return True

    async def unless_ended(self, work: Coroutine[Any, Any, _Result]) -> _Result:
        """What comes of the work.

        Raises:
            aiomqtt.MqttError: the connection was lost meanwhile; what the work waits for never comes.
        """
        task = asyncio.create_task(work)
        ended = asyncio.create_task(self.ended.wait())
        await asyncio.wait([task, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        await asyncio.sleep(0)  # what was acknowledged before that is taken note of
        task.cancel()
        await asyncio.wait([task])
        if task.cancelled():
            raise aiomqtt.MqttError("the broker ended the connection")
        return task.result()

    async def listen(self, connection: BrokerClient) -> None:
        """Until the connection is lost."""
        try:
            async for message in connection.messages:
                kept = self.held if message.retain else self.heard
                kept[message.topic.value] = bytes(message.payload or b"")
                self._came.set()
        except aiomqtt.MqttError:
            self.ended.set()


@asynccontextmanager
async def listening(connection: BrokerClient) -> AsyncIterator[MessageListener]:
    """Hears all that comes while this is entered; that the connection is lost is for others to notice."""
    listener = MessageListener()
    task = asyncio.create_task(listener.listen(connection))
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
