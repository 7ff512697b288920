"""`/metrics`, for Prometheus: what the board says at the moment of the scrape.

Nothing is counted on the side and there is no registry of the process: what a metric says, it reads.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from placed.domain.connection_health import ConnectionState
from placed.domain.model import Reason, Status
from placed.driver import Consent, FenceState
from placed.http.api.room_filters import status_at
from placed.http.responses import accepts_gzip, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from prometheus_client.core import Metric

    from placed.board.board import Board
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.delivery import PublisherStatus, Undelivered
    from placed.domain.state_document import Statement


@dataclass(frozen=True, slots=True)
class Sight:
    """What the program is at a moment, as far as it is measured. The encoder may take its time over it."""

    moment: datetime
    version: str
    statements: tuple[Statement, ...]
    health: tuple[ConnectionHealth, ...]
    seq: int
    clock_offset: float | None  # seconds by which the machine's clock is ahead of the services
    lateness: timedelta  # by which the most overdue judgement of a room is late
    mqtt_configured: bool
    mqtt_connected: bool
    messages_published: int
    messages_refused: Mapping[str, int]
    undelivered: Sequence[Undelivered]
    reconnects: int
    sse_clients: int


class BoardCollector(Collector):
    """Tells a sight in Prometheus' words.

        placed_build_info{version="0.1.0"} 1.0
        placed_rooms{connection="contoso",status="free"} 1.0
        placed_rooms{connection="contoso",status="starting"} 0.0
        placed_rooms{connection="contoso",status="busy"} 1.0
        placed_rooms{connection="contoso",status="pending"} 0.0
        placed_rooms{connection="contoso",status="unknown"} 0.0
        placed_rooms_stale{connection="contoso"} 0.0
        placed_room_info{building="HQ",connection="contoso",floor="3",name="Boardroom",room="boardroom"} 1.0
        placed_room_status{room="boardroom",status="busy"} 1.0
        placed_room_occupied{room="boardroom"} 1.0
        placed_room_observed_timestamp_seconds{room="boardroom"} 1.7678736e+09
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

    Of a set of words (status, reason, state) every one is there, with 1 for the one that is the case. What
    is not known is absent: `placed_room_occupied` of a room that is unknown, a time that never came, all of
    `placed_mqtt_` where no broker is configured.
    """

    def __init__(self, sight: Sight) -> None:
        self._sight = sight

    def collect(self) -> Iterator[Metric]:
        """All of it."""
        yield InfoMetricFamily(
            "placed_build", "The program that runs here.", value={"version": self._sight.version}
        )
        yield from self._rooms_in_sum()
        yield from self._rooms_one_by_one()
        yield from self._connections()
        yield from self._ways_out()

    def _rooms_in_sum(self) -> Iterator[Metric]:
        names = sorted(
            {h.name for h in self._sight.health} | {s.room.connection for s in self._sight.statements}
        )
        statuses = Counter(
            (s.room.connection, status_at(s, self._sight.moment)) for s in self._sight.statements
        )
        stale = Counter(s.room.connection for s in self._sight.statements if s.occupancy.stale)
        rooms = GaugeMetricFamily("placed_rooms", "Rooms, by what they are.", labels=("connection", "status"))
        rooms_stale = GaugeMetricFamily(
            "placed_rooms_stale", "Rooms that were not read in time, unknown or not.", labels=("connection",)
        )
        for name in names:
            for status in Status:
                rooms.add_metric((name, status.value), statuses[name, status])
            rooms_stale.add_metric((name,), stale[name])
        yield rooms
        yield rooms_stale

    def _rooms_one_by_one(self) -> Iterator[Metric]:
        info = InfoMetricFamily(
            "placed_room",
            "A room and where it is, to join the other metrics of rooms with.",
            labels=("room", "name", "connection", "building", "floor"),
        )
        room_status = GaugeMetricFamily(
            "placed_room_status", "1 for the word that says what the room is.", labels=("room", "status")
        )
        occupied = GaugeMetricFamily(
            "placed_room_occupied", "Whether somebody has the room now; absent if unknown.", labels=("room",)
        )
        observed = GaugeMetricFamily(
            "placed_room_observed_timestamp_seconds",
            "When the calendar behind the latest statement was read.",
            labels=("room",),
        )
        for statement in self._sight.statements:
            room, occupancy = statement.room, statement.occupancy
            room_id = room.id
            place = (room_id, room.name, room.connection, room.building or "", room.floor or "")
            info.add_metric(place, {})
            now = status_at(statement, self._sight.moment)
            for status in Status:
                room_status.add_metric((room_id, status.value), now is status)
            if now is not Status.UNKNOWN:
                occupied.add_metric((room_id,), bool(occupancy.occupied))
            if occupancy.observed_at:
                observed.add_metric((room_id,), occupancy.observed_at.timestamp())
        yield info
        yield room_status
        yield occupied
        yield observed

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
            "When the credential runs out; absent if that can not be told.",
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
            "What else is wrong with the fence; /api/v1/connections says it in words.",
            labels=("connection",),
        )
        consent = GaugeMetricFamily(
            "placed_consent_state", "1 for what is known of the consent.", labels=("connection", "state")
        )
        for health in self._sight.health:
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

    def _ways_out(self) -> Iterator[Metric]:
        sight = self._sight
        yield CounterMetricFamily("placed_statements", "Statements made since the start.", value=sight.seq)
        yield GaugeMetricFamily(
            "placed_edge_lateness_seconds",
            "By how much the most overdue judgement of a room is late; 0 if none is.",
            value=sight.lateness.total_seconds(),
        )
        if sight.clock_offset is not None:
            yield GaugeMetricFamily(
                "placed_clock_offset_seconds",
                "By how much the machine's clock is ahead of the calendar services; absent if not known.",
                value=round(sight.clock_offset, 1),
            )
        if sight.mqtt_configured:
            yield from self._mqtt()
        yield GaugeMetricFamily(
            "placed_http_sse_clients", "Clients that follow /api/v1/events.", value=sight.sse_clients
        )

    def _mqtt(self) -> Iterator[Metric]:
        sight = self._sight
        yield GaugeMetricFamily(
            "placed_mqtt_connected", "Whether the broker is connected.", value=sight.mqtt_connected
        )
        yield CounterMetricFamily(
            "placed_mqtt_messages_published",
            "MQTT messages that the broker took since the start.",
            value=sight.messages_published,
        )
        refused = CounterMetricFamily(
            "placed_mqtt_messages_refused",
            "MQTT messages that the broker did not take since the start, by why.",
            labels=("reason",),
        )
        for reason, count in sight.messages_refused.items():
            refused.add_metric((reason,), count)
        yield refused
        undelivered = GaugeMetricFamily(
            "placed_mqtt_topics_undelivered",
            "Topics on which the broker does not hold what is true; state: panels are misled by it.",
            labels=("kind",),
        )
        for kind, state in (("state", True), ("optional", False)):
            undelivered.add_metric((kind,), sum(u.count for u in sight.undelivered if u.state is state))
        yield undelivered
        yield CounterMetricFamily(
            "placed_mqtt_reconnects",
            "Lost connections to the broker that were made again since the start.",
            value=sight.reconnects,
        )


class Metrics:
    """Answers scrapes."""

    def __init__(
        self,
        board: Board,
        publisher: PublisherStatus,
        now: Callable[[], datetime],
        version: str,
        sse_clients: Callable[[], int],
    ) -> None:
        self._board = board
        self._publisher = publisher
        self._now = now
        self._version = version
        self._sse_clients = sse_clients
        self._process = ProcessCollector(registry=None)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Text in the format that the scraper takes: Prometheus' or OpenMetrics."""
        try:
            encode, media_type = choose_encoder(request.headers.get("Accept", ""))
        except (TypeError, ValueError):  # it stumbles over a version that is no number
            encode, media_type = choose_encoder("")
        registry = CollectorRegistry()
        registry.register(BoardCollector(self._sight()))
        registry.register(self._process)
        # Thousands of rooms take a good part of a second, in which the event loop would publish no edge.
        body = await asyncio.to_thread(encode, registry)
        headers = {"Content-Type": media_type, "Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding"}
        if not accepts_gzip(request.headers.get("Accept-Encoding", "")):
            return whole(body, headers)
        response = web.Response(body=body, headers=headers)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    def _sight(self) -> Sight:
        health, moment, due = self._board.health, self._now(), self._board.next_due
        return Sight(
            moment=moment,
            version=self._version,
            statements=tuple(self._board.statements),
            health=tuple(health[name] for name in sorted(health)),
            seq=self._board.seq,
            clock_offset=self._board.clock.offset if self._board.clock is not None else None,
            lateness=max(moment - due, timedelta(0)) if due else timedelta(0),
            mqtt_configured=self._publisher.configured,
            mqtt_connected=self._publisher.connected,
            messages_published=self._publisher.messages_published,
            messages_refused=self._publisher.messages_refused,
            undelivered=self._publisher.undelivered,
            reconnects=self._publisher.reconnects,
            sse_clients=self._sse_clients(),
        )
