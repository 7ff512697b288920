"""What a message of a presence sensor costs, from its payload to the statements of the board."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from placed.board.board import Board
from placed.domain.model import Meeting, Room, Schedule
from placed.domain.occupancy import Policy
from placed.domain.presence import Sensor, SensorKind
from placed.domain.privacy import Show
from placed.sensors.payload.message_to_reading import PayloadMapping
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed.domain.calendar_event_detection import Event
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.state_document import Statement
    from tests.benchmarks.workload_size import Effort

_START = datetime(2026, 3, 2, 9, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_EXPRESSIONS = {"a plain path": "occupancy", "JMESPath": "occupancy == `true`"}
_PAYLOAD = (
    b'{"battery":97,"illuminance":214,"last_seen":"2026-03-02T09:00:00+00:00","linkquality":131,'
    b'"occupancy":%s,"presence_sensitivity":"medium","temperature":21.4,"update":{"state":"idle"}}'
)
_MICROSECONDS = 1e6


class Spent(NamedTuple):
    """What an hour of messages took."""

    messages: int
    of_messages: float  # seconds of the processor
    of_the_rest: float  # for readings of the calendars and due times
    statements: int


class Counter:
    """A listener of the board that counts statements."""

    def __init__(self) -> None:
        self.statements = 0

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:  # noqa: ARG002
        """A room has a new statement."""
        self.statements += 1

    def rooms_changed(self, removed: frozenset[str]) -> None:
        """Nothing is counted."""

    def health_changed(self, health: ConnectionHealth) -> None:
        """Nothing is counted."""

    def connection_removed(self, connection: str) -> None:
        """Nothing is counted."""


class Site:
    """Rooms with a sensor each, every one of which is read and heard once a minute.

    Args:
        rooms: how many.
        expression: of the presence in a message.
    """

    def __init__(self, rooms: int, expression: str) -> None:
        self._moment = _START
        self._board = Board(Policy(), Show.NOTHING, lambda: self._moment, epoch=1)
        self._counter = Counter()
        self._board.listeners.append(self._counter)
        self._mapping = PayloadMapping(presence=expression)
        self._rooms = [_room(number) for number in range(rooms)]
        self._sensor = Sensor("radar", SensorKind.RADAR, _MINUTE)
        self._board.set_sensors({room.id: (self._sensor,) for room in self._rooms})
        self._board.enroll("bench", self._rooms)
        for number, room in enumerate(self._rooms):
            schedule = Schedule(tuple(_meetings(number)), _START - _DAY, _START + 2 * _DAY, self._moment)
            self._board.learn(room.id, schedule)

    def minutes(self, minutes: range) -> Spent:
        """Has so many minutes pass; in each room somebody comes and goes once in twenty of them."""
        of_messages = of_the_rest = 0.0
        statements = self._counter.statements
        for minute in minutes:
            begun = time.process_time()
            self._moment = _START + minute * _MINUTE
            self._board.judge_due()
            for room in self._rooms:
                self._board.confirm(room.id, _START - _DAY, _START + 2 * _DAY, self._moment)
            heard = time.process_time()
            for number, room in enumerate(self._rooms):
                self._hear(room.id, present=(minute + number) % 20 < 10)
            of_the_rest += heard - begun
            of_messages += time.process_time() - heard
        messages = len(minutes) * len(self._rooms)
        return Spent(messages, of_messages, of_the_rest, self._counter.statements - statements)

    def _hear(self, room_id: str, *, present: bool) -> None:
        payload = _PAYLOAD % (b"true" if present else b"false")
        reading = self._mapping.read(payload, self._moment).reading
        if reading is None:
            raise RuntimeError("a message holds no reading")
        self._board.sense(room_id, self._sensor, reading)


def _room(number: int) -> Room:
    address = f"room-{number}@bench.example"
    return Room(f"room-{number}", "bench", address, address, f"Room {number}", ZoneInfo("UTC"))


def _meetings(number: int) -> Iterable[Meeting]:
    """Sixteen meetings, as a window of three days holds."""
    for hour in range(-16, 16, 2):
        start = _START + timedelta(hours=hour, minutes=number % 60)
        yield Meeting(f"{number}-{hour}", start, start + 45 * _MINUTE)


def measure(effort: Effort) -> Result:
    """Has sensors report for a while, once with each kind of expression."""
    settle_on(0)
    rooms, minutes = effort.choose(5500, 300), effort.choose(10, 20)
    took: dict[str, float] = {}
    for kind, expression in _EXPRESSIONS.items():
        site = Site(rooms, expression)
        site.minutes(range(1, 4))  # until all know what they are
        spent = site.minutes(range(4, 4 + minutes))
        took[kind] = spent.of_messages / spent.messages * _MICROSECONDS
    an_hour = spent.statements / rooms / minutes * 60
    return Result(
        [
            Row(
                "sensors.message",
                f"a message of a presence sensor, {rooms:,} rooms",
                "µs",
                took["a plain path"],
                note=f"{took['JMESPath']:.0f} µs with JMESPath; {an_hour:.0f} statements per room and hour",
            )
        ]
    )
