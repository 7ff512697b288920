"""What goes for every answer, also to a request that is no HTTP and so never gets to a route."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from datetime import datetime

    from aiohttp import web

_HEADERS = {
    "Server": "placed",  # without a version: that is for those who may read /metrics
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",  # no page of another site may so much as embed it
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


def seal(headers: MutableMapping[str, str]) -> None:
    """Adds what every answer carries."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers["Server"] = _HEADERS["Server"]  # aiohttp has put its own by now


def sealing(
    now: Callable[[], datetime],
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """For `on_response_prepare`: seals an answer, and tells the time.

    Pages go by our clock, whatever theirs says, and `Date` has only seconds.
    """

    async def seal_response(_request: web.Request, response: web.StreamResponse) -> None:
        seal(response.headers)
        # Not by `timestamp`, which remembers what it has said: this moment does not come again.
        response.headers["Placed-Time"] = f"{now().isoformat(timespec='milliseconds')[: -len('+00:00')]}Z"

    return seal_response


async def expect(request: web.Request) -> web.Response | None:
    """Answers an `Expect` that is none of ours. 100-continue needs no word: no address waits for a body."""
    if request.headers["Expect"].lower() == "100-continue":
        return None
    return Problem(HTTPStatus.EXPECTATION_FAILED, "No expectation but 100-continue is met.").response()


def bare(problem: Problem) -> bytes:
    """An answer as bytes, for what never came to be a request. The connection ends with it."""
    response = problem.response()
    seal(response.headers)
    body = bytes(response.body) if isinstance(response.body, bytes) else b""
    status = problem.status
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines += [f"Date: {formatdate(usegmt=True)}", f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body
