"""What goes for every answer, also to a request that is no HTTP and so never gets to a route."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from placed.http.problems import Problem, unforeseen

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_HEADERS = {
    "Server": "placed",  # without a version: that is for those who may read /metrics
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def seal(headers: MutableMapping[str, str]) -> None:
    """Adds what every answer carries."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers["Server"] = _HEADERS["Server"]  # aiohttp has put its own by now


async def seal_response(_request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`."""
    seal(response.headers)


async def expect(request: web.Request) -> web.Response | None:
    """Answers an `Expect` that is none of ours. 100-continue needs no word: no address waits for a body."""
    if request.headers["Expect"].lower() == "100-continue":
        return None
    return Problem(HTTPStatus.EXPECTATION_FAILED, "No expectation but 100-continue is met.").response()


class Protocol(web.RequestHandler):
    """A connection. Answers what can not be parsed as everything else is answered."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - quotes what was sent
    ) -> web.StreamResponse:
        """Answers with a problem, and ends the connection: where the next request begins is not known."""
        if isinstance(exc, ConnectionError):
            raise exc  # the client has gone, or half an answer is out: there is nothing to answer with
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("http.request_failed", path=request.path, exc_info=exc)
            problem = unforeseen()
        else:
            _log.debug("http.request_was_malformed", remote=request.remote, status=status)
            problem = Problem(HTTPStatus(status), "That is no HTTP request that can be read.")
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already") from exc
        response = problem.response()
        seal(response.headers)
        response.force_close()
        return response
