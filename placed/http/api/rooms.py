"""Rooms as JSON: `/api/v1/rooms` and `/api/v1/rooms/<id>`.

A room here is its state document with `building`, `floor`, `capacity` and `time_zone` added at the end. The
document is copied as bytes, so MQTT and HTTP cannot differ in what they publish of a room.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed.domain.problem import Problem
from placed.domain.state_document import SCHEMA
from placed.http.api import room_filters as filters
from placed.http.errors import HttpError
from placed.http.responses import Representation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

    from aiohttp import web

    from placed.board.board import Board
    from placed.domain.model import Room
    from placed.domain.state_document import Statement


class RoomDocuments:
    """The JSON of rooms. The part that no statement changes is encoded once for each room."""

    def __init__(self) -> None:
        self._endings: dict[str, tuple[Room, bytes]] = {}

    def document(self, statement: Statement) -> bytes:
        """One room: `{…the state document…,"building":…,"floor":…,"capacity":…,"time_zone":…}`."""
        room = statement.room
        known = self._endings.get(room.id)
        if known is None or known[0] is not room:
            place = {
                "building": room.building,
                "floor": room.floor,
                "capacity": room.capacity,
                "time_zone": room.time_zone.key,
            }
            self._endings[room.id] = known = room, b"," + msgspec.json.encode(place)[1:]
        return statement.document[:-1] + known[1]

    def forget(self, removed: Iterable[str]) -> None:
        """Forgets rooms that were removed."""
        for room_id in removed:
            self._endings.pop(room_id, None)


class RoomsApi:
    """Answers with all rooms, with some of them, or with one."""

    def __init__(self, board: Board, documents: RoomDocuments, now: Callable[[], datetime]) -> None:
        self._board = board
        self._documents = documents
        self._now = now
        self._whole: tuple[int, Representation] | None = None

    def rooms(self, request: web.Request) -> Awaitable[web.StreamResponse]:
        """`{"schema":1,"epoch":7,"seq":412,"rooms":[…]}`.

        `seq` of a whole listing is the board's: /api/v1/events continues from there without a gap. In a
        filtered listing it is that of the newest statement in it, so that the listing stays the same byte for
        byte while nothing in it changes.
        """
        wanted = filters.parse(request.query) if request.query_string else filters.EVERYTHING
        if wanted is filters.EVERYTHING:
            return self._everything().answer(request)
        moment = self._now()
        found = [s for s in self._board.statements if wanted.lets_pass(s, moment)]
        return Representation(self._listing(found, max((s.seq for s in found), default=0))).answer(request)

    def room(self, request: web.Request) -> Awaitable[web.StreamResponse]:
        """One room."""
        statement = self._board.statement(request.match_info["room"])
        if statement is None:
            problem = Problem("", "There is no room with this id", "/api/v1/rooms lists them all")
            raise HttpError(HTTPStatus.NOT_FOUND, problem)
        return Representation(
            self._documents.document(statement), tag=f"{statement.epoch}-{statement.seq}"
        ).answer(request)

    def _everything(self) -> Representation:
        seq = self._board.seq
        if self._whole is None or self._whole[0] != seq:
            listing = self._listing(self._board.statements, seq)
            self._whole = seq, Representation(listing, tag=f"{self._board.epoch}-{seq}")
        return self._whole[1]

    def _listing(self, statements: list[Statement], seq: int) -> bytes:
        start = b'{"schema":%d,"epoch":%d,"seq":%d,"rooms":[' % (SCHEMA, self._board.epoch, seq)
        return start + b",".join(map(self._documents.document, statements)) + b"]}"
