"""A server for simulated services: TLS on loopback, for the time of an `async with`."""

from __future__ import annotations

import asyncio
import socket
import tempfile
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web

from placed_simulator.certificates import server_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType

    from placed_simulator.http_messages import RequestRecord

MOST_REQUESTS = 50_000


class LoopbackServer(ABC):
    """Listens on loopback while it is open.

    Attributes:
        url: `https://localhost:PORT`.
        ca_file: the PEM of the authority that signed its certificate; it is there while the server runs.
        requests: what was asked of the services so far, in the order of the answers.
    """

    def __init__(self, *, port: int = 0, directory: Path | None = None) -> None:
        """Make it ready; `directory` keeps the CA file after the end."""
        self.requests: list[RequestRecord] = []
        self.url = ""
        self._port = port
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

    @abstractmethod
    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request."""

    @abstractmethod
    def open_services(self) -> None:
        """Called once, when `url` is known."""

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
            self.open_services()
        self._server = web.Server(self.respond, access_log=None)
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

    def log(self, record: RequestRecord) -> None:
        """Remember a request; in a long run the older half is forgotten now and then."""
        if len(self.requests) >= MOST_REQUESTS:
            del self.requests[: MOST_REQUESTS // 2]
        self.requests.append(record)


def cut(transport: asyncio.Transport) -> None:
    """Ends a connection without a farewell."""
    with suppress(AttributeError):  # Python before 3.11.4, where TLS is over already
        transport.abort()
