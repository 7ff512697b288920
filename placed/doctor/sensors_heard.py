"""Which sensors have sent a message that is read, and why those of others are not, for the doctor. Pure.

No message is kept: it may show who is where.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from placed.sensors.counts import NO_DEVICE
from placed.sensors.payload.message_to_reading import NoReading
from placed.sensors.topic_tree import TopicTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from placed.sensors.routing import Route


class TableTrial:
    """One table of sensors with a topic.

    Attributes:
        place: of the table in the settings.
        route: the table.
        waiting: devices without a message that is read; None for a table that names no devices, which waits
            for one message.
        unread: how many messages were not read, by device and reason; the device is None if the message names
            none.
        subscribed: False if the broker refuses its topic.
    """

    def __init__(self, place: int, route: Route) -> None:
        self.place = place
        self.route = route
        self.waiting: set[str | None] = set(route.settings.rooms) or {None}
        self.size = len(self.waiting)
        self.unread: Counter[tuple[str | None, str]] = Counter()
        self.subscribed = True

    def hear(self, topic: str, payload: bytes, now: datetime, *, retained: bool) -> bool:
        """Takes a message of its topic; returns whether a sensor is read by it for the first time."""
        route = self.route
        matched = route.topic.match(topic) if route.topic is not None else None
        mapped = route.mapping.read(payload, now, retained=retained)
        device = None
        if route.settings.rooms:
            device = matched.device if matched is not None and matched.device is not None else mapped.device
            if device is None:
                self.unread[None, mapped.nothing or NO_DEVICE] += 1
                return False
        if device not in self.waiting:  # it has been read, or is none of the table's
            return False
        if mapped.reading is None:
            self.unread[device, mapped.nothing or NoReading.NO_VALUE] += 1
            return False
        self.waiting.discard(device)
        return True

    def reasons(self, device: str | None) -> list[str]:
        """Why the messages of a device are not read, the most frequent reason first."""
        counted = Counter({reason: n for (of, reason), n in self.unread.items() if of == device})
        return [reason for reason, _ in counted.most_common()]

    def name(self, device: str | None) -> str:
        """A sensor's name in messages."""
        return self.route.sensor(device).name


class SensorTrial:
    """All sensors of one broker.

    Args:
        tables: those with a topic.
        now: the wall clock.
    """

    def __init__(self, tables: Iterable[TableTrial], now: Callable[[], datetime]) -> None:
        self.tables = list(tables)
        self._now = now
        self._tree: TopicTree[TableTrial] = TopicTree()
        for table in self.tables:
            if table.route.topic is not None:
                self._tree.add(table.route.topic.filter, table)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to wait for."""
        return not any(table.waiting for table in self.tables if table.subscribed)

    def hear(self, topic: str, payload: bytes, *, retained: bool) -> int:
        """Takes a message; returns how many sensors are read by it for the first time."""
        return sum(
            table.hear(topic, payload, self._now(), retained=retained) for table in self._tree.find(topic)
        )

    def refuse(self, topic_filter: str) -> None:
        """The broker does not let us subscribe to a topic."""
        for table in self.tables:
            if table.route.topic is not None and table.route.topic.filter == topic_filter:
                table.subscribed = False
