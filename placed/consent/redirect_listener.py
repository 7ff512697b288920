"""Listens on loopback for the redirect of a consent page.

Any web page in that browser can send requests here too, so an answer is accepted only with the random
state of the link. Any other answer is refused, and the listener continues to wait.

It listens on both 127.0.0.1 and ::1, at the same port, since a browser may take `localhost` for either
(RFC 8252, section 7.3). The port is free to choose: an authorization server accepts any port of a loopback
address (the same section).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import errno
import hashlib
import hmac
import html
import os
import re
import socket
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

from aiohttp import web

from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
_NO_IPV6 = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_TRIES = 16  # attempts to find a port that is free on 127.0.0.1 and ::1
_JUDGING = 90.0  # seconds that the browser waits for the result of its answer
_LEAVING = 5.0  # seconds to send the last page at the end
_STYLE = "body{font:18px/1.5 sans-serif;max-width:36em;margin:4em auto;padding:0 1em}"
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Server": "placed",
    "Cache-Control": "no-store",
    "Connection": "close",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page for the browser: a heading and a paragraph of plain text."""

    heading: str
    text: str
    status: HTTPStatus = HTTPStatus.OK


_FORGED = Page(
    "This answer was refused",
    "It does not belong to the printed link, and changes nothing. If you used that link, open the newest "
    "one again.",
    HTTPStatus.BAD_REQUEST,
)
_AGAIN = Page(
    "This was already answered",
    "See the terminal for the result.",
    HTTPStatus.BAD_REQUEST,
)
_UNDECIDED = Page("The answer has arrived", "See the terminal for the result.")


class Redirect:
    """Listens inside an `async with`.

    Args:
        state: the random state of the link; answers without it are refused.
        port: to listen on, 0 for a free one.
        forged: called for every answer that is refused because of its state.

    Raises (when entered):
        CannotStart: the port is in use or not permitted.
    """

    def __init__(self, state: str, *, port: int = 0, forged: Callable[[], None] = lambda: None) -> None:
        self._state = state.encode()
        self._wanted = port
        self._forged = forged
        self._arrived: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
        self._page: asyncio.Future[Page] = asyncio.get_running_loop().create_future()
        self.port = 0

    @property
    def uri(self) -> str:
        """The redirect address for the link; without a path, as registered."""
        return f"http://localhost:{self.port}"

    async def answer(self) -> Mapping[str, str]:
        """The query of the first answer with the right state; the browser waits for `show`."""
        return await asyncio.shield(self._arrived)

    def show(self, page: Page) -> None:
        """Shows the browser the result of its answer."""
        if not self._page.done():
            self._page.set_result(page)

    async def __aenter__(self) -> Self:
        try:
            sockets = _bind(self._wanted)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            text = f"port {self._wanted} of localhost cannot be listened on: {reason}"
            raise CannotStart(Problem("", text)) from None
        self.port = sockets[0].getsockname()[1]
        app = web.Application()
        app.router.add_get("/", self._redirected, allow_head=False)
        app.on_response_prepare.append(_seal)
        self._runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=_LEAVING)
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        manager = self._runner.server
        assert manager is not None  # noqa: S101 - set up above
        self._servers = [
            await loop.create_server(
                lambda: _Protocol(manager, loop=loop, access_log=None),  # type: ignore[arg-type] # None is no log
                sock=listener,
            )
            for listener in sockets
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.show(_UNDECIDED)
        for server in self._servers:
            server.close()
        await self._runner.cleanup()

    async def _redirected(self, request: web.Request) -> web.Response:
        if not _HOST.fullmatch(request.host.lower()):  # another name that resolves to 127.0.0.1
            return web.Response(status=HTTPStatus.MISDIRECTED_REQUEST, text="Ask for localhost.\n")
        query = request.query
        states = query.getall("state", [])
        right = len(states) == 1 and hmac.compare_digest(states[0].encode(errors="replace"), self._state)
        if not right or len(set(query)) != len(query):
            self._forged()
            return _response(_FORGED)
        if self._arrived.done():
            return _response(_AGAIN)
        self._arrived.set_result(dict(query))
        try:
            async with asyncio.timeout(_JUDGING):
                return _response(await asyncio.shield(self._page))
        except TimeoutError:
            return _response(_UNDECIDED)


class _Protocol(web.RequestHandler):
    """A client. Invalid requests are not quoted in the answer, as aiohttp would do."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - quotes the request
    ) -> web.StreamResponse:
        """Answers with one line and closes the socket."""
        if isinstance(exc, ConnectionError) or request.writer.output_size > 0:
            raise ConnectionError("the client is gone") from exc
        response = web.Response(status=status, text="The request is invalid.\n", headers=_HEADERS)
        response.force_close()
        return response


def _bind(port: int) -> list[socket.socket]:
    """A socket on 127.0.0.1 and, if the machine has IPv6, one on ::1 with the same port.

    Raises:
        OSError: the port is in use on either; the browser could be sent to the other program.
    """
    for tries_left in reversed(range(_TRIES)):
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.create_server(("127.0.0.1", port)))
            chosen = first.getsockname()[1]
            try:
                second = socket.create_server(("::1", chosen), family=socket.AF_INET6)
            except OSError as error:
                if error.errno in _NO_IPV6:
                    stack.pop_all()
                    return [first]
                if port or not tries_left:
                    raise
                continue
            stack.pop_all()
            return [first, second]
    raise AssertionError("the last try has raised")


def _response(page: Page) -> web.Response:
    heading, text = html.escape(page.heading), html.escape(page.text)
    body = (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>placed: consent</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{heading}</h1><p>{text}</p></body>\n</html>\n"
    )
    return web.Response(status=page.status, text=body, content_type="text/html")


async def _seal(_request: web.Request, response: web.StreamResponse) -> None:
    """Adds the headers of every answer; no answer repeats parts of the request."""
    response.headers.update(_HEADERS)
