"""`/api/v1/events`: what the board says, as it says it (server-sent events).

    retry: 2000                         how long the client waits before it comes again

    event: snapshot                     to who is new here, or comes from another epoch: what follows is all
    data: {"schema":1,"epoch":7,"seq":412,"rooms":["atrium","boardroom"]}

    event: state                        as /api/v1/rooms/<id>
    id: 7-412
    data: {"schema":1,"room":"boardroom",…}

    event: removed
    id: 7-413
    data: {"room":"atrium"}

    event: health                       as in /api/v1/connections; has no id, and is told whole to who is new
    data: {"name":"contoso",…}

    : keep-alive 2026-01-08T09:22:10Z   the time; after all that a new client did not have, and every 3 s

Ids only ever rise, so who comes again with its last one, in `Last-Event-ID` or `?last_event_id=`, misses
nothing. A client that lags is told the latest of each room and not what was in between; one that does not
read at all is let go.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from placed.domain.connection_health import ConnectionHealth
from placed.domain.state_document import SCHEMA, Statement
from placed.http.api import room_filters as filters
from placed.http.errors import Problem
from placed.http.event_client import Follower
from placed.http.event_log import Entry, Ledger
from placed.http.waiters import Bells

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from placed.board.board import Board
    from placed.http.api.rooms import RoomDocuments

MEDIA_TYPE = "text/event-stream"
RETRY = b"retry: 2000\n\n"
# Proxies that pack an answer keep it back until there is enough of it; nginx does so unpacked, too.
_HEADERS = {
    "Content-Type": MEDIA_TYPE,
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",
}
KEEP_ALIVE = 3.0  # seconds; pages show nothing after 8 s without it
_HEALTH = "*"  # no room has this id
_ID = re.compile(r"(\d{1,18})-(\d{1,18})")


class EventStream:
    """Keeps the ledgers of rooms and connections, and reads them to every client.

    Args:
        board: what is told.
        documents: the rooms' JSON.
        clock_text: the time, for keep-alive comments.
        limit: clients at once, at most.
        catch_up: turns the board to now, before a client is sent anything of it.
        keep_alive: seconds from one time that is sent to the next.
    """

    def __init__(  # noqa: PLR0913 - made once, in the status server
        self,
        board: Board,
        documents: RoomDocuments,
        clock_text: Callable[[], str],
        *,
        limit: int = 1000,
        catch_up: Callable[[], None] = lambda: None,
        keep_alive: float = KEEP_ALIVE,
    ) -> None:
        self.clients = 0
        self._board = board
        self._documents = documents
        self._clock_text = clock_text
        self._limit = limit
        self._catch_up = catch_up
        self._keep_alive = keep_alive
        self._rooms = Ledger(self._room_frame)
        self._health = Ledger(_health_frame)
        self._reports = 0
        self._bells = Bells()
        self._rung: list[Follower] = []  # who has news
        self._telling: asyncio.Task[None] | None = None
        self._closed = False

    # --- what comes in ---

    def begin(self) -> None:
        """Takes over what the board has said so far."""
        self._rooms.note(*map(_entry, self._board.statements))
        self.remove(self._board.removed)
        for name in sorted(self._board.health):
            self.report(self._board.health[name])

    def state(self, statement: Statement) -> None:
        """A room has a new statement."""
        self._rooms.note(_entry(statement))
        self._bells.ring(statement.room.id)

    def remove(self, rooms: Iterable[str]) -> None:
        """Rooms are gone."""
        gone = self._board.removed
        self._rooms.note(*(Entry(room, gone[room], None) for room in rooms if room in gone))
        for room in rooms:
            self._bells.ring(room)

    def report(self, health: ConnectionHealth) -> None:
        """A connection's health was told."""
        self._reports += 1
        self._health.note(Entry(health.name, self._reports, health))
        self._bells.ring(_HEALTH)

    def close(self) -> None:
        """Ends every stream."""
        self._closed = True
        self._bells.ring_all()

    def _room_frame(self, entry: Entry) -> bytes:
        if isinstance(entry.news, Statement):
            return self._state_frame(entry.news)
        data = msgspec.json.encode({"room": entry.subject})
        return b"event: removed\nid: %d-%d\ndata: %b\n\n" % (self._board.epoch, entry.seq, data)

    def _state_frame(self, statement: Statement) -> bytes:
        return b"event: state\nid: %d-%d\ndata: %b\n\n" % (
            statement.epoch,
            statement.seq,
            self._documents.document(statement),
        )

    # --- what goes out ---

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answers one client for as long as it stays."""
        filters.known_only(request.query, ("room", "last_event_id"))
        wanted = frozenset(request.query.getall("room", [])) or None
        position = self._position(request)
        if request.method == "HEAD":
            return web.Response(headers=_HEADERS)
        if self._closed or self.clients >= self._limit:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "There are as many event streams as this endpoint serves; /api/v1/rooms tells the same.",
                headers={"Retry-After": "10"},
            )
        response = web.StreamResponse(headers=_HEADERS)
        client = Follower(request, wanted, self._news_for)
        self.clients += 1
        try:
            await client.begin(request, response)
            await self._tell(client, position)
        finally:
            self.clients -= 1
        return response

    def _position(self, request: web.Request) -> int | None:
        """The seq that the client has got to; None if it has to be told everything."""
        asked = request.query.get("last_event_id")
        if asked is not None and not _ID.fullmatch(asked):
            problem = {"parameter": "last_event_id", "found": asked, "expected": "an id such as 7-412"}
            raise Problem(
                HTTPStatus.BAD_REQUEST,
                f"last_event_id: found {asked!r}, expected an id such as 7-412.",
                problems=[problem],
            )
        # A client that comes again by itself asks for the same address as at first, and knows better now.
        found = _ID.fullmatch(request.headers.get("Last-Event-ID", "")) or _ID.fullmatch(asked or "")
        if found is None or int(found[1]) != self._board.epoch or int(found[2]) > self._board.seq:
            return None
        return int(found[2])

    async def _tell(self, client: Follower, position: int | None) -> None:
        await client.write(RETRY)
        client.rooms_at, new_at = position or 0, 0
        complete = False
        try:
            while not self._closed:
                self._catch_up()
                self._bells.hang(client, client.wanted)
                if position is None:
                    position = new_at = self._board.seq  # rooms that went before are not in the snapshot
                    await client.write(self._snapshot(client.wanted))
                client.rooms_at = await _read(
                    self._rooms,
                    client.write,
                    client.rooms_at,
                    client.wanted,
                    without_gone=new_at,
                    before=self._catch_up,
                )
                new_at = 0  # from now on it reads what all read
                if client.wanted is None:
                    client.health_at = await _read(self._health, client.write, client.health_at)
                if not complete:  # it may believe what it knows from now on
                    complete = True
                    await self._send_time(client)
                await self._wait(client)
        finally:
            self._bells.take_down(client, client.wanted)

    async def _wait(self, client: Follower) -> None:
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

    async def _send_time(self, client: Follower) -> None:
        """Also where there is much news: a page has to notice that the daemon's clock was set."""
        client.timed_at = asyncio.get_running_loop().time()
        await client.write(b": keep-alive %b\n\n" % self._clock_text().encode())

    # --- to all at once ---

    def _news_for(self, client: Follower) -> None:
        if not self._rung:
            self._telling = asyncio.create_task(self._tell_all())
        self._rung.append(client)

    async def _tell_all(self) -> None:
        """Tells those who have news, one after the other and without a wait.

        To wake the task of each would take longer than all the rest. Those who have not read what they were
        told before, or for whom there is much, are told by their tasks all the same, as fast as they read.
        """
        rung, self._rung = self._rung, []
        for client in rung:
            if not self._closed and client.at_leisure and await self._tell_at_once(client):
                self._bells.hang(client, client.wanted)
            else:
                client.awake.set()

    async def _tell_at_once(self, client: Follower) -> bool:
        """Tells a client a portion of what it does not have; whether that is all of it."""
        try:
            self._catch_up()
            portion = self._rooms.portion(client.rooms_at, client.wanted)
            if portion is not None:
                await client.push(portion.frames)
                client.rooms_at = portion.last
                if self._rooms.portion(portion.last, client.wanted) is not None:
                    return False
            client.rooms_at = self._rooms.last
            if client.wanted is None:
                client.health_at = await _read(self._health, client.push, client.health_at)
        except Exception:  # noqa: BLE001 - its task meets the same, and ends by it
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


async def _read(  # noqa: PLR0913 - where from, where to and what of it
    ledger: Ledger,
    tell: Callable[[bytes], Awaitable[None]],
    position: int,
    wanted: frozenset[str] | None = None,
    *,
    without_gone: int = 0,
    before: Callable[[], None] = lambda: None,
) -> int:
    """Reads to a client what there is after a position, or newer news of it; where it has got to then.

    `before` is called before each look into the ledger.
    """
    end = ledger.last
    while position < end:
        before()
        portion = ledger.portion(position, wanted, without_gone=without_gone)
        if portion is None:
            return ledger.last
        await tell(portion.frames)
        position = portion.last
    return position
