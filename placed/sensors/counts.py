"""What sensors sent that is not used: counted by sensor and reason, logged once for each.

    >>> counts.note("sensor.sent_no_reading", "boardroom-pir", "no_value")

No payload, topic or device is kept: they may show who is where.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

from placed.domain.sensor_traffic import MessageResult

if TYPE_CHECKING:
    from collections.abc import Mapping

_log = structlog.get_logger("placed.sensors")

NO_READING = "sensor.sent_no_reading"
IGNORED = "sensor.reading_was_ignored"
NO_ROOM = "sensor.room_is_not_known"
NO_AVAILABILITY = "sensor.availability_is_not_known"
DROPPED = "sensor.messages_were_dropped"

UNKNOWN_ROOM, UNKNOWN_DEVICE, NO_DEVICE = "unknown_room", "unknown_device", "no_device"
TOO_MANY_DEVICES = "too_many_devices"


_RESULTS = {
    NO_READING: MessageResult.UNREADABLE,
    NO_AVAILABILITY: MessageResult.UNREADABLE,
    IGNORED: MessageResult.IGNORED,
    NO_ROOM: MessageResult.NO_ROOM,
    DROPPED: MessageResult.DROPPED,
}


class SensorCounts:
    """Counts by event, sensor and reason.

    Attributes:
        readings: how many readings were used, by sensor.
        results: how many messages there were since the start, by what became of them.
    """

    def __init__(self) -> None:
        self.readings: Counter[str] = Counter()
        self.results: Counter[MessageResult] = Counter()
        self._unused: Counter[tuple[str, str, str]] = Counter()
        self._logged: set[tuple[tuple[str, str, str], bool]] = set()  # and whether it was expected

    @property
    def unused(self) -> Mapping[tuple[str, str, str], int]:
        """How many messages were not used, by event, sensor and reason."""
        return self._unused

    def take_reading(self, sensor: str) -> None:
        """Counts a reading that is used."""
        self.readings[sensor] += 1
        self.results[MessageResult.TAKEN] += 1

    def take_availability(self) -> None:
        """Counts a message that states whether a device is there."""
        self.results[MessageResult.TAKEN] += 1

    def note(self, event: str, sensor: str, reason: str, *, expected: bool = False) -> None:
        """Counts a message that is not used; logs the first of its kind, as a warning unless `expected`."""
        key = event, sensor, reason
        if (key, expected) not in self._logged:
            self._logged.add((key, expected))
            log = _log.info if expected else _log.warning
            log(event, sensor=sensor, reason=reason)
        self._unused[key] += 1
        self.results[_RESULTS[event]] += 1

    def keep(self, sensors: set[str]) -> None:
        """Forgets sensors that are not in the settings any more."""
        for key in [key for key in self._unused if key[1] not in sensors]:
            del self._unused[key]
        self._logged = {(key, expected) for key, expected in self._logged if key[1] in sensors}
        for name in [name for name in self.readings if name not in sensors]:
            del self.readings[name]
