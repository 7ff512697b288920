"""The routes of the status endpoint: which address is answered by what, and who may ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from placed.domain.command_message import LARGEST as LARGEST_COMMAND
from placed.http.errors import no_such_address, no_such_method
from placed.http.limits import LARGEST_PAYLOAD
from placed.http.request_handling import continue_unanswered

if TYPE_CHECKING:
    from placed.http.api.actions import ActionsApi
    from placed.http.api.connections import ConnectionsApi
    from placed.http.api.no_shows import NoShowsApi
    from placed.http.api.readiness import HealthApi
    from placed.http.api.room_day import RoomDayApi
    from placed.http.api.room_qr_code import QrCodesApi
    from placed.http.api.rooms import RoomsApi
    from placed.http.api.sensor_webhooks import SensorsApi
    from placed.http.event_stream import EventStream
    from placed.http.pages import Pages
    from placed.http.request_handling import Handler, RequestHandling
    from placed.http.responses import Representation


@dataclass(frozen=True, slots=True)
class Apis:
    """What answers the requests. `metrics`: Prometheus' scrapes; `description`: the OpenAPI document."""

    pages: Pages
    rooms: RoomsApi
    days: RoomDayApi
    connections: ConnectionsApi
    qr_codes: QrCodesApi
    no_shows: NoShowsApi
    events: EventStream
    sensors: SensorsApi
    actions: ActionsApi
    health: HealthApi
    metrics: Handler
    description: Representation


def application(apis: Apis, handling: RequestHandling) -> web.Application:
    """Returns the application with all routes. What is no route is answered with 404."""
    around, as_of_now = handling.around, handling.as_of_now
    app = web.Application()

    def add(path: str, handler: Handler, *, open_to_all: bool = False) -> None:
        refused = around(_refuse_method, open_to_all=open_to_all)  # which methods it has is no secret
        app.router.add_get(path, handler, expect_handler=continue_unanswered)
        app.router.add_route("*", path, refused, expect_handler=continue_unanswered)

    # These reveal nothing. A process monitor has no token, and a page must load before it can ask for it.
    for path, handler in (
        ("/", apis.pages.board),
        ("/rooms/{room:[a-z0-9_-]+}", apis.pages.panel),
        ("/rooms/{room:[a-z0-9_-]+}/day", apis.pages.day),
        ("/worker.js", apis.pages.worker),
        ("/static/{version}/{name:.+}", apis.pages.asset),
        ("/healthz", apis.health.healthz),
    ):
        add(path, around(handler, open_to_all=True), open_to_all=True)
    add("/api/v1/rooms", as_of_now(apis.rooms.rooms))
    add("/api/v1/rooms/{room}", as_of_now(apis.rooms.room, _named_room))
    add("/api/v1/rooms/{room}/qr", as_of_now(apis.qr_codes.code, _named_room))
    add("/api/v1/days", as_of_now(apis.days.days, _no_statement, _asked_rooms))
    add("/api/v1/connections", as_of_now(apis.connections.connections, _no_statement))
    add("/api/v1/connections/{connection}/rooms", as_of_now(apis.connections.rooms, _no_statement))
    add("/api/v1/no-shows", as_of_now(apis.no_shows.no_shows, _no_statement))
    add("/api/v1/events", around(apis.events.serve, shown=_asked_rooms))
    only_post = around(_refuse_all_but_post, open_to_all=True)
    for path, handler, largest in (  # with tokens of their own, of each sensor and of each panel
        ("/api/v1/sensors/{sensor:[a-z0-9][a-z0-9_-]*}", apis.sensors.receive, LARGEST_PAYLOAD),
        ("/api/v1/rooms/{room}/actions", apis.actions.act, LARGEST_COMMAND),
    ):
        app.router.add_post(path, around(handler, open_to_all=True, largest_body=largest))
        app.router.add_route("*", path, only_post, expect_handler=continue_unanswered)
    for path, handler in (
        ("/api/v1/actions/{key}", apis.actions.outcome),
        ("/api/v1/panel", apis.actions.panel),
    ):
        add(path, around(handler, open_to_all=True), open_to_all=True)
    add("/readyz", around(apis.health.readyz))  # these two, and /healthz, report whether edges are late
    add("/metrics", around(apis.metrics))
    add("/openapi.json", around(apis.description.answer))
    nothing = around(_refuse_address)
    app.router.add_route("*", "/{path:.*}", nothing, expect_handler=continue_unanswered)
    return app


def _named_room(request: web.Request) -> tuple[str]:
    return (request.match_info["room"],)


def _asked_rooms(request: web.Request) -> list[str] | None:
    return request.query.getall("room", []) or None


def _no_statement(_request: web.Request) -> tuple[()]:
    """Meetings and connections are not judged; the answer only needs the right time."""
    return ()


async def _refuse_method(_request: web.Request) -> web.StreamResponse:
    raise no_such_method("GET,HEAD")


async def _refuse_all_but_post(_request: web.Request) -> web.StreamResponse:
    raise no_such_method("POST")


async def _refuse_address(_request: web.Request) -> web.StreamResponse:
    raise no_such_address()
