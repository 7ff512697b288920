"""Waits for a message of every presence sensor, for `placed doctor`.

It has its own client identifiers, so that it does not take the daemon's place, and publishes nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.doctor.report import of_problem
from placed.doctor.sensor_findings import CHECK, judge_sensors, judge_webhooks
from placed.doctor.sensors_heard import SensorTrial, TableTrial
from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem
from placed.driver import Finding, Verdict
from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client_options import Login
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.connection_problems import why_lost
from placed.sensors.payload.message_to_reading import LARGEST_PAYLOAD
from placed.sensors.sensor_broker_connection import subscribe_to_all
from placed.sensors.sensor_plan import SensorPlan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime, timedelta

    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.client.publish_properties import Received
    from placed.mqtt.connection_problems import Trouble
    from placed.sensors.sensor_broker_login import BrokerLink
    from placed.settings.loader import Configuration

_CONNECT = 40.0  # seconds for DNS, TCP, TLS and login together


async def check_sensors(
    configuration: Configuration,
    now: Callable[[], datetime],
    wait: timedelta,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> list[Finding]:
    """Returns the findings `sensors`; none if there are no sensors.

    Args:
        configuration: with the tables.
        now: the wall clock.
        wait: for a message of each sensor; it ends sooner if all are there.
        progress: is called with (sensors whose message is read, sensors).
        sleep: waits for so many seconds.
    """
    if not configuration.settings.sensors:
        return []
    try:
        plan = SensorPlan.of(configuration)
    except CannotStart as error:
        return [of_problem(CHECK, problem) for problem in error.problems]
    places = {id(settings): place for place, settings in enumerate(configuration.settings.sensors)}
    tables = [
        TableTrial(places[id(route.settings)], route)
        for route in plan.routes
        if route.settings.topic is not None
    ]
    done, total = 0, sum(table.size for table in tables)

    def count(number: int) -> None:
        nonlocal done
        done += number
        progress(done, total)

    count(0)
    brokers = [
        _Broker(link, SensorTrial([t for t in tables if t.route in link.routes], now), count)
        for link in plan.links.values()
    ]
    found = await asyncio.gather(*(broker.check(wait, sleep) for broker in brokers))

    def locate(problem: Problem, place: int, key: str) -> Problem:
        return configuration.locate(problem, "sensors", place, key)

    heard = [table for broker in brokers if broker.reached for table in broker.trial.tables]
    return [
        *_unread_login(configuration, plan),
        *(finding for findings in found for finding in findings),
        *judge_sensors(heard, wait, locate),
        *judge_webhooks(configuration.settings.sensors),
    ]


def _unread_login(configuration: Configuration, plan: SensorPlan) -> list[Finding]:
    """The finding of sensors that report to the broker of `[mqtt]`, if files of that table cannot be used."""
    settings = configuration.settings
    by_default = any(table.topic is not None and table.broker is None for table in settings.sensors)
    if settings.mqtt is None or not by_default or None in plan.links:
        return []
    try:
        Login.of(settings.mqtt)
    except CannotStart as error:
        return [_after_broker(error.problems[0])]
    return []


class _Broker:
    """One broker of sensors.

    Attributes:
        reached: whether its sensors could be waited for.
        trial: its sensors.
    """

    def __init__(self, link: BrokerLink, trial: SensorTrial, count: Callable[[int], None]) -> None:
        self.trial = trial
        self.reached = False
        self._link = link
        self._count = count
        self._done = asyncio.Event()

    async def check(self, wait: timedelta, sleep: Callable[[float], Awaitable[object]]) -> list[Finding]:
        """Waits for a message of each sensor; returns what is wrong with the broker."""
        options = self._link.options(f"{self._link.client_id}-doctor")
        client = new_client(options)
        client.receive = self._hear
        try:
            async with asyncio.timeout(_CONNECT):
                await client.open()
            refused = await self._subscribe(client)
        except TimeoutError:
            return [self._not_reached(Problem("mqtt.url", f"{self._link.title}: it takes too long"))]
        except (MqttError, ValueError) as error:
            return [self._not_reached((await diagnose(error, options)).at(self._link.title))]
        else:
            self.reached = True
            ended = await self._wait(client, wait, sleep)
            return [*refused, *([] if ended is None else [self._finding(ended.at(self._link.title))])]
        finally:
            await client.close()

    async def _wait(
        self, client: BrokerClient, wait: timedelta, sleep: Callable[[float], Awaitable[object]]
    ) -> Trouble | None:
        """Waits until all sensors are read or the time is over; returns why it ended before."""
        if self.trial.is_done:
            return None
        ended = asyncio.ensure_future(client.ended())
        others = [asyncio.ensure_future(sleep(wait.total_seconds())), asyncio.create_task(self._done.wait())]
        await asyncio.wait([ended, *others], return_when=asyncio.FIRST_COMPLETED)
        lost = ended.exception() if ended.done() else None
        for task in (ended, *others):
            task.cancel()
        await asyncio.wait([ended, *others])
        return why_lost(lost) if isinstance(lost, MqttError) else None

    async def _subscribe(self, client: BrokerClient) -> list[Finding]:
        """Subscribes to the topics of all tables; returns a finding if some are refused."""
        refused = await subscribe_to_all(client, self._link)
        if not refused:
            return []
        for name in refused:
            self.trial.refuse(name)
        problem = next(iter(refused.values())).at(self._link.title)
        if len(refused) > 1:
            text = f"{problem.text}; and {len(refused) - 1:,} more"
            problem = Problem(problem.key, text, problem.remedy)
        return [self._finding(problem)]

    def _hear(self, message: Received) -> None:
        payload = message.payload[: LARGEST_PAYLOAD + 1]
        number = self.trial.hear(message.topic, payload, retained=message.retain)
        if number:
            self._count(number)
        if self.trial.is_done:
            self._done.set()

    def _not_reached(self, problem: Problem) -> Finding:
        """The finding of a broker that is not reached. That of `[mqtt]` is the broker's own finding."""
        if not problem.remedy:
            reach = f"that this machine reaches {self._link.title}"
            remedy = f"check that the broker runs, that mqtt.url is its address, and {reach}"
            problem = Problem("mqtt.url", problem.text, remedy)
        return _after_broker(problem) if self._link.name is None else self._finding(problem)

    def _finding(self, problem: Problem) -> Finding:
        return of_problem(CHECK, self._link.own(problem))


def _after_broker(problem: Problem) -> Finding:
    return Finding(CHECK, Verdict.BAD, Problem("", "not tried", problem.remedy), "broker")
