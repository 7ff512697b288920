"""The connection to one broker of sensors: subscribes, passes messages on, reconnects.

It has a client identifier of its own, so that a flood of messages cannot delay what the publisher sends. What
arrives waits in a bounded queue, and is taken in by slices, between which everything else has its turn.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, NoReturn

import structlog

from placed.mqtt.backoff import Backoff
from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.connection_problems import (
    BrokerLost,
    Trouble,
    not_subscribed,
    unexplained,
    why_lost,
    why_not_connected,
)
from placed.mqtt.publisher_context import Timing
from placed.sensors.counts import DROPPED
from placed.sensors.payload.message_to_reading import LARGEST_PAYLOAD
from placed.sensors.topic_tree import TopicTree
from placed.sensors.waiting_messages import Received, WaitingMessages

if TYPE_CHECKING:
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.client.publish_properties import Received as Message
    from placed.sensors.routing import Route
    from placed.sensors.sensor_broker_login import BrokerLink
    from placed.sensors.sensor_message_intake import SensorReadings

SLICE = 20  # messages that are taken in before other tasks get a turn on the event loop
_FILTERS = 100  # of one SUBSCRIBE
_DEFAULT_TIMING = Timing()

_log = structlog.get_logger("placed.sensors")


async def subscribe_to_all(client: BrokerClient, link: BrokerLink) -> dict[str, Trouble]:
    """Subscribes to the topics of all sensors of a broker; returns the filters that it refuses, with why.

    Raises:
        MqttError: the connection is lost.
    """
    filters = list(dict.fromkeys(name for route in link.routes for name in route.filters))
    refused: dict[str, Trouble] = {}
    for start in range(0, len(filters), _FILTERS):
        some = filters[start : start + _FILTERS]
        for name, code in zip(some, await client.subscribe(some), strict=False):
            if (trouble := not_subscribed(name, code)) is not None:
                refused[name] = trouble
    return refused


class SensorSubscription:
    """Reads what the sensors of one broker report.

    Args:
        link: the broker and the sensors.
        readings: takes in their messages.
        timing: of the reconnects.
        waiting: the messages that wait.

    Attributes:
        connected: set while there is a connection and it is subscribed.
        connections: how many there were.
    """

    def __init__(
        self,
        link: BrokerLink,
        readings: SensorReadings,
        timing: Timing = _DEFAULT_TIMING,
        waiting: WaitingMessages | None = None,
    ) -> None:
        self.link = link
        self.connected = asyncio.Event()
        self.connections = 0
        self._readings = readings
        self._timing = timing
        self._waiting_messages = waiting or WaitingMessages()
        self._arrived = asyncio.Event()
        self._trouble: Trouble | None = None
        self._known: Trouble | None = None  # the trouble by the error alone, before it was diagnosed
        self._tree: TopicTree[tuple[Route, bool]] = TopicTree()
        for route in link.routes:
            if route.topic is not None:
                self._tree.add(route.topic.filter, (route, False))
                if route.availability is not None:
                    self._tree.add(route.availability.filter, (route, True))

    @property
    def dropped(self) -> int:
        """How many messages were dropped because too many waited."""
        return self._waiting_messages.dropped

    @property
    def problem(self) -> str | None:
        """Why there is no connection."""
        return self._trouble.problem.text if self._trouble is not None else None

    async def run(self) -> None:
        """Reads until it is cancelled. A broker that is away, or refuses us, is tried again."""
        working = asyncio.create_task(self._take_in())
        try:
            await self._stay_connected()
        finally:
            working.cancel()
            await asyncio.wait([working])

    async def _stay_connected(self) -> NoReturn:
        loop, timing = asyncio.get_running_loop(), self._timing
        backoff = Backoff(timing.first_pause, timing.longest_pause, random.random)
        while True:
            began = None
            client = new_client(self.link.options())
            client.receive = self._put
            try:
                await self._open(client)
                began = loop.time()
                await self._subscribe(client)
                self._is_connected()
                await client.ended()
            except MqttError as error:
                self._report(why_lost(error))
            except BrokerLost as lost:
                self._report(lost.trouble)
            finally:
                self.connected.clear()
                await client.close()
            if began is not None and loop.time() - began > timing.stable_after:
                backoff.reset()
            await asyncio.sleep(backoff.next_pause())

    async def _open(self, client: BrokerClient) -> None:
        try:
            await client.open()
        except (MqttError, ValueError) as error:
            options = self.link.options()
            trouble = known = why_not_connected(error, self.link.login.settings.protocol)
            if unexplained(error):
                if known == self._known and self._trouble is not None:
                    trouble = self._trouble
                else:
                    trouble = await diagnose(error, options)
            self._known = known
            raise BrokerLost(trouble) from error

    async def _subscribe(self, client: BrokerClient) -> None:
        """Subscribes to all filters. Those that the broker refuses are reported once; the others count."""
        refused = await subscribe_to_all(client, self.link)
        if refused:
            first = next(iter(refused.values()))
            problem = self.link.own(first.problem)
            _log.warning(
                first.event,
                broker=self.link.title,
                problem=problem.text,
                remedy=problem.remedy,
                refused=len(refused),
            )

    # --- messages ---

    def _put(self, message: Message) -> None:
        """Adds a message to those that wait. Of one that is too large, enough is kept to show that."""
        payload = message.payload[: LARGEST_PAYLOAD + 1]
        for dropped in self._waiting_messages.put(Received(message.topic, payload, message.retain)):
            for route, _ in self._tree.find(dropped.topic):
                self._readings.counts.note(DROPPED, route.name, "too_many_messages")
        self._arrived.set()

    async def _take_in(self) -> NoReturn:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            taken = 0
            while self._waiting_messages:
                for message in self._waiting_messages.take():
                    self._handle(message)
                    taken += 1
                if taken >= SLICE:
                    taken = 0
                    await asyncio.sleep(0)

    def _handle(self, message: Received) -> None:
        for route, is_availability in self._tree.find(message.topic):
            try:
                if is_availability:
                    self._readings.take_availability(route, message.topic, message.payload)
                else:
                    self._readings.take(route, message.topic, message.payload, retained=message.retained)
            except Exception as error:  # noqa: BLE001 - one message must not end all sensors
                # Without the error's text, which may hold what the message states.
                _log.error("sensor.message_failed", sensor=route.name, error=type(error).__name__)

    # --- what it reports ---

    def _is_connected(self) -> None:
        self._trouble = self._known = None
        self.connected.set()
        self.connections += 1
        _log.info("sensors.connected", broker=self.link.title, sensors=len(self.link.routes))

    def _report(self, trouble: Trouble) -> None:
        """Keeps the trouble, and logs it if it is news."""
        before, self._trouble = self._trouble, trouble
        problem = self.link.own(trouble.problem)
        if trouble.is_news_after(before):
            _log.warning(
                trouble.event,
                broker=self.link.title,
                connection="sensors",
                problem=problem.text,
                remedy=problem.remedy or None,
            )
