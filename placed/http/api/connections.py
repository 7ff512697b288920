"""Connections as JSON: `/api/v1/connections` and `/api/v1/connections/<name>/rooms`."""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed.domain.mqtt_delivery_status import documents
from placed.domain.problem import Problem
from placed.domain.state_document import SCHEMA
from placed.http.errors import HttpError
from placed.http.responses import Representation

if TYPE_CHECKING:
    from aiohttp import web

    from placed.board.board import Board
    from placed.domain.mqtt_delivery_status import DeliveryStatus

_TURN = 1000  # rooms that are listed at a stretch, in a few milliseconds


class ConnectionsApi:
    """Answers with the health of the connections, and with how each of their rooms is read."""

    def __init__(self, board: Board, publisher: DeliveryStatus) -> None:
        self._board = board
        self._publisher = publisher

    async def connections(self, request: web.Request) -> web.StreamResponse:
        """`{"schema":1,"connections":[…],"clock":{…},"undelivered":[…]}`.

        The clock is null until it was compared; `undelivered` is what the broker does not hold as published.
        """
        health = [self._board.health[name].document() for name in sorted(self._board.health)]
        clock = self._board.clock.document() if self._board.clock is not None else None
        undelivered = documents(self._publisher.undelivered)
        return await _answer(
            request, {"schema": SCHEMA, "connections": health, "clock": clock, "undelivered": undelivered}
        )

    async def rooms(self, request: web.Request) -> web.StreamResponse:
        """`{"schema":1,"connection":"contoso","rooms":[…]}`, each as in `readability_documents`."""
        name = request.match_info["connection"]
        health = self._board.health.get(name)
        if health is None:
            text, remedy = "There is no connection with this name", "/api/v1/connections lists them all"
            raise HttpError(HTTPStatus.NOT_FOUND, Problem("", text, remedy))
        rooms = [room for room in self._board.rooms if room.connection == name]
        head = msgspec.json.encode({"schema": SCHEMA, "connection": name})
        parts, digest = [], blake2b(head, digest_size=12)
        for start in range(0, len(rooms), _TURN):
            documents = health.rooms_document(rooms[start : start + _TURN])
            parts.append(msgspec.json.encode(documents)[1:-1])
            digest.update(parts[-1])
            await asyncio.sleep(0)
        body = head[:-1] + b',"rooms":[' + b",".join(parts) + b"]}"
        return await Representation(body, tag=digest.hexdigest()).answer(request)


async def _answer(request: web.Request, document: dict[str, object]) -> web.StreamResponse:
    return await Representation(msgspec.json.encode(document)).answer(request)
