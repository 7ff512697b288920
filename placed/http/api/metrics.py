"""`/metrics`, for Prometheus: the state of the program at the moment of the scrape.

Nothing is counted for the metrics alone, and there is no registry of the process.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from placed.http.api.metric_families import BoardCollector, Snapshot
from placed.http.responses import accepts_gzip, whole

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.publisher_status import PublisherStatus


class Metrics:
    """Answers scrapes of Prometheus."""

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
        """The metrics in the format that the scraper accepts: Prometheus' or OpenMetrics."""
        try:
            encode, media_type = choose_encoder(request.headers.get("Accept", ""))
        except (TypeError, ValueError):  # it does not handle a version that is no number
            encode, media_type = choose_encoder("")
        registry = CollectorRegistry()
        registry.register(BoardCollector(self._snapshot()))
        registry.register(self._process)
        # Thousands of rooms take a good part of a second, in which the event loop would publish no edge.
        body = await asyncio.to_thread(encode, registry)
        headers = {"Content-Type": media_type, "Cache-Control": "no-store", "Vary": "Accept, Accept-Encoding"}
        if not accepts_gzip(request.headers.get("Accept-Encoding", "")):
            return whole(body, headers)
        response = web.Response(body=body, headers=headers)
        response.enable_compression(web.ContentCoding.gzip)
        return response

    def _snapshot(self) -> Snapshot:
        health, moment, due = self._board.health, self._now(), self._board.next_due
        return Snapshot(
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
