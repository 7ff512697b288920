"""The status endpoint: start, stop, other settings, and the board's events."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from functools import cache
from secrets import token_bytes
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from placed.domain.command_sink import NoActions
from placed.domain.panel_signs import NoSigns
from placed.http.acceptor import Acceptor
from placed.http.api import openapi
from placed.http.api.actions import ActionsApi
from placed.http.api.connections import ConnectionsApi
from placed.http.api.no_shows import NoShowsApi
from placed.http.api.readiness import HealthApi
from placed.http.api.room_day import RoomDayApi
from placed.http.api.room_qr_code import QrCodesApi
from placed.http.api.rooms import RoomDocuments, RoomsApi
from placed.http.api.sensor_webhooks import NoWebhooks, SensorsApi
from placed.http.auth import Guard, host_names
from placed.http.check_in_tickets import CheckInTickets
from placed.http.event_stream import EventStream
from placed.http.limits import Limits
from placed.http.listen_options import ListenOptions, bind_sockets, endpoint_url, listen_failure
from placed.http.pages import Assets, Pages
from placed.http.panel_auth import PanelGuard
from placed.http.panel_streams import PanelStreams
from placed.http.request_handling import RequestHandling
from placed.http.responses import Representation
from placed.http.routes import Apis, application

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from placed.board.board import Board
    from placed.board.judging_before_showing import CatchUp
    from placed.domain.action import Action, Outcome, Refusal
    from placed.domain.calendar_event_detection import Event
    from placed.domain.command_sink import CommandSink
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.mqtt_delivery_status import DeliveryStatus
    from placed.domain.no_show_report import NoShowReport
    from placed.domain.panel_signs import PanelSigns
    from placed.domain.sensor_traffic import SensorTraffic
    from placed.domain.state_document import Statement
    from placed.http.api.metrics import Metrics
    from placed.http.api.sensor_webhooks import Webhooks
    from placed.settings.output_settings import Http

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
        catch_up: judges the rooms of an answer before they are shown.
        options: what the settings' files decide, if they were read already.
        limits: the resources that clients may use; by the settings if None.
        webhooks: takes in what sensors are sent for; None if there are none.
        sensors: what they sent, for /metrics; None if there are none.
        actions: carries out the commands of panels; None if there are none.
        commands: returns how many commands had which outcome, for /metrics.
        command_messages: returns how many messages with commands were not used, by reason, for /metrics.
        secret: makes tickets for a check-in by phone; a new one if None, so that earlier tickets end.
        signs: notes which panels are there; None if nobody needs to know.
        no_shows: the numbers of no-shows; None if there are none.
        steady: a clock that is never set, in seconds, for the limits of requests a minute.

    Raises:
        CannotStart: the token or the certificate is missing or invalid.
    """

    def __init__(  # noqa: PLR0913 - what it is made of
        self,
        settings: Http,
        board: Board,
        *,
        now: Callable[[], datetime],
        publisher: DeliveryStatus,
        version: str,
        catch_up: CatchUp,
        options: ListenOptions | None = None,
        limits: Limits | None = None,
        webhooks: Webhooks | None = None,
        sensors: SensorTraffic | None = None,
        actions: CommandSink | None = None,
        commands: Callable[[], Mapping[tuple[Action, Outcome, Refusal | None], int]] = dict,
        command_messages: Callable[[], Mapping[str, int]] = dict,
        secret: bytes | None = None,
        signs: PanelSigns | None = None,
        no_shows: NoShowReport | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = ""
        self._settings = settings
        self._options = options or ListenOptions.of(settings)
        self._limits = limits or Limits(settings.max_clients)
        self._board = board
        self._now = now
        self._publisher = publisher
        self._sensors = SensorsApi(webhooks or NoWebhooks(), steady)
        self._tickets, sink = CheckInTickets(secret or token_bytes(32), now), actions or NoActions()
        panels = PanelGuard(settings, self._options.panels, self._tickets)
        signs = signs or NoSigns()
        self._panel_streams = PanelStreams(panels, sink, signs)
        self._actions = ActionsApi(
            board, sink, now, panels, signs=signs, patience=self._limits.outcome, steady=steady
        )
        self._no_shows = NoShowsApi(no_shows)
        self._qr_codes = QrCodesApi(board, sink, self._tickets, panels, settings.public_url)
        self._handling = RequestHandling(_guard(settings, self._options), board, catch_up, now)
        self._pages = Pages(_assets(settings))
        self._documents = RoomDocuments()
        self._events = EventStream(
            board,
            self._documents,
            now,
            catch_up,
            limit=self._limits.streams,
            panels=self._panel_streams,
        )

        @cache
        def metrics() -> Metrics:
            from placed.http.api.metrics import Metrics  # noqa: PLC0415 - not every site has Prometheus

            return Metrics(
                board,
                publisher,
                now,
                version,
                sse_clients=lambda: self._events.clients,
                sensors=sensors,
                no_shows=no_shows,
                commands=commands,
                unused_commands=lambda: {"mqtt": command_messages(), "http": self._actions.unused},
            )

        self._metrics = metrics  # made with the first scrape
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
        app = application(self._apis(), self._handling)
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
        panels = PanelGuard(settings, options.panels, self._tickets)
        self._actions.guard = self._qr_codes.guard = panels
        self._panel_streams.look(panels)
        self._qr_codes.public_url = settings.public_url
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
        self._panel_streams.look()

    def health_changed(self, health: ConnectionHealth) -> None:
        """A connection's health has changed."""
        self._events.report(health)

    def connection_removed(self, connection: str) -> None:
        """A connection is not in the settings any more."""
        self._events.drop_connection(connection)

    async def _serve_metrics(self, request: web.Request) -> web.StreamResponse:
        return await self._metrics().serve(request)

    def _apis(self) -> Apis:
        return Apis(
            pages=self._pages,
            rooms=RoomsApi(self._board, self._documents, self._now),
            days=RoomDayApi(self._board, self._now),
            connections=ConnectionsApi(self._board, self._publisher),
            qr_codes=self._qr_codes,
            no_shows=self._no_shows,
            events=self._events,
            sensors=self._sensors,
            actions=self._actions,
            health=HealthApi(self._board, self._publisher, self._now),
            metrics=self._serve_metrics,
            description=self._description,
        )


def _guard(settings: Http, options: ListenOptions) -> Guard:
    guarded = options.token is not None or options.tls is not None
    return Guard(host_names(settings, options.address, guarded=guarded), options.token, options.panels)


def _shown(settings: Http) -> tuple[object, ...]:
    """What of the settings the pages depend on."""
    return settings.frame_ancestors, settings.offline_after, settings.public_url is None


def _assets(settings: Http) -> Assets:
    has_qr_codes = settings.public_url is not None
    return Assets(settings.frame_ancestors, settings.offline_after, has_qr_codes=has_qr_codes)
