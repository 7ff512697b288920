"""Rooms as JSON: `/api/v1/rooms` and `/api/v1/rooms/<id>`.

A room here is its state document with `building`, `floor`, `capacity` and `time_zone` added at the end. The
document is copied as bytes, so MQTT and HTTP cannot differ in what they publish of a room.
"""

from __future__ import annotations

import asyncio
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed.domain.problem import Problem
from placed.domain.state_document import SCHEMA
from placed.http.api import room_filters as filters
from placed.http.errors import HttpError
from placed.http.responses import Representation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from datetime import datetime

    from aiohttp import web

    from placed.board.board import Board
    from placed.domain.model import Room
    from placed.domain.state_document import Statement


_TURN = 1000  # rooms that are listed at a stretch, in two milliseconds


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
        self._whole = -1, Representation(b"")  # the seq of the board, and the listing of all rooms
        self._renewing = asyncio.Lock()

    async def rooms(self, request: web.Request) -> web.StreamResponse:
        """`{"schema":1,"epoch":7,"seq":412,"rooms":[…]}`.

        `seq` of a whole listing is the board's: /api/v1/events continues from there without a gap. In a
        filtered listing it is that of the newest statement in it, so that the listing stays the same byte for
        byte while nothing in it changes.
        """
        wanted = filters.parse(request.query) if request.query_string else filters.EVERYTHING
        if wanted is not filters.EVERYTHING:
            listing = await self._some(wanted)
        elif self._whole[0] == self._board.seq:
            listing = self._whole[1]
        else:
            listing = await self._everything(self._board.seq)
        return await listing.answer(request)

    async def room(self, request: web.Request) -> web.StreamResponse:
        """One room."""
        statement = self._board.statement(request.match_info["room"])
        if statement is None:
            problem = Problem("", "There is no room with this id", "/api/v1/rooms lists them all")
            raise HttpError(HTTPStatus.NOT_FOUND, problem)
        return await Representation(
            self._documents.document(statement), tag=f"{statement.epoch}-{statement.seq}"
        ).answer(request)

    async def _everything(self, since: int) -> Representation:
        """The listing of all rooms at this seq of the board, or a later one."""
        async with self._renewing:
            if self._whole[0] < since:  # else it was made for another request meanwhile
                seq = self._board.seq
                documents = [self._documents.document(s) async for s in _in_turns(self._board.statements)]
                self._whole = seq, await self._listing(documents, seq, tag=f"{self._board.epoch}-{seq}")
            return self._whole[1]

    async def _some(self, wanted: filters.Filter) -> Representation:
        """The listing of the rooms that match now."""
        moment, documents, seq, digest = self._now(), [], 0, blake2b(digest_size=12)
        async for statement in _in_turns(self._board.statements):
            if wanted.lets_pass(statement, moment):
                documents.append(self._documents.document(statement))
                seq = max(seq, statement.seq)
                digest.update(b"%d " % statement.seq)
        return await self._listing(documents, seq, tag=f"{self._board.epoch}-{digest.hexdigest()}")

    async def _listing(self, documents: list[bytes], seq: int, *, tag: str) -> Representation:
        start = b'{"schema":%d,"epoch":%d,"seq":%d,"rooms":[' % (SCHEMA, self._board.epoch, seq)
        documents = documents or [b""]
        documents[0] = start + documents[0]
        documents[-1] += b"]}"
        if len(documents) <= _TURN:
            return Representation(b",".join(documents), tag=tag)
        return Representation(await asyncio.to_thread(b",".join, documents), tag=tag)


async def _in_turns(statements: list[Statement]) -> AsyncIterator[Statement]:
    """Gives way to the rest of the program now and then: 50,000 rooms take a tenth of a second."""
    for number, statement in enumerate(statements, start=1):
        yield statement
        if number % _TURN == 0:
            await asyncio.sleep(0)
