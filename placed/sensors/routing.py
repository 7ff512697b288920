"""From a `[[sensors]]` table to its MQTT filter, and from a message to the sensor of a room. Pure.

A table may stand for many devices. One device in one room is one sensor for the board:

- `room`: one sensor. Where the topic has `+` or `#`, each topic that these match is a device of its own.
- `{room}` in the topic: a sensor of each room that sends, and of each device by `+` and `#`.
- `rooms`: one sensor for each device that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.domain.presence import DEFAULT_HOLD, Sensor
from placed.sensors.payload.expression import compiled
from placed.sensors.payload.message_to_reading import PayloadMapping, availability

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed.settings.sensor_settings import SensorSettings

LEAST_PER_MINUTE = 600  # messages that a webhook takes, however few rooms its table has
_PER_MINUTE_AND_ROOM = 60

_NAMED = ("{room}", "{device}")


@dataclass(frozen=True, slots=True)
class Matched:
    """What the levels of a topic name: a room, a device, and what wildcards stand for."""

    room: str | None = None
    device: str | None = None
    others: tuple[str, ...] = ()


class TopicPattern:
    """A topic of the settings, with `{room}`, `{device}`, `+` and `#`."""

    def __init__(self, pattern: str) -> None:
        levels = pattern.split("/")
        self._levels = levels
        self.filter = "/".join("+" if level in _NAMED else level for level in levels)
        self.wildcards = sum(level in ("+", "#") for level in levels)

    def match(self, topic: str) -> Matched:
        """Returns what a topic names that the filter matches."""
        levels = topic.split("/")
        named: dict[str, str] = {}
        others: list[str] = []
        for place, level in enumerate(self._levels):
            if level == "#":
                others.append("/".join(levels[place:]))
            elif level in _NAMED:
                named[level] = levels[place]
            elif level == "+":
                others.append(levels[place])
        return Matched(named.get("{room}"), named.get("{device}"), tuple(others))


class Route:
    """One table: which messages are its own, and which sensor of which room each is from.

    Args:
        settings: the table.
        name: of the sensor in messages; unique among all tables.

    Attributes:
        mapping: its compiled expressions.
        topic: its topic; None if it has a webhook alone.
        availability: the topic of its availability, if there is one.
        finds_sensors: whether its sensors are known only by their messages.
    """

    def __init__(self, settings: SensorSettings, name: str) -> None:
        self.settings = settings
        self.name = name
        self.mapping = PayloadMapping(settings.presence, settings.count, settings.at, settings.device)
        self.topic = TopicPattern(settings.topic) if settings.topic is not None else None
        available = settings.available
        self.availability = TopicPattern(available.topic) if available is not None else None
        several = self.topic is not None and self.topic.wildcards > 0
        self.finds_sensors = not settings.rooms and (settings.room is None or several)
        self._availability_path = compiled(available.path) if available is not None else None

    @property
    def most_per_minute(self) -> int:
        """How many messages a minute its webhook takes."""
        return max(LEAST_PER_MINUTE, _PER_MINUTE_AND_ROOM * len(self.settings.rooms))

    @property
    def filters(self) -> list[str]:
        """What it subscribes to."""
        return [pattern.filter for pattern in (self.topic, self.availability) if pattern is not None]

    def room_of(self, matched: Matched, device: str | None) -> str | None:
        """Returns the id of a message's room; None if the table names no room for it."""
        settings = self.settings
        if settings.room is not None:
            return settings.room
        if settings.rooms:
            named = matched.device if matched.device is not None else device
            return settings.rooms.get(named) if named is not None else None
        return matched.room

    def may_be_in(self, room_id: str) -> bool:
        """Returns whether the table may be of a sensor in this room."""
        settings = self.settings
        if settings.rooms:
            return room_id in settings.rooms.values()
        return settings.room in (None, room_id)

    def sensor_of(self, matched: Matched, device: str | None) -> Sensor:
        """Returns the sensor that sent a message; its name has the device where there may be several."""
        if self.settings.rooms:
            return self.sensor(matched.device if matched.device is not None else device)
        return self.sensor("/".join(matched.others) or None)

    def sensor(self, device: str | None = None) -> Sensor:
        """Returns a sensor of the table."""
        settings, kind = self.settings, self.settings.kind_or_default
        return Sensor(
            name=self.name if device is None else f"{self.name}/{device}",
            kind=kind,
            hold=settings.hold if settings.hold is not None else DEFAULT_HOLD[kind],
            stale_after=settings.stale_after,
            zone=settings.zone,
            check_in=settings.check_in,
        )

    def is_available(self, payload: bytes) -> bool | None:
        """Returns whether a message of the availability topic states that the device is there."""
        available, path = self.settings.available, self._availability_path
        if available is None or path is None:
            return None
        return availability(path, available.offline, payload)

    @property
    def fixed(self) -> list[tuple[str, Sensor]]:
        """The room ids and sensors that are known before any message."""
        settings = self.settings
        if settings.rooms:
            return [(room, self.sensor(device)) for device, room in settings.rooms.items()]
        if settings.room is None or self.finds_sensors:
            return []
        return [(settings.room, self.sensor())]


def routes_of(tables: Iterable[SensorSettings]) -> list[Route]:
    """Returns the route of every table; tables without a name have that of their topic."""
    tables = list(tables)
    names = {table.name for table in tables if table.name is not None}
    routes: list[Route] = []
    for table in tables:
        name = table.name
        if name is None:
            wanted = name = table.topic or ""
            number = 1
            while name in names:
                number += 1
                name = f"{wanted} ({number})"
            names.add(name)
        routes.append(Route(table, name))
    return routes
