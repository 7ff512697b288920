"""`/metrics`, for Prometheus: the state of the program at the moment of the scrape.

Nothing is counted for the metrics alone, and there is no registry of the process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from placed.domain.presence import condition_of
from placed.http.api.presence_metrics import SensorSnapshot
from placed.http.api.program_metrics import BoardCollector, Snapshot
from placed.http.api.room_metrics import RoomMetrics
from placed.http.responses import accepts_gzip, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.action import Action, Outcome, Refusal
    from placed.domain.mqtt_delivery_status import DeliveryStatus
    from placed.domain.no_show_report import NoShowReport
    from placed.domain.presence import SensorCondition
    from placed.domain.sensor_traffic import SensorTraffic

_TURN = 500  # rooms or sensors that are measured at a stretch, in a few milliseconds


class Metrics:
    """Answers scrapes of Prometheus."""

    def __init__(  # noqa: PLR0913 - what is measured
        self,
        board: Board,
        publisher: DeliveryStatus,
        now: Callable[[], datetime],
        version: str,
        *,
        sse_clients: Callable[[], int],
        sensors: SensorTraffic | None = None,
        no_shows: NoShowReport | None = None,
        commands: Callable[[], Mapping[tuple[Action, Outcome, Refusal | None], int]] = dict,
        unused_commands: Callable[[], Mapping[str, Mapping[str, int]]] = dict,
    ) -> None:
        self._board = board
        self._publisher = publisher
        self._now = now
        self._version = version
        self._sse_clients = sse_clients
        self._sensors = sensors
        self._no_shows = no_shows
        self._commands = commands
        self._unused_commands = unused_commands
        self._process = ProcessCollector(registry=None)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """The metrics in the format that the scraper accepts: Prometheus' or OpenMetrics."""
        try:
            encode, media_type = choose_encoder(request.headers.get("Accept", ""))
        except (TypeError, ValueError):  # it does not handle a version that is no number
            encode, media_type = choose_encoder("")
        snapshot = await self._snapshot()
        registry = CollectorRegistry()
        registry.register(BoardCollector(snapshot))
        registry.register(self._process)
        # The lines of 50,000 rooms are 40 MB: to join them would hold up the event loop, as this does not.
        body = await asyncio.to_thread(lambda: b"".join((*snapshot.rooms.written(encode), encode(registry))))
        headers = {"Content-Type": media_type, "Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding"}
        if not accepts_gzip(request.headers.get("Accept-Encoding", "")):
            return whole(body, headers)
        response = web.Response(body=body, headers=headers)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    async def _snapshot(self) -> Snapshot:
        """What is measured. The rooms are those of the beginning, and everything else that of the end."""
        rooms = await self._measured_rooms()
        sensors = await self._sensor_snapshot()
        health, moment, due = self._board.health, self._now(), self._board.next_due
        return Snapshot(
            version=self._version,
            rooms=rooms,
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
            sensors=sensors,
            no_shows=dict(self._no_shows.counts) if self._no_shows is not None else {},
            commands=dict(self._commands()),
            unused_commands={way: dict(counts) for way, counts in self._unused_commands().items()},
        )

    async def _measured_rooms(self) -> RoomMetrics:
        rooms, statements = RoomMetrics(self._now()), self._board.statements
        for start in range(0, len(statements), _TURN):
            rooms.add(statements[start : start + _TURN])
            await asyncio.sleep(0)
        return rooms

    async def _sensor_snapshot(self) -> SensorSnapshot | None:
        traffic = self._sensors
        if traffic is None or not traffic.configured:
            return None
        moment, sensors = self._now(), self._board.sensors
        conditions: Counter[SensorCondition] = Counter()
        for start in range(0, len(sensors), _TURN):
            part = sensors[start : start + _TURN]
            conditions.update(condition_of(sensor, state, moment) for sensor, state in part)
            await asyncio.sleep(0)
        return SensorSnapshot(conditions, dict(traffic.messages), dict(traffic.brokers))
