"""From the messages of sensors to the board: a reading, an availability, or a reason that is counted."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from placed.mqtt.room_index import is_room_id
from placed.sensors.counts import (
    IGNORED,
    NO_AVAILABILITY,
    NO_DEVICE,
    NO_READING,
    NO_ROOM,
    TOO_MANY_DEVICES,
    UNKNOWN_DEVICE,
    UNKNOWN_ROOM,
    SensorCounts,
)
from placed.sensors.payload.message_to_reading import Mapped, NoReading
from placed.sensors.routing import Matched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.presence import Sensor
    from placed.sensors.routing import Route

MOST_DEVICES = 10_000  # of one table that were found by their messages; others are not taken in
MOST_WITHOUT_ROOM = 5_000  # sensors that wait until their room is listed; the latest are kept
_LONGEST_NAME = 300  # characters of such a sensor's name, which comes from its topic

_NOWHERE = Matched()


class SensorReadings:
    """Passes on what sensors report to the board.

    Args:
        board: takes readings and availability.
        now: the wall clock.

    Attributes:
        counts: what was used, and what was not.
    """

    def __init__(self, board: Board, now: Callable[[], datetime]) -> None:
        self._board = board
        self._now = now
        self.counts = SensorCounts()
        self._routes: list[Route] = []
        self._found: dict[str, dict[tuple[str, str], Matched]] = {}  # by route; by room and sensor name
        self._offline: set[tuple[str, str]] = set()  # by its availability topic: room and sensor name
        # Those found whose room was not on the board at their last message, by route, room and name.
        self._without_room: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def change(self, routes: Iterable[Route]) -> None:
        """Sets the tables that count from now on. What is known of sensors that stay is kept."""
        self._routes = list(routes)
        by_name = {route.name: route for route in self._routes}
        sensors: dict[str, dict[str, Sensor]] = {}
        found: dict[str, dict[tuple[str, str], Matched]] = {}
        for route in self._routes:
            for room_id, sensor in route.fixed:
                sensors.setdefault(room_id, {})[sensor.name] = sensor
        for name, places in self._found.items():
            finder = by_name.get(name)
            if finder is None or not finder.finds_sensors:
                continue
            for (room_id, sensor_name), matched in places.items():
                sensor = finder.sensor_of(matched, None)
                if sensor.name == sensor_name and finder.room_of(matched, None) == room_id:
                    sensors.setdefault(room_id, {})[sensor_name] = sensor
                    found.setdefault(name, {})[room_id, sensor_name] = matched
        self._found = found
        for name, *place in list(self._without_room):
            if tuple(place) not in found.get(name, {}):
                del self._without_room[name, place[0], place[1]]
        self._offline &= {(room_id, name) for room_id, of_room in sensors.items() for name in of_room}
        self.counts.keep(set(by_name))
        self._board.set_sensors(
            {room_id: list(of_room.values()) for room_id, of_room in sensors.items()},
            may_be_found_in=lambda room_id: any(route.may_be_in(room_id) for route in self._routes),
        )

    def take(self, route: Route, topic: str, payload: bytes, *, retained: bool) -> None:
        """Takes in a message of a sensor's topic."""
        matched = route.topic.match(topic) if route.topic is not None else _NOWHERE
        self._take(route, matched, payload, retained=retained)

    def receive(self, route: Route, payload: bytes) -> str | None:
        """Takes in what a webhook was sent; returns why that gives no reading, or None."""
        return self._take(route, _NOWHERE, payload, retained=False)

    def take_availability(self, route: Route, topic: str, payload: bytes) -> None:
        """Takes in a message of a sensor's availability topic."""
        available = route.is_available(payload)
        if available is None or route.availability is None:
            self.counts.note(NO_AVAILABILITY, route.name, NoReading.UNUSABLE_VALUE)
            return
        sensors = self._sensors_of(route, route.availability.match(topic))
        if sensors:
            self.counts.take_availability()
        for room_id, sensor in sensors:
            if available:
                self._offline.discard((room_id, sensor.name))
            else:
                self._offline.add((room_id, sensor.name))
            self._board.set_sensor_available(room_id, sensor, available=available)

    # --- internals ---

    def _take(self, route: Route, matched: Matched, payload: bytes, *, retained: bool) -> str | None:
        mapped = route.mapping.read(payload, self._now(), retained=retained)
        if mapped.reading is None and mapped.nothing is not NoReading.UNAVAILABLE:
            nothing = mapped.nothing or NoReading.NO_VALUE
            self.counts.note(NO_READING, route.name, nothing)
            return nothing
        room_id = route.room_of(matched, mapped.device)
        unknown = _why_no_room(route, room_id, matched, mapped) or self._why_not_here(route, room_id, matched)
        if room_id is None or unknown is not None:
            unknown = unknown or UNKNOWN_ROOM
            self.counts.note(NO_ROOM, route.name, unknown)
            return unknown
        sensor = route.sensor_of(matched, mapped.device)
        if mapped.reading is None:
            self._board.set_sensor_available(room_id, sensor, available=False)
            self.counts.take_availability()
            return None
        ignored = self._board.sense(room_id, sensor, mapped.reading)
        if ignored is not None:
            # The broker sends retained messages again at every start and reload.
            self.counts.note(IGNORED, route.name, ignored, expected=retained)
            return ignored
        if (route.name, room_id, sensor.name) in self._without_room:
            self.counts.note(NO_ROOM, route.name, UNKNOWN_ROOM)
        else:
            self.counts.take_reading(route.name)
        if (room_id, sensor.name) in self._offline:
            if retained:  # it is older than the report that the device is lost
                self._board.set_sensor_available(room_id, sensor, available=False)
            else:
                self._offline.discard((room_id, sensor.name))
        return None

    def _why_not_here(self, route: Route, room_id: str | None, matched: Matched) -> str | None:
        """Why a sensor that is found by its messages is not taken in; None if it is. Notes it."""
        if room_id is None or not route.finds_sensors:
            return None
        found = self._found.setdefault(route.name, {})
        place = room_id, route.sensor_of(matched, None).name
        waits = route.settings.room is None and self._board.statement(room_id) is None
        if waits and not (is_room_id(room_id) and len(place[1]) <= _LONGEST_NAME):
            return UNKNOWN_ROOM
        if place not in found and len(found) >= MOST_DEVICES:
            return TOO_MANY_DEVICES
        found[place] = matched
        if waits:
            self._wait_for_room(route.name, *place)
        else:
            self._without_room.pop((route.name, *place), None)
        return None

    def _wait_for_room(self, route: str, room_id: str, name: str) -> None:
        """Keeps a sensor until its room is listed; of too many the one that was silent longest is dropped."""
        self._without_room[route, room_id, name] = None
        self._without_room.move_to_end((route, room_id, name))
        while len(self._without_room) > MOST_WITHOUT_ROOM:
            route, room_id, name = self._without_room.popitem(last=False)[0]
            if self._board.statement(room_id) is None:
                del self._found[route][room_id, name]
                self._offline.discard((room_id, name))
                self._board.remove_sensor(room_id, name)

    def _sensors_of(self, route: Route, matched: Matched) -> list[tuple[str, Sensor]]:
        """The rooms and sensors that a message of the availability topic is about."""
        if route.settings.rooms:
            if matched.device is None:
                return route.fixed
            room_id = route.settings.rooms.get(matched.device)
            if room_id is None:
                self.counts.note(NO_ROOM, route.name, UNKNOWN_DEVICE)
                return []
            return [(room_id, route.sensor(matched.device))]
        return self._found_of(route, matched) if route.finds_sensors else route.fixed

    def _found_of(self, route: Route, matched: Matched) -> list[tuple[str, Sensor]]:
        """The same of a table whose sensors are found by their messages."""
        room_id = route.room_of(matched, None)
        wildcards = route.topic.wildcards if route.topic is not None else 0
        if room_id is not None and wildcards == len(matched.others):  # it names one sensor
            unknown = self._why_not_here(route, room_id, matched)
            if unknown is not None:
                self.counts.note(NO_ROOM, route.name, unknown)
                return []
            return [(room_id, route.sensor_of(matched, None))]
        return [
            (found_in, route.sensor_of(of_sensor, None))
            for (found_in, _), of_sensor in self._found.get(route.name, {}).items()
            if matched.room in (None, found_in)
        ]


def _why_no_room(route: Route, room_id: str | None, matched: Matched, mapped: Mapped) -> str | None:
    if room_id is not None:
        return None
    if not route.settings.rooms:
        return UNKNOWN_ROOM
    return NO_DEVICE if matched.device is None and mapped.device is None else UNKNOWN_DEVICE
