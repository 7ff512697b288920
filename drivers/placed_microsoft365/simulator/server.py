"""The simulated tenant on a socket: TLS on loopback, login host and Graph host in one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email.utils import format_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import web

from placed_microsoft365.simulator.connection_settings import ConnectionSettings
from placed_microsoft365.simulator.control import control_of
from placed_microsoft365.simulator.faults.fault import Kind, Where
from placed_microsoft365.simulator.graph.service import Graph
from placed_microsoft365.simulator.http_messages import Request, graph_error
from placed_microsoft365.simulator.login.access_tokens import TokenRefusedError
from placed_microsoft365.simulator.login.service import LoginHost
from placed_microsoft365.simulator.tenant.app_access import App, Caller
from placed_simulator.control_call import PREFIX as CONTROL
from placed_simulator.http_messages import Reply, RequestRecord
from placed_simulator.loopback_server import LoopbackServer, cut

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from pathlib import Path

    from placed_microsoft365.simulator.tenant.tenant import Tenant

VERSION = "/v1.0"
NOBODY = Caller(App(client_id="", object_id="", name="nobody"), frozenset())
"""The caller without a token."""


class Simulator(LoopbackServer):
    """A server for one tenant, for the time of an `async with`.

    Its `url` is the base of the login host and of Graph at once.
    """

    def __init__(
        self,
        tenant: Tenant,
        *,
        port: int = 0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        directory: Path | None = None,
    ) -> None:
        """Make it ready; `sleep` waits for delayed answers, `directory` keeps the CA file after the end."""
        super().__init__(port=port, directory=directory)
        self.tenant = tenant
        self._sleep = sleep

    def open_services(self) -> None:
        """The login host, Graph, and the control interface."""
        self._graph = Graph(self.tenant, self.url, self._sleep)
        self._login = LoginHost(self.tenant, self.url, self._sleep)
        self._control = control_of(self.tenant, self.requests)

    def settings_toml(  # noqa: PLR0913 - a connection has this many settings
        self,
        app: App,
        *,
        name: str = "contoso",
        client_secret_file: Path | None = None,
        certificate: Path | None = None,
        rooms: Iterable[str] = (),
        room_group: str | None = None,
        room_list: str | None = None,
        time_zone: str = "UTC",
    ) -> str:
        """The `[[connections]]` table with which a daemon reads this tenant as that app.

        Of `client_secret_file` and `certificate` one is given, and of `rooms`, `room_group` and `room_list`
        one.
        """
        return ConnectionSettings(
            name=name,
            tenant=self.tenant.domain,
            client_id=app.client_id,
            host=self.url,
            ca_file=self.ca_file,
            client_secret_file=client_secret_file,
            certificate=certificate,
            rooms=tuple(rooms),
            room_group=room_group,
            room_list=room_list,
            time_zone=time_zone,
        ).toml()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer of the service that the path belongs to."""
        path = request.raw_path
        asked = Request(
            method=request.method,
            target=path.removeprefix(VERSION),
            headers={key.lower(): value for key, value in request.headers.items()},
            caller=NOBODY,
            request_id=self.tenant.new_id("request"),
            moment=self.tenant.now(),
            body=await request.read(),
        )
        if path.startswith(CONTROL):
            return _response(asked, self._control.answer(asked.method, path, asked.body))
        if path.startswith(f"{VERSION}/"):
            asked, reply = await self._ask_graph(asked)
        else:
            reply = await self._login.answer(asked)
        record = RequestRecord(asked.moment, asked.method, path, reply.status, tuple(asked.items))
        self.log(record)
        if reply.dropped and request.transport is not None:
            cut(request.transport)
        return _response(asked, self._dated(path, reply))

    def _dated(self, path: str, reply: Reply) -> Reply:
        """With another `Date`, if a fault has it so."""
        fault = self.tenant.faults.take(frozenset({Kind.DATE}), frozenset({_part_of(path)}))
        if fault is None:
            return reply
        age = () if fault.age is None else (("Age", fault.age),)
        return replace(reply, headers=(*reply.headers, ("Date", fault.detail), *age))

    async def _ask_graph(self, asked: Request) -> tuple[Request, Reply]:
        """The request with its caller, and the reply; a token that is not good gets 401."""
        try:
            caller = self._graph.authenticate(asked.headers.get("authorization"))
        except TokenRefusedError as error:
            return asked, _unauthorized(asked, str(error))
        asked = replace(asked, caller=caller)
        return asked, await self._graph.answer(asked)


def _part_of(path: str) -> Where:
    """Which part of the services a path is of."""
    if path.startswith(f"{VERSION}/"):
        return Where.GRAPH
    return Where.LOGIN if "/token" in path else Where.DISCOVERY


def _unauthorized(asked: Request, message: str) -> Reply:
    reply = graph_error(asked, HTTPStatus.UNAUTHORIZED, "InvalidAuthenticationToken", message)
    return replace(reply, headers=(("WWW-Authenticate", 'Bearer realm="", error="invalid_token"'),))


def _response(asked: Request, reply: Reply) -> web.Response:
    """With the ids and the clock of the service (Microsoft: graph/best-practices-concept)."""
    headers = {
        "Cache-Control": "private",
        "Date": format_datetime(asked.moment, usegmt=True),
        "request-id": asked.request_id,
        "client-request-id": asked.client_request_id,
        "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Simulated"}}',
        **dict(reply.headers),
    }
    if reply.body:
        headers["Content-Type"] = reply.content_type
    return web.Response(status=reply.status or HTTPStatus.OK, body=reply.body, headers=headers)
