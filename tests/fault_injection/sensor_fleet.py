"""Presence sensors that report to a broker of their own, and the daemon's settings for them.

Each sends its reading again and again, and notices somebody, or nobody any more, every few seconds.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import aiomqtt

from tests.fault_injection.sensor_truth import SensorInRoom, SensorTruth
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator

    from tests.fault_injection.shared_clock import SharedClock

HOLD, STALE_AFTER = 2.0, 6.0  # seconds, of every sensor
_EVERY = 0.5  # seconds between two readings of a sensor
_CHANGES = 0.1  # of the readings, which differ from the one before
_AGAIN = 0.2  # seconds between two attempts to reach the broker


@dataclass(frozen=True, slots=True)
class Kind:
    """A table `[[sensors]]`: its kind, how its message is read, and whether its `true` holds."""

    kind: str
    reads: dict[str, str]
    holds_level: bool = True

    def topic(self, device: str) -> str:
        """The topic of a device's readings."""
        return f"sensors/{self.kind}/{device}"

    def table(self, rooms: dict[str, str]) -> str:
        """Returns the table as TOML, with the rooms of these devices."""
        keys: dict[str, str] = {
            "broker": "sensors",
            "topic": self.topic("{device}"),
            "kind": self.kind,
            "hold": f"{HOLD}s",
            "stale_after": f"{STALE_AFTER}s",
            **self.reads,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        named = ", ".join(f"{json.dumps(device)} = {json.dumps(room)}" for device, room in rooms.items())
        available = f'available = {{ topic = "{self.topic("{device}")}/availability" }}'
        return "\n".join(["[[sensors]]", *lines, f"rooms = {{ {named} }}", available, ""])

    def payload(self, *, present: bool, at: str) -> str:
        """A reading as such a device sends it."""
        if self.kind == "counter":
            return json.dumps({"people": 3 if present else 0, "at": at})
        return "ON" if present else "OFF"


RADAR = Kind("radar", {"presence": "@"})
COUNTER = Kind("counter", {"count": "people", "at": "at"})
PIR = Kind("pir", {"presence": "@"}, holds_level=False)


KINDS = {
    "radar-1": RADAR,
    "counter-2": COUNTER,
    "radar-3": RADAR,
    "counter-3": COUNTER,
    "pir-4": PIR,
    "radar-5": RADAR,
}
ROOMS = {
    "radar-1": "room-1",
    "counter-2": "room-2",
    "radar-3": "room-3",
    "counter-3": "room-3",
    "pir-4": "room-4",
    "radar-5": "listed-1",
}


def settings(port: int) -> str:
    """The daemon's tables, with its way to the broker."""
    tables = (
        kind.table({name: room for name, room in ROOMS.items() if KINDS[name] is kind})
        for kind in (RADAR, COUNTER, PIR)
    )
    return "\n".join([f'[sensor_brokers.sensors]\nurl = "mqtt://{HOST}:{port}"\n', *tables])


class Fleet:
    """All sensors. Of the rooms without one no presence is known.

    Args:
        port: of their broker.
        clock: shared with the daemon.
        chance: what they notice.

    Attributes:
        truth: what they have reported.
        silent: the names of those that send nothing by themselves now.
        sent: how many readings so far.
    """

    def __init__(self, port: int, clock: SharedClock, chance: random.Random) -> None:
        sensors = [
            SensorInRoom(name, room, HOLD, STALE_AFTER, KINDS[name].holds_level)
            for name, room in ROOMS.items()
        ]
        self.truth = SensorTruth(sensors, real=time.monotonic)
        self.silent: set[str] = set()
        self.sent = 0
        self._port = port
        self._clock = clock
        self._chance = chance
        self._present = dict.fromkeys(ROOMS, False)

    async def run(self, changes: float = _CHANGES) -> None:
        """Reports until it is cancelled. So many of the readings differ from the one before."""
        task = asyncio.current_task()
        assert task is not None
        # aiomqtt waits with `asyncio.wait_for`, which before Python 3.12 may lose a cancellation.
        while not task.cancelling():
            with suppress(aiomqtt.MqttError):
                async with self.client() as client:
                    while not task.cancelling():
                        await asyncio.sleep(_EVERY)
                        for name in ROOMS:
                            if name not in self.silent:
                                await self._report(client, name, changes)
            await asyncio.sleep(_AGAIN)

    async def _report(self, client: aiomqtt.Client, name: str, changes: float) -> None:
        if self._chance.random() < changes:
            self._present[name] = not self._present[name]
        await self.report(client, name, present=self._present[name])

    # --- what faults send ---

    @asynccontextmanager
    async def client(self) -> AsyncIterator[aiomqtt.Client]:
        """A connection to the broker of sensors.

        Raises:
            MqttError: it is away.
        """
        async with aiomqtt.Client(HOST, self._port, timeout=5) as client:
            yield client

    @asynccontextmanager
    async def in_place_of(self, names: list[str]) -> AsyncIterator[aiomqtt.Client]:
        """These sensors send nothing by themselves meanwhile. If the broker is lost, it ends early."""
        self.silent |= set(names)
        try:
            client = await self._patient_client()
            with suppress(aiomqtt.MqttError):
                async with client:
                    yield client
        finally:
            self.silent -= set(names)

    async def _patient_client(self) -> aiomqtt.Client:
        """A connection that is not open yet, once the broker lets clients in."""
        while True:
            with suppress(aiomqtt.MqttError):
                async with self.client():
                    return aiomqtt.Client(HOST, self._port, timeout=5)
            await asyncio.sleep(_AGAIN)

    async def report(self, client: aiomqtt.Client, name: str, *, present: bool, age: float = 0.0) -> None:
        """Sends a reading that was measured so many seconds ago, as far as its message can state that."""
        kind = KINDS[name]
        at = (self._clock.now() - timedelta(seconds=age)).isoformat()

        def note() -> None:
            elapsed = self._clock.elapsed()
            measured = elapsed - age if kind is COUNTER else None
            self.truth.report(name, elapsed, present=present, measured=measured)

        note()  # before, as it may be on a panel before the broker has confirmed it
        await client.publish(kind.topic(name), kind.payload(present=present, at=at), qos=1)
        note()
        self.sent += 1

    async def send(self, client: aiomqtt.Client, name: str, payload: bytes) -> None:
        """Sends what is no reading."""
        await client.publish(KINDS[name].topic(name), payload, qos=1)
        self.sent += 1

    async def send_from_the_future(self, client: aiomqtt.Client, name: str, seconds: float) -> None:
        """Sends a reading that was measured so far in the future that it cannot be used."""
        at = (self._clock.now() + timedelta(seconds=seconds)).isoformat()
        await self.send(client, name, KINDS[name].payload(present=True, at=at).encode())

    async def flood(self, client: aiomqtt.Client, name: str, number: int) -> None:
        """Sends so many readings at once, of which each contradicts the one before."""
        kind = KINDS[name]
        for one in range(number):
            if one % 100 == 0:
                for present in (True, False):
                    self.truth.report(name, self._clock.elapsed(), present=present)
            at = self._clock.now().isoformat()
            await client.publish(kind.topic(name), kind.payload(present=one % 2 == 0, at=at))
        await self.report(client, name, present=self._present[name])
        self.sent += number

    async def retain(self, client: aiomqtt.Client, name: str, *, present: bool) -> None:
        """Leaves a reading with the broker, which does not state when it was measured."""
        if present:
            self.truth.retain_present(name)
        kind = KINDS[name]
        payload = kind.payload(present=present, at="")
        await client.publish(kind.topic(name), payload, qos=1, retain=True)

    async def forget_retained(self, client: aiomqtt.Client, name: str) -> None:
        """The broker holds nothing of the sensor any more."""
        await client.publish(KINDS[name].topic(name), b"", qos=1, retain=True)
        self.truth.retain_present(name, self._clock.elapsed())

    async def set_available(self, client: aiomqtt.Client, name: str, word: str) -> None:
        """The device's gateway reports whether it is there."""
        topic = f"{KINDS[name].topic(name)}/availability"
        await client.publish(topic, word, qos=1, retain=True)
