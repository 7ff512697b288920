"""The simulated tenant on a socket: TLS on loopback, login host and Graph host in one."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from placed_microsoft365.simulator.certificates import server_context
from placed_microsoft365.simulator.connection_settings import ConnectionSettings
from placed_microsoft365.simulator.control import PREFIX as CONTROL
from placed_microsoft365.simulator.control import Control
from placed_microsoft365.simulator.faults.fault import Kind, Where
from placed_microsoft365.simulator.graph.service import Graph
from placed_microsoft365.simulator.http_messages import Reply, Request, RequestRecord, graph_error
from placed_microsoft365.simulator.login.access_tokens import TokenRefusedError
from placed_microsoft365.simulator.login.service import LoginHost
from placed_microsoft365.simulator.tenant.app_access import App, Caller

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
    from types import TracebackType

    from placed_microsoft365.simulator.tenant.tenant import Tenant

VERSION = "/v1.0"
MOST_REQUESTS = 50_000
NOBODY = Caller(App(client_id="", object_id="", name="nobody"), frozenset())
"""The caller without a token."""


class Simulator:
    """A server for one tenant, for the time of an `async with`.

    Attributes:
        url: `https://localhost:PORT`, the base of the login host and of Graph at once.
        ca_file: the PEM of the authority that signed its certificate; it is there while the server runs.
        requests: what was asked of login and Graph so far, in the order of the answers.
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
        self.tenant = tenant
        self.requests: list[RequestRecord] = []
        self.url = ""
        self._port = port
        self._sleep = sleep
        self._directory = directory
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    async def __aenter__(self) -> Self:
        """Begin to listen."""
        if self._directory is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="placed-simulator-")
        try:
            self._tls = server_context(self.ca_file)
            await self._listen()
        except BaseException:
            self._clean_up()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop listening; clients that still wait for an answer are disconnected."""
        await self._hang_up()
        self._clean_up()

    def _clean_up(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """Nobody listens at the port meanwhile: connections are cut, new ones refused."""
        await self._hang_up()
        try:
            yield
        finally:
            await self._listen()

    async def _listen(self) -> None:
        """At the port that was asked for or, the second time, had before."""
        listener = socket.create_server(("127.0.0.1", self._port), backlog=1024)
        self._port = listener.getsockname()[1]
        if not self.url:
            self.url = f"https://localhost:{self._port}"
            self._graph = Graph(self.tenant, self.url, self._sleep)
            self._login = LoginHost(self.tenant, self.url, self._sleep)
            self._control = Control(self.tenant, self.requests)
        self._server = web.Server(self._handle, access_log=None)
        self._runner = web.ServerRunner(self._server, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, listener, ssl_context=self._tls).start()

    async def _hang_up(self) -> None:
        """Nobody is waited for: a client that left without a word would be, for half a minute of TLS."""
        transports = [connection.transport for connection in self._server.connections]
        await self._runner.cleanup()
        for transport in transports:
            if transport is not None:
                cut(transport)
        await asyncio.sleep(0)  # they are closed in the next turn of the loop

    @property
    def ca_file(self) -> Path:
        """Where the authority's certificate is."""
        folder = self._temporary.name if self._temporary is not None else self._directory
        if folder is None:
            raise RuntimeError("the simulator does not run")
        return Path(folder) / "ca.pem"

    def clear_requests(self) -> None:
        """Forget what was asked so far."""
        self.requests.clear()

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

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
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
            return _response(asked, self._control.answer(asked))
        if path.startswith(f"{VERSION}/"):
            asked, reply = await self._ask_graph(asked)
        else:
            reply = await self._login.answer(asked)
        record = RequestRecord(asked.moment, asked.method, path, reply.status, tuple(asked.items))
        self._log(record)
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

    def _log(self, record: RequestRecord) -> None:
        """Remember the request; in a long run the older half is forgotten now and then."""
        if len(self.requests) >= MOST_REQUESTS:
            del self.requests[: MOST_REQUESTS // 2]
        self.requests.append(record)

    async def _ask_graph(self, asked: Request) -> tuple[Request, Reply]:
        """The request with its caller, and the reply; a token that is not good gets 401."""
        try:
            caller = self._graph.authenticate(asked.headers.get("authorization"))
        except TokenRefusedError as error:
            return asked, _unauthorized(asked, str(error))
        asked = replace(asked, caller=caller)
        return asked, await self._graph.answer(asked)


def cut(transport: asyncio.Transport) -> None:
    """Ends a connection without a farewell."""
    with suppress(AttributeError):  # Python before 3.11.4, where TLS is over already
        transport.abort()


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
