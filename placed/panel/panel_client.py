"""Follows the broker's messages with a panel, and reconnects: for `placed watch`."""

from __future__ import annotations

import asyncio
import random
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from placed.mqtt.backoff import Backoff
from placed.mqtt.client_options import address_of
from placed.mqtt.connection_problems import BrokerLost, not_subscribed
from placed.mqtt.oneshot import connected
from placed.panel.state_validity import Heard, Moment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from placed.domain.clock import Clock
    from placed.domain.problem import Problem
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.connection_problems import Trouble
    from placed.panel.state_validity import Panel
    from placed.settings.output_settings import Mqtt

_SETTLED = 1.0  # seconds without a message, after which the retained messages have arrived
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_FEW = 50  # topics for QoS 1; brokers queue only a limited number of its retained messages


class NotWatching(Exception):
    """There is no connection."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.line)
        self.problem = problem


class Watching:
    """Passes the broker's messages to a panel.

    Args:
        settings: of the broker.
        panel: receives the messages.
        clock: for the panel.
        news: called when a message arrived, with the room that it is about, or None.

    Attributes:
        trouble: why there is no connection now; None while there is one.
    """

    def __init__(
        self, settings: Mqtt, panel: Panel, clock: Clock, news: Callable[[str | None], None]
    ) -> None:
        self.broker = address_of(settings)
        self.trouble: NotWatching | None = None
        self._settings = settings
        self._panel = panel
        self._clock = clock
        self._news = news
        self.settled = asyncio.Event()

    def moment(self) -> Moment:
        """Returns the present, for the panel."""
        return Moment(self._clock.now(), self._clock.steady())

    async def once(self) -> None:
        """Follows until the retained messages have arrived.

        Raises:
            NotWatching: there is no connection.
            CannotStart: files that the settings name cannot be used.
        """
        try:
            await self._connection(once=True)
        except BrokerLost as lost:
            raise self._not_watching(lost.trouble) from lost

    async def run(self) -> None:
        """Follows for ever, and reconnects when the connection is lost.

        Raises:
            NotWatching: the first connection was refused for a reason that only a person can fix.
            CannotStart: files that the settings name cannot be used.
        """
        backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, random.random)
        while True:
            try:
                await self._connection(once=False)
            except BrokerLost as lost:
                trouble = self._not_watching(lost.trouble)
                if trouble.problem.lasting and not self.settled.is_set():
                    raise trouble from lost
                if self.trouble is None and self.settled.is_set():
                    backoff.reset()
                self.trouble = trouble
            self._panel.disconnect()
            self._news(None)
            await asyncio.sleep(backoff.next_pause())

    async def _connection(self, *, once: bool) -> None:
        try:
            await self._one_connection(once=once)
        except BrokerLost as lost:
            problem = lost.trouble.problem
            refused = problem.lasting and problem.key == "mqtt.protocol"
            if not refused or "protocol" in self._settings.model_fields_set:
                raise
            # The settings name no version, and older brokers speak 3.1.1 alone.
            self._settings = self._settings.model_copy(update={"protocol": "3.1.1"})
            await self._one_connection(once=once)

    async def _one_connection(self, *, once: bool) -> None:
        async with _subscribed(self._settings, self._panel.topics) as subscription:
            await self._catch_up(subscription)
            self.trouble = None
            self._panel.connect()
            self.settled.set()
            self._news(None)
            while not once:
                message = await subscription.next()
                self._news(self._panel.hear(message, self.moment()))

    async def _catch_up(self, subscription: _Subscription) -> None:
        """Reads the retained messages. The broker does not mark where they end."""
        while not self._panel.complete:
            try:
                async with asyncio.timeout(_SETTLED):
                    message = await subscription.next()
            except TimeoutError:
                return
            self._panel.hear(message, self.moment())

    def _not_watching(self, trouble: Trouble) -> NotWatching:
        problem = trouble.at(self.broker)
        return NotWatching(problem if problem.lasting else problem.at(""))


class _Subscription:
    """The messages on the topics, one by one."""

    def __init__(self, broker: BrokerClient) -> None:
        self._broker = broker
        self._coming: asyncio.Task[Heard] | None = None

    async def next(self) -> Heard:
        """Returns the next message; if it is cancelled, no message is lost."""
        if self._coming is None:
            self._coming = asyncio.create_task(self._read())
        coming = self._coming
        try:
            return await asyncio.shield(coming)
        finally:
            if coming.done():
                self._coming = None

    async def close(self) -> None:
        """Stops waiting for a message."""
        if self._coming is not None:
            self._coming.cancel()
            await asyncio.wait([self._coming])

    async def _read(self) -> Heard:
        message = await anext(self._broker.messages)
        return Heard(message.topic, message.payload, message.retain, message.expiry)


@asynccontextmanager
async def _subscribed(settings: Mqtt, topics: Sequence[str]) -> AsyncIterator[_Subscription]:
    """Connects and subscribes to the topics; the retained messages arrive first.

    Raises:
        BrokerLost: that failed, the topics may not be read, or the connection was lost.
        CannotStart: files that the settings name cannot be used.
    """
    async with connected(settings, f"watch-{secrets.token_hex(4)}") as broker:
        subscription = _Subscription(broker)
        try:
            await _subscribe(broker, topics)
            yield subscription
        finally:
            await subscription.close()


async def _subscribe(broker: BrokerClient, topics: Sequence[str]) -> None:
    every = any("+" in topic for topic in topics)
    qos = 0 if every or len(topics) > _FEW else 1
    codes = await broker.subscribe(topics, qos)
    for topic, code in zip(topics, codes, strict=False):
        if (trouble := not_subscribed(topic, code)) is not None:
            raise BrokerLost(trouble)
