"""Simulated presence sensors for `placed demo`: most follow the meetings, one is blind, one dies.

They report over MQTT to the broker of the demonstration, as real ones would. Who is in a room is made up from
its calendar: nobody comes to one meeting of five, and now and then somebody is in a room without a booking.
"""

from __future__ import annotations

import asyncio
import zlib
from contextlib import asynccontextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING, NoReturn

import aiomqtt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from datetime import datetime

    from placed.domain.state_document import Statement

SETTINGS = """[[sensors]]
name = "radar"
topic = "sensors/{room}"
presence = "occupancy"
kind = "radar"
hold = "10s"
stale_after = "1m"
"""

_MOST = 12  # rooms with a sensor; more would be a load for the broker of the demonstration
_EVERY = 5.0  # seconds between two reports of a sensor, and before a lost connection is made again
_ABSENT = 5  # one meeting of so many has nobody
_UNBOOKED = 6  # in one of so many spans a free room is used
_SPAN = 180  # seconds


class Condition(Enum):
    """What a sensor is like."""

    ALIVE = "alive"
    BLIND = "blind"  # it never notices anybody
    DEAD = "dead"  # it has reported once


def conditions(room_ids: Iterable[str]) -> dict[str, Condition]:
    """Returns the sensors by the ids of their rooms."""
    kinds = {0: Condition.BLIND, 1: Condition.DEAD}
    first = sorted(room_ids)[:_MOST]
    return {room_id: kinds.get(place, Condition.ALIVE) for place, room_id in enumerate(first)}


def is_used(statement: Statement, moment: datetime) -> bool:
    """Returns whether somebody is in a room: the same for all of a meeting, or for some minutes."""
    meeting = statement.occupancy.current
    if meeting is not None:
        return _draw(f"{statement.room.id} {meeting.start.timestamp()}") % _ABSENT > 0
    return _draw(f"{statement.room.id} {moment.timestamp() // _SPAN}") % _UNBOOKED == 0


def _draw(text: str) -> int:
    return zlib.crc32(text.encode())


def reports(
    sensors: dict[str, Condition], statements: Iterable[Statement], moment: datetime, *, first: bool
) -> Iterator[tuple[str, bytes]]:
    """Yields the topics and payloads that are sent at a moment; `first`: nothing was sent before."""
    for statement in statements:
        condition = sensors.get(statement.room.id)
        if condition is None or (condition is Condition.DEAD and not first):
            continue
        noticed = condition is not Condition.BLIND and is_used(statement, moment)
        yield f"sensors/{statement.room.id}", b'{"occupancy":true}' if noticed else b'{"occupancy":false}'


@asynccontextmanager
async def simulated_sensors(
    host: str, port: int, now: Callable[[], datetime]
) -> AsyncIterator[Callable[[Callable[[], Iterable[Statement]]], None]]:
    """Yields what begins their reports, with a way to get the rooms' statements; they end with the context.

    Args:
        host: of the broker.
        port: of the broker.
        now: the wall clock.
    """
    begun: list[asyncio.Task[None]] = []
    try:
        yield lambda statements: begun.append(asyncio.create_task(_report(host, port, statements, now)))
    finally:
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)


async def _report(
    host: str, port: int, statements: Callable[[], Iterable[Statement]], now: Callable[[], datetime]
) -> NoReturn:
    sensors = conditions(statement.room.id for statement in statements())
    first = True
    while True:
        with suppress(aiomqtt.MqttError):  # a connection that is lost is made again
            async with aiomqtt.Client(host, port, protocol=aiomqtt.ProtocolVersion.V311) as client:
                while True:
                    for topic, payload in reports(sensors, statements(), now(), first=first):
                        await client.publish(topic, payload)
                    first = False
                    await asyncio.sleep(_EVERY)
        await asyncio.sleep(_EVERY)
