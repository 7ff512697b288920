"""The status endpoint: start, stop, the board's events, and the routes."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
import structlog
from aiohttp import web

from placed.http.acceptor import Acceptor
from placed.http.api import openapi
from placed.http.api.connections import ConnectionsApi
from placed.http.api.days import DaysApi
from placed.http.api.metrics import Metrics
from placed.http.api.readiness import unready, warnings
from placed.http.api.rooms import RoomDocuments, RoomsApi
from placed.http.auth import Guard, host_names
from placed.http.errors import HttpError
from placed.http.event_stream import EventStream
from placed.http.limits import Limits
from placed.http.listen_options import ListenOptions, bind_sockets, endpoint_url, listen_failure
from placed.http.middleware import ClockText, Middleware, continue_unanswered
from placed.http.pages import Assets, Pages
from placed.http.responses import JSON, Representation

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.problem import Problem
    from placed.domain.publisher_status import PublisherStatus
    from placed.domain.room_event_detection import Event
    from placed.domain.state_document import Statement
    from placed.settings.schema import Http

_PATIENCE = 0.25  # seconds at stop, twice: for a request to end, and for it to be cancelled

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class StatusServer:
    """Serves the board over HTTP. It has to be added to the board's listeners.

    Args:
        settings: where to listen, and who may ask.
        board: the source of all answers.
        now: the wall clock.
        publisher: the MQTT side, for /readyz and /metrics.
        version: of the program.
        options: what the settings' files decide, if they were read already.
        limits: the resources that clients may use; by the settings if None.
        catch_up: brings the board up to date before a request is answered.

    Raises:
        CannotStart: the token or the certificate is missing or invalid.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        settings: Http,
        board: Board,
        *,
        now: Callable[[], datetime],
        publisher: PublisherStatus,
        version: str,
        options: ListenOptions | None = None,
        limits: Limits | None = None,
        catch_up: Callable[[], None] | None = None,
    ) -> None:
        self.url = ""
        self._settings = settings
        self._board = board
        self._now = now
        self._publisher = publisher
        self._catch_up = catch_up or board.turn
        options = options or ListenOptions.of(settings)
        self._token = options.token
        self._address = options.address
        self._tls = options.tls
        self._limits = limits or Limits(settings.max_clients)
        self._documents = RoomDocuments()
        self._events = EventStream(
            board, self._documents, ClockText(now).text, limit=self._limits.streams, catch_up=self._catch_up
        )
        self._metrics = Metrics(board, publisher, now, version, lambda: self._events.clients)
        self._description = Representation(openapi.description(version))
        self._runner: web.AppRunner | None = None
        self._acceptor: Acceptor | None = None

    # --- start and stop ---

    async def start(self, listeners: Sequence[socket.socket] = ()) -> None:
        """Starts to listen and to answer.

        Args:
            listeners: the sockets from `bind_sockets`, if the address is bound already.

        Raises:
            CannotStart: the address is in use or cannot be bound.
        """
        listeners = listeners or await bind_sockets(self._settings.listen)
        app = self._app()
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=_PATIENCE)
        await self._runner.setup()
        manager = self._runner.server
        assert manager is not None  # noqa: S101 - set up just now
        acceptor = Acceptor(self._limits, self._tls, manager)
        try:
            bound = acceptor.open(listeners)
        except OSError as error:
            await self._runner.cleanup()
            raise listen_failure(self._settings.listen, error) from error
        self._acceptor = acceptor
        self.url = endpoint_url(*bound, tls=self._tls is not None)
        self._events.begin()
        if self._token is None and not self._address.loopback:
            _log.warning("http.is_open_to_all", listen=self._settings.listen)

    async def stop(self) -> None:
        """Ends every stream and releases the address. Does nothing if it was never started."""
        if self._acceptor is None or self._runner is None:
            return
        manager = self._runner.server
        connections = [c.transport for c in manager.connections if c.transport] if manager else []
        await self._acceptor.close()
        self._events.close()
        await self._runner.cleanup()
        for connection in connections:
            with suppress(AttributeError):  # of Python before 3.11.4, where TLS is over already
                connection.abort()  # a client that has not read its answer by now never will
        self._acceptor = None

    # --- the board's events ---

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:  # noqa: ARG002
        """A room has a new statement."""
        self._events.state(statement)

    def rooms_changed(self, removed: frozenset[str]) -> None:
        """Rooms were added, removed or renamed."""
        self._documents.forget(removed)
        self._events.remove(removed)

    def health_changed(self, health: ConnectionHealth) -> None:
        """A connection's health has changed."""
        self._events.report(health)

    def connection_removed(self, connection: str) -> None:
        """A connection is not in the settings any more."""
        self._events.drop_connection(connection)

    # --- routes ---

    def _app(self) -> web.Application:
        app = web.Application()
        middleware = Middleware(self._guard(), self._board, self._catch_up, self._now)
        app.middlewares.append(middleware.admit)
        app.on_response_prepare.append(middleware.complete)
        rooms = RoomsApi(self._board, self._documents, self._now)
        connections = ConnectionsApi(self._board, self._publisher)
        days = DaysApi(self._board, self._now)
        assets = Assets(self._settings.frame_ancestors, self._settings.offline_after)
        pages = Pages(assets)
        as_of_now = middleware.as_of_now
        for path, handler in (
            ("/", pages.board),
            ("/rooms/{room:[a-z0-9_-]+}", pages.panel),
            ("/worker.js", pages.worker),
            ("/static/{version}/{name:.+}", assets.serve),
            ("/api/v1/rooms", as_of_now(rooms.rooms)),
            ("/api/v1/rooms/{room}", as_of_now(rooms.room)),
            ("/api/v1/days", as_of_now(days.days)),
            ("/api/v1/connections", as_of_now(connections.connections)),
            ("/api/v1/connections/{connection}/rooms", as_of_now(connections.rooms)),
            ("/api/v1/events", self._events.serve),
            ("/healthz", self._healthz),  # these three report whether edges are late
            ("/readyz", self._readyz),
            ("/metrics", self._metrics.serve),
            ("/openapi.json", self._openapi),
        ):
            app.router.add_get(path, handler, expect_handler=continue_unanswered)
        return app

    def _guard(self) -> Guard:
        guarded = self._token is not None or self._tls is not None
        answered = host_names(self._settings, self._address, guarded=guarded)
        return Guard(answered, self._token)

    async def _healthz(self, _request: web.Request) -> web.Response:
        """Whether the event loop answers."""
        return _uncached({"status": "ok"})

    async def _readyz(self, _request: web.Request) -> web.Response:
        found = unready(self._board, self._publisher, self._now())
        doubtful = warnings(self._board, self._publisher)
        if found:
            raise HttpError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                *found,
                *doubtful,
                listed=[_part(problem) for problem in (*found, *doubtful)],
                lead="Not ready: ",
            )
        document: dict[str, object] = {"status": "ready"}
        if doubtful:
            document["warnings"] = [_part(problem) for problem in doubtful]
        return _uncached(document)

    async def _openapi(self, request: web.Request) -> web.StreamResponse:
        return await self._description.answer(request)


def _part(problem: Problem) -> dict[str, str]:
    return {"part": problem.key, "detail": problem.at("").line}


def _uncached(document: Mapping[str, object]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document), headers={"Content-Type": JSON, "Cache-Control": "no-store"}
    )
