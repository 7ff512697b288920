"""`/api/v1/events`: every statement of the board as it is made (server-sent events).

    retry: 2000                         the client reconnects after so many milliseconds

    event: snapshot                     to a new client, or one of another epoch; all rooms follow
    data: {"schema":1,"epoch":7,"seq":412,"rooms":["atrium","boardroom"]}

    event: state                        as /api/v1/rooms/<id>
    id: 7-412
    data: {"schema":1,"room":"boardroom",…}

    event: removed
    id: 7-413
    data: {"room":"atrium"}

    event: health                       as in /api/v1/connections; without id, a new client gets all
    data: {"name":"contoso",…}

    : keep-alive 2026-01-08T09:22:10Z   the time; when a new client has everything, and then every 3 s

Ids only rise, so a client that reconnects with its last one, in `Last-Event-ID` or `?last_event_id=`, misses
nothing. A client that lags gets the latest of each room and not what was in between; one that does not read
at all is dropped.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from placed.domain.connection_health import ConnectionHealth
from placed.domain.problem import Problem
from placed.domain.state_document import SCHEMA, Statement
from placed.domain.timestamps import to_the_millisecond
from placed.http.api import room_filters as filters
from placed.http.errors import HttpError
from placed.http.event_clients import Client, Waiting, position_of
from placed.http.latest_events import Entry, LatestEvents
from placed.http.responses import complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from placed.board.board import Board
    from placed.board.judging_before_showing import CatchUp
    from placed.http.api.rooms import RoomDocuments
    from placed.http.panel_streams import PanelStreams

MEDIA_TYPE = "text/event-stream"
RETRY = b"retry: 2000\n\n"
# Proxies that compress an answer hold it back until there is enough of it; nginx also does uncompressed.
_HEADERS = {
    "Content-Type": MEDIA_TYPE,
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
KEEP_ALIVE = 3.0  # seconds; pages stop showing states after 8 s without it
_AT_A_STRETCH = 100  # clients that are sent something, in a few milliseconds
_HEALTH = "*"  # no room has this id
_AS_MANY_STREAMS = Problem(
    "", "There are as many event streams as this endpoint serves", "/api/v1/rooms has the same data"
)


class EventStream:
    """Sends the latest events of rooms and of connections to every client.

    Args:
        board: the source of the events.
        documents: the rooms' JSON.
        now: the wall clock.
        catch_up: judges the rooms that a client asks for, before it is sent anything of them.
        limit: the most clients at once.
        panels: notes the streams of panels.

    Attributes:
        clients: how many there are.
        limit: see above; may be changed.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        board: Board,
        documents: RoomDocuments,
        now: Callable[[], datetime],
        catch_up: CatchUp,
        *,
        limit: int,
        panels: PanelStreams,
    ) -> None:
        self.clients = 0
        self._panels = panels
        self._board = board
        self._documents = documents
        self._now = now
        self.limit = limit
        self._catch_up = catch_up
        self._keep_alive = KEEP_ALIVE
        self._rooms = LatestEvents(self._room_frame, now, board.is_due)
        self._health = LatestEvents(_health_frame)
        self._reports = 0
        self._waiting: Waiting[Client] = Waiting()
        self._woken: list[Client] = []  # clients for which there are new entries
        self._sending: asyncio.Task[None] | None = None
        self._closed = False

    # --- the board's events ---

    def begin(self) -> None:
        """Takes over the current statements of the board."""
        self._rooms.note(*map(_entry, self._board.statements))
        self.remove(self._board.removed)
        for name in sorted(self._board.health):
            self.report(self._board.health[name])

    def state(self, statement: Statement) -> None:
        """A room has a new statement."""
        self._rooms.note(_entry(statement))
        self._wake(statement.room.id)

    def remove(self, rooms: Iterable[str]) -> None:
        """Rooms were removed."""
        gone = self._board.removed
        self._rooms.note(*(Entry(room, gone[room], None) for room in rooms if room in gone))
        for room in rooms:
            self._wake(room)

    def report(self, health: ConnectionHealth) -> None:
        """A connection's health has changed."""
        self._reports += 1
        self._health.note(Entry(health.name, self._reports, health))
        self._wake(_HEALTH)

    def drop_connection(self, connection: str) -> None:
        """A connection is not in the settings any more: new clients are not sent its health."""
        self._health.drop(connection)

    def close(self) -> None:
        """Ends every stream."""
        self._closed = True
        for client in self._waiting.take_all():
            client.awake.set()

    def _room_frame(self, entry: Entry) -> bytes:
        if isinstance(entry.news, Statement):
            event, data = b"state", self._documents.document(entry.news)
        else:
            event, data = b"removed", msgspec.json.encode({"room": entry.subject})
        return b"event: %b\nid: %d-%d\ndata: %b\n\n" % (event, self._board.epoch, entry.seq, data)

    # --- a client ---

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers one client for as long as it stays."""
        filters.known_only(request.query, ("room", "last_event_id"))
        wanted = frozenset(request.query.getall("room", [])) or None
        position = position_of(request, self._board.epoch, self._board.seq)
        if request.method == "HEAD":
            return web.Response(headers=_HEADERS)
        if self._closed or self.clients >= self.limit:
            raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, _AS_MANY_STREAMS, headers={"Retry-After": "10"})
        response = web.StreamResponse(headers=_HEADERS)
        complete(response.headers, self._now)
        client = Client(request, wanted)
        self.clients += 1
        try:
            await client.begin(request, response)
            with self._panels.noted(request, wanted):
                await self._stream(client, position)
        finally:
            self.clients -= 1
        return response

    async def _stream(self, client: Client, position: int | None) -> None:
        await client.write(RETRY)
        client.rooms_at, new_at = position or 0, 0
        catch_up = partial(self._catch_up.rooms, client.wanted)  # later it is sent rooms as they are judged
        complete = False
        try:
            while not self._closed:
                client.awake.clear()
                self._waiting.add(client)
                if not complete:
                    await catch_up()
                if position is None:
                    position = new_at = self._board.seq  # earlier removals are not in the snapshot
                    await client.write(self._snapshot(client.wanted))
                client.rooms_at = await self._rooms.read(
                    client.write,
                    client.rooms_at,
                    client.wanted,
                    without_gone=new_at,
                    before=None if complete else catch_up,
                )
                new_at = 0  # from now on it shares portions with all
                if client.wanted is None:
                    client.health_at = await self._health.read(client.write, client.health_at)
                if not complete:  # pages may rely on what they have from now on
                    complete = True
                    await self._send_time(client)
                await self._wait(client)
        finally:
            self._waiting.discard(client)

    async def _wait(self, client: Client) -> None:
        client.waits = True
        try:
            while not client.awake.is_set():
                due = client.timed_at + self._keep_alive
                if due <= asyncio.get_running_loop().time():
                    await self._send_time(client)
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(due):
                        await client.awake.wait()
        finally:
            client.waits = False

    async def _send_time(self, client: Client) -> None:
        """Also between many events: a page has to notice that the daemon's clock was set."""
        client.timed_at = asyncio.get_running_loop().time()
        await client.write(b": keep-alive %b\n\n" % to_the_millisecond(self._now()).encode())

    # --- all clients at once ---

    def _wake(self, subject: str) -> None:
        """Wakes, once, every client that waits for this subject."""
        for client in self._waiting.take(subject):
            if not self._woken:
                self._sending = asyncio.create_task(self._send_to_all())
            self._woken.append(client)

    async def _send_to_all(self) -> None:
        """Sends the new entries to the woken clients, one after the other and without waiting for any.

        To wake the task of each client would take longer than all the rest. A client that has not read what
        it was sent before, or for which there is much, is served by its task, as fast as it reads.
        """
        woken, self._woken = self._woken, []
        for number, client in enumerate(woken, start=1):
            if number % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)  # many clients do not hold up everything else
            if not self._closed and client.is_up_to_date and await self._send_now(client):
                self._waiting.add(client)
            else:
                client.awake.set()

    async def _send_now(self, client: Client) -> bool:
        """Sends a client one portion of what it lacks; returns whether that is all of it."""
        try:
            portion = self._rooms.portion(client.rooms_at, client.wanted)
            if portion is not None:
                await client.push(portion.frames)
                client.rooms_at = portion.last
                if self._rooms.portion(portion.last, client.wanted) is not None:
                    return False
            client.rooms_at = self._rooms.last
            if client.wanted is None:
                client.health_at = await self._health.read(client.push, client.health_at)
        except Exception:  # noqa: BLE001 - its task meets the same error, and ends by it
            return False
        return True

    def _snapshot(self, wanted: frozenset[str] | None) -> bytes:
        rooms = [room.id for room in self._board.rooms if wanted is None or room.id in wanted]
        return frame(
            "snapshot",
            {"schema": SCHEMA, "epoch": self._board.epoch, "seq": self._board.seq, "rooms": rooms},
        )


def frame(event: str, data: object) -> bytes:
    """An event without an id."""
    return b"event: %b\ndata: %b\n\n" % (event.encode(), msgspec.json.encode(data))


def _entry(statement: Statement) -> Entry:
    return Entry(statement.room.id, statement.seq, statement)


def _health_frame(entry: Entry) -> bytes:
    assert isinstance(entry.news, ConnectionHealth)  # noqa: S101 - see `EventStream.report`
    return frame("health", entry.news.document())
