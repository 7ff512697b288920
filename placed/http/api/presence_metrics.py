"""The metric families of presence and its sensors. Pure.

    placed_rooms_by_use{connection="contoso",use="used"} 3.0
    placed_rooms_by_use{connection="contoso",use="booked_empty"} 1.0
    placed_rooms_by_use{connection="contoso",use="unbooked"} 0.0
    placed_rooms_by_use{connection="contoso",use="empty"} 4.0
    placed_rooms_by_use{connection="contoso",use="unknown"} 0.0
    placed_sensors{state="reporting"} 8.0
    placed_sensors{state="silent"} 0.0
    placed_sensors{state="unavailable"} 1.0
    placed_sensor_messages_total{result="taken"} 977.0
    placed_sensor_broker_connected{broker="mqtt"} 1.0

They are absent where there are no sensors. Rooms count only if their presence may be shown, and no number is
that of a single sensor or room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from placed.domain.presence import SensorCondition, Use
from placed.domain.sensor_traffic import MessageResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SensorSnapshot:
    """The sensors at one moment."""

    conditions: Mapping[SensorCondition, int]
    messages: Mapping[MessageResult, int]
    brokers: Mapping[str, bool]


def sensor_families(snapshot: SensorSnapshot, uses: Mapping[tuple[str, Use | None], int]) -> Iterator[Metric]:
    """The metric families of sensors, and of the rooms that show a presence, by connection and use."""
    by_use = GaugeMetricFamily(
        "placed_rooms_by_use",
        "Rooms that show a presence, by how they are used.",
        labels=("connection", "use"),
    )
    for name in sorted({connection for connection, _ in uses}):
        for use in Use:
            by_use.add_metric((name, use.value), uses.get((name, use), 0))
        by_use.add_metric((name, _UNKNOWN), uses.get((name, None), 0))
    sensors = GaugeMetricFamily("placed_sensors", "Presence sensors, by what they are.", labels=("state",))
    for condition in SensorCondition:
        sensors.add_metric((condition.value,), snapshot.conditions.get(condition, 0))
    messages = CounterMetricFamily(
        "placed_sensor_messages",
        "Messages of presence sensors since the start, by what became of them.",
        labels=("result",),
    )
    for result in MessageResult:
        messages.add_metric((result.value,), snapshot.messages.get(result, 0))
    brokers = GaugeMetricFamily(
        "placed_sensor_broker_connected",
        "Whether a broker to which sensors report is connected.",
        labels=("broker",),
    )
    for broker, connected in snapshot.brokers.items():
        brokers.add_metric((broker,), connected)
    yield from (family for family in (by_use, sensors, messages, brokers) if family.samples)
