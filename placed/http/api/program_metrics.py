"""The metric families of `/metrics`, made from a snapshot of the program. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from placed.domain.connection_health import ConnectionState
from placed.domain.model import Reason, Status
from placed.driver import Consent, FenceState
from placed.http.api.action_metrics import action_families
from placed.http.api.no_show_metrics import no_show_families
from placed.http.api.presence_metrics import sensor_families

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from prometheus_client.core import Metric

    from placed.domain.action import Action, Outcome, Refusal
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.mqtt_delivery_status import Undelivered
    from placed.http.api.presence_metrics import SensorSnapshot
    from placed.http.api.room_metrics import RoomMetrics


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is measured, at one moment. A thread encodes it while the daemon goes on."""

    version: str
    rooms: RoomMetrics
    health: tuple[ConnectionHealth, ...]
    seq: int
    clock_offset: float | None  # seconds by which the machine's clock is ahead of the services
    lateness: timedelta  # of the most overdue evaluation of a room
    mqtt_configured: bool
    mqtt_connected: bool
    messages_published: int
    messages_refused: Mapping[str, int]
    undelivered: Sequence[Undelivered]
    reconnects: int
    sse_clients: int
    sensors: SensorSnapshot | None = None  # None if there are none
    no_shows: Mapping[tuple[str, str], int] = field(default_factory=dict)  # by mode and outcome
    commands: Mapping[tuple[Action, Outcome, Refusal | None], int] = field(default_factory=dict)
    unused_commands: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by channel and reason


class BoardCollector(Collector):
    """A snapshot as Prometheus metrics, but for those of each room, which `room_metrics` writes.

        placed_build_info{version="0.1.0"} 1.0
        placed_rooms{connection="contoso",status="free"} 1.0
        placed_rooms{connection="contoso",status="starting"} 0.0
        placed_rooms{connection="contoso",status="busy"} 1.0
        placed_rooms{connection="contoso",status="pending"} 0.0
        placed_rooms{connection="contoso",status="unknown"} 0.0
        placed_rooms_stale{connection="contoso"} 0.0
        placed_connection_up{connection="contoso"} 1.0
        placed_connection_last_success_timestamp_seconds{connection="contoso"} 1.7678736e+09
        placed_connection_rooms_failing{connection="contoso",reason="forbidden"} 0.0
        placed_connection_impossible_meetings{connection="contoso"} 0.0
        placed_credential_expiry_timestamp_seconds{connection="contoso"} 1.7994528e+09
        placed_fence_state{connection="contoso",state="verified"} 1.0
        placed_fence_checked_timestamp_seconds{connection="contoso"} 1.7678736e+09
        placed_fence_excess_permissions{connection="contoso"} 0.0
        placed_fence_warnings{connection="contoso"} 0.0
        placed_consent_state{connection="contoso",state="granted"} 1.0
        placed_statements_total 412.0
        placed_edge_lateness_seconds 0.0
        placed_clock_offset_seconds -0.2
        placed_mqtt_connected 1.0
        placed_mqtt_messages_published_total 977.0
        placed_mqtt_messages_refused_total{reason="not_authorized"} 0.0
        placed_mqtt_topics_undelivered{kind="state"} 0.0
        placed_mqtt_reconnects_total 0.0
        placed_http_sse_clients 3.0
        placed_no_shows_total{mode="rehearse",outcome="released"} 41.0

    Of a set of words (status, reason, state) every one is present, with 1 for the one that applies. What is
    not known is absent: a time that never came, all of `placed_mqtt_` where no broker is configured, no-shows
    where there were none, and what `presence_metrics` and `action_metrics` add where there are no sensors or
    no actions.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        yield InfoMetricFamily(
            "placed_build", "The program that runs here.", value={"version": self._snapshot.version}
        )
        yield from self._room_totals()
        yield from self._connections()
        yield from self._outputs()
        snapshot = self._snapshot
        if snapshot.sensors is not None:
            yield from sensor_families(snapshot.sensors, snapshot.rooms.uses)
        yield from no_show_families(snapshot.no_shows)
        yield from action_families(snapshot.commands, snapshot.unused_commands, snapshot.health)

    def _room_totals(self) -> Iterator[Metric]:
        counted = self._snapshot.rooms
        names = sorted({h.name for h in self._snapshot.health} | counted.connections)
        rooms = GaugeMetricFamily("placed_rooms", "Rooms, by what they are.", labels=("connection", "status"))
        rooms_stale = GaugeMetricFamily(
            "placed_rooms_stale", "Rooms that were not read in time, unknown or not.", labels=("connection",)
        )
        for name in names:
            for status in Status:
                rooms.add_metric((name, status.value), counted.statuses[name, status])
            rooms_stale.add_metric((name,), counted.stale[name])
        yield rooms
        yield rooms_stale

    def _connections(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(
            "placed_connection_up", "Whether the last round read a room.", labels=("connection",)
        )
        last_success = GaugeMetricFamily(
            "placed_connection_last_success_timestamp_seconds",
            "When a calendar was last read; absent if never.",
            labels=("connection",),
        )
        failing = GaugeMetricFamily(
            "placed_connection_rooms_failing",
            "Rooms whose last reading failed, by why.",
            labels=("connection", "reason"),
        )
        impossible = GaugeMetricFamily(
            "placed_connection_impossible_meetings",
            "Meetings that end no later than they start; they occupy nothing.",
            labels=("connection",),
        )
        expiry = GaugeMetricFamily(
            "placed_credential_expiry_timestamp_seconds",
            "When the credential runs out; absent if not known.",
            labels=("connection",),
        )
        fence = GaugeMetricFamily(
            "placed_fence_state", "1 for what is known of the fence.", labels=("connection", "state")
        )
        checked = GaugeMetricFamily(
            "placed_fence_checked_timestamp_seconds",
            "When the fence was last tried; absent if never.",
            labels=("connection",),
        )
        excess = GaugeMetricFamily(
            "placed_fence_excess_permissions",
            "Permissions that the registration holds beyond what it needs.",
            labels=("connection",),
        )
        warnings = GaugeMetricFamily(
            "placed_fence_warnings",
            "Further problems of the fence; /api/v1/connections has their texts.",
            labels=("connection",),
        )
        consent = GaugeMetricFamily(
            "placed_consent_state", "1 for what is known of the consent.", labels=("connection", "state")
        )
        for health in self._snapshot.health:
            reasons = Counter(failure.reason for failure in (health.failing or {}).values())
            up.add_metric((health.name,), health.state is ConnectionState.OK)
            if health.last_success:
                last_success.add_metric((health.name,), health.last_success.timestamp())
            for reason in Reason:
                failing.add_metric((health.name, reason.value), reasons[reason])
            impossible.add_metric((health.name,), health.impossible_meetings)
            if health.credential_expires_at:
                expiry.add_metric((health.name,), health.credential_expires_at.timestamp())
            for state in FenceState:
                fence.add_metric((health.name, state.value), health.fence.state is state)
            if health.fence.checked_at:
                checked.add_metric((health.name,), health.fence.checked_at.timestamp())
            excess.add_metric((health.name,), len(health.fence.excess))
            warnings.add_metric((health.name,), len(health.fence.warnings))
            for grant in Consent:
                consent.add_metric((health.name, grant.value), health.consent is grant)
        yield from (up, last_success, failing, impossible, expiry, fence, checked, excess, warnings, consent)

    def _outputs(self) -> Iterator[Metric]:
        snapshot = self._snapshot
        yield CounterMetricFamily("placed_statements", "Statements made since the start.", value=snapshot.seq)
        yield GaugeMetricFamily(
            "placed_edge_lateness_seconds",
            "By how much the most overdue judgement of a room is late; 0 if none is.",
            value=snapshot.lateness.total_seconds(),
        )
        if snapshot.clock_offset is not None:
            yield GaugeMetricFamily(
                "placed_clock_offset_seconds",
                "By how much the machine's clock is ahead of the calendar services; absent if not known.",
                value=round(snapshot.clock_offset, 1),
            )
        if snapshot.mqtt_configured:
            yield from self._mqtt()
        yield GaugeMetricFamily(
            "placed_http_sse_clients", "Clients that follow /api/v1/events.", value=snapshot.sse_clients
        )

    def _mqtt(self) -> Iterator[Metric]:
        snapshot = self._snapshot
        yield GaugeMetricFamily(
            "placed_mqtt_connected", "Whether the broker is connected.", value=snapshot.mqtt_connected
        )
        yield CounterMetricFamily(
            "placed_mqtt_messages_published",
            "MQTT messages that the broker took since the start.",
            value=snapshot.messages_published,
        )
        refused = CounterMetricFamily(
            "placed_mqtt_messages_refused",
            "MQTT messages that the broker did not take since the start, by why.",
            labels=("reason",),
        )
        for reason, count in snapshot.messages_refused.items():
            refused.add_metric((reason,), count)
        yield refused
        undelivered = GaugeMetricFamily(
            "placed_mqtt_topics_undelivered",
            "Topics on which the broker does not hold what is true; state: panels are misled by it.",
            labels=("kind",),
        )
        for kind, state in (("state", True), ("optional", False)):
            undelivered.add_metric((kind,), sum(u.count for u in snapshot.undelivered if u.state is state))
        yield undelivered
        yield CounterMetricFamily(
            "placed_mqtt_reconnects",
            "Lost connections to the broker that were made again since the start.",
            value=snapshot.reconnects,
        )
