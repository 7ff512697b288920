"""The sensors of every room, what is known of each, and the presence of the rooms that follows from them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.presence import (
    Presence,
    PresenceJudgement,
    Sensor,
    SensorState,
    room_presence,
    why_ignored,
    with_reading,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from placed.domain.presence import IgnoredReading, Reading


class RoomSensors:
    """Sensors by room. They are kept for rooms that are not on the board, too."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, tuple[Sensor, SensorState]]] = {}  # by room id and sensor name
        self._may_be_found_in: Callable[[str], bool] = lambda _: False

    @property
    def rooms(self) -> Iterable[str]:
        """The ids of the rooms that have sensors."""
        return self._rooms.keys()

    @property
    def sensors(self) -> Iterable[tuple[Sensor, SensorState]]:
        """All sensors, and what is known of each."""
        return (sensor for room in self._rooms.values() for sensor in room.values())

    def of(self, room_id: str) -> Mapping[str, tuple[Sensor, SensorState]]:
        """Returns the sensors of a room and what is known of each, by name."""
        return self._rooms.get(room_id, {})

    def may_be_in(self, room_id: str) -> bool:
        """Returns whether a room has a sensor, or one may still be found by its messages."""
        return room_id in self._rooms or self._may_be_found_in(room_id)

    def set(
        self, sensors: Mapping[str, Iterable[Sensor]], may_be_found_in: Callable[[str], bool]
    ) -> set[str]:
        """Sets the sensors of all rooms; returns the ids of the rooms for which this changes something.

        What is known of a sensor stays if it is still a sensor of the room.
        """
        self._may_be_found_in = may_be_found_in
        changed: set[str] = set()
        wanted = {
            room_id: {sensor.name: sensor for sensor in of_room} for room_id, of_room in sensors.items()
        }
        for room_id in self._rooms.keys() | wanted.keys():
            before, now = self.of(room_id), wanted.get(room_id, {})
            if {name: sensor for name, (sensor, _) in before.items()} == now:
                continue
            changed.add(room_id)
            kept = {
                name: (sensor, before[name][1] if name in before else SensorState())
                for name, sensor in now.items()
            }
            if kept:
                self._rooms[room_id] = kept
            else:
                del self._rooms[room_id]
        return changed

    def add(self, room_id: str, sensor: Sensor) -> None:
        """Adds a sensor that was found by its first message."""
        self._rooms.setdefault(room_id, {}).setdefault(sensor.name, (sensor, SensorState()))

    def remove(self, room_id: str, name: str) -> None:
        """Removes a sensor that was found by its messages."""
        of_room = self._rooms.get(room_id, {})
        of_room.pop(name, None)
        if not of_room:
            self._rooms.pop(room_id, None)

    def take(self, room_id: str, name: str, reading: Reading, moment: datetime) -> IgnoredReading | None:
        """Takes in a reading; returns why it is ignored, or None."""
        sensor, state = self._rooms[room_id][name]
        ignored = why_ignored(state, reading, moment)
        if ignored is None:
            self._rooms[room_id][name] = sensor, with_reading(sensor, state, reading, moment)
        return ignored

    def set_available(self, room_id: str, name: str, *, available: bool) -> bool:
        """Notes whether a sensor's device is there; returns whether that is new."""
        sensor, state = self._rooms[room_id][name]
        self._rooms[room_id][name] = (
            sensor,
            replace(state, available=available, availability_heard=True),
        )
        return state.available != available

    def judge(self, room_id: str, moment: datetime, before: Presence | None) -> PresenceJudgement | None:
        """Returns the presence of a room; None if it has no sensor."""
        room = self._rooms.get(room_id)
        return room_presence(room.values(), moment, before) if room is not None else None

    def judge_without_time(
        self, room_id: str, moment: datetime, before: Presence | None
    ) -> PresenceJudgement | None:
        """Returns the presence of a room while the time is not known: unknown; None if it has no sensor."""
        return room_presence((), moment, before) if room_id in self._rooms else None

    def longest_hold(self, room_id: str) -> timedelta:
        """Returns the longest hold of the sensors of a room; nothing if it has none."""
        return max((sensor.hold for sensor, _ in self.of(room_id).values()), default=timedelta())

    def clock_was_set(self, by: timedelta) -> None:
        """The clock was set by so much: readings keep their age."""
        for room in self._rooms.values():
            for name, (sensor, state) in room.items():
                last = replace(state.last, at=state.last.at + by) if state.last is not None else None
                present_at = state.present_at + by if state.present_at is not None else None
                room[name] = sensor, replace(state, last=last, present_at=present_at)
