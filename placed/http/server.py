"""The status endpoint: start, stop, the board's events, and the routes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
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
from placed.http.api.sensors import NoWebhooks, SensorsApi
from placed.http.auth import Guard, host_names
from placed.http.errors import HttpError, no_such_address, no_such_method
from placed.http.event_stream import EventStream
from placed.http.limits import LARGEST_PAYLOAD, Limits
from placed.http.listen_options import ListenOptions, bind_sockets, endpoint_url, listen_failure
from placed.http.pages import Assets, Pages
from placed.http.request_handling import RequestHandling, continue_unanswered
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
    from placed.http.api.sensors import Webhooks
    from placed.http.request_handling import Handler
    from placed.settings.output_tables import Http

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
        webhooks: takes in what sensors are sent for; None if there are none.

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
        webhooks: Webhooks | None = None,
    ) -> None:
        self.url = ""
        self._settings = settings
        self._options = options or ListenOptions.of(settings)
        self._limits = limits or Limits(settings.max_clients)
        self._board = board
        self._now = now
        self._publisher = publisher
        self._sensors = SensorsApi(webhooks or NoWebhooks())
        catch_up = catch_up or board.judge_due
        self._handling = RequestHandling(_guard(settings, self._options), board, catch_up, now)
        self._pages = Pages(_assets(settings))
        self._documents = RoomDocuments()
        self._events = EventStream(board, self._documents, now, catch_up, self._limits.streams)
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
        acceptor = Acceptor(self._limits, self._options.tls, manager)
        try:
            bound = acceptor.open(listeners)
        except OSError as error:
            await self._runner.cleanup()
            raise listen_failure(self._settings.listen, error) from error
        self._acceptor = acceptor
        self.url = endpoint_url(*bound, tls=self._options.tls is not None)
        self._events.begin()
        self._warn_if_open()

    def change(self, settings: Http, options: ListenOptions) -> None:
        """Takes up other settings of the same address. Connections and streams that are open go on.

        The token is checked from the next request on; the certificate, and the number of clients, count from
        the next connection on.

        Args:
            settings: with the same `listen`, and with TLS if and only if there was TLS before.
            options: what the settings' files decide.
        """
        before, self._settings, self._options = self._settings, settings, options
        self._limits = replace(self._limits, clients=settings.max_clients)
        self._handling.guard = _guard(settings, options)
        self._events.limit = self._limits.streams
        if _shown(before) != _shown(settings):
            self._pages.change(_assets(settings))
        if self._acceptor is not None:
            self._acceptor.change(self._limits, options.tls)
            self._warn_if_open()

    def _warn_if_open(self) -> None:
        if self._options.token is None and not self._options.address.loopback:
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
        around, as_of_now = self._handling.around, self._handling.as_of_now
        rooms = RoomsApi(self._board, self._documents, self._now)
        connections = ConnectionsApi(self._board, self._publisher)
        days = DaysApi(self._board, self._now)
        pages = self._pages
        app = web.Application()

        def add(path: str, handler: Handler, *, open_to_all: bool = False) -> None:
            refused = around(_refuse_method, open_to_all=open_to_all)  # which methods it has is no secret
            app.router.add_get(path, handler, expect_handler=continue_unanswered)
            app.router.add_route("*", path, refused, expect_handler=continue_unanswered)

        # These reveal nothing. A process monitor has no token, and a page must load before it can ask for it.
        for path, handler in (
            ("/", pages.board),
            ("/rooms/{room:[a-z0-9_-]+}", pages.panel),
            ("/worker.js", pages.worker),
            ("/static/{version}/{name:.+}", pages.asset),
            ("/healthz", self._healthz),
        ):
            add(path, around(handler, open_to_all=True), open_to_all=True)
        add("/api/v1/rooms", as_of_now(rooms.rooms))
        add("/api/v1/rooms/{room}", as_of_now(rooms.room))
        add("/api/v1/days", as_of_now(days.days))
        add("/api/v1/connections", as_of_now(connections.connections))
        add("/api/v1/connections/{connection}/rooms", as_of_now(connections.rooms))
        add("/api/v1/events", around(self._events.serve))
        sensor = "/api/v1/sensors/{sensor:[a-z0-9][a-z0-9_-]*}"  # with a token of its own for each sensor
        post = around(self._sensors.receive, open_to_all=True, largest_body=LARGEST_PAYLOAD)
        app.router.add_post(sensor, post)
        only_post = around(_refuse_all_but_post, open_to_all=True)
        app.router.add_route("*", sensor, only_post, expect_handler=continue_unanswered)
        add("/readyz", around(self._readyz))  # these two, and /healthz, report whether edges are late
        add("/metrics", around(self._metrics.serve))
        add("/openapi.json", around(self._openapi))
        nothing = around(_refuse_address)
        app.router.add_route("*", "/{path:.*}", nothing, expect_handler=continue_unanswered)
        return app

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


def _guard(settings: Http, options: ListenOptions) -> Guard:
    guarded = options.token is not None or options.tls is not None
    return Guard(host_names(settings, options.address, guarded=guarded), options.token)


def _shown(settings: Http) -> tuple[object, ...]:
    """What of the settings the pages depend on."""
    return settings.frame_ancestors, settings.offline_after


def _assets(settings: Http) -> Assets:
    return Assets(settings.frame_ancestors, settings.offline_after)


async def _refuse_method(_request: web.Request) -> web.StreamResponse:
    raise no_such_method("GET,HEAD")


async def _refuse_all_but_post(_request: web.Request) -> web.StreamResponse:
    raise no_such_method("POST")


async def _refuse_address(_request: web.Request) -> web.StreamResponse:
    raise no_such_address()


def _uncached(document: Mapping[str, object]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document), headers={"Content-Type": JSON, "Cache-Control": "no-store"}
    )
