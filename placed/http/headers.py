"""What goes for every answer, also to a request that is no HTTP and so never gets to a route."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

from multidict import istr

from placed.http.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from datetime import datetime

    from aiohttp import web

_SERVER = istr("Server")
_PLACED_TIME = istr("Placed-Time")
_HEADERS = {
    _SERVER: "placed",  # without a version: that is for those who may read /metrics
    istr("X-Content-Type-Options"): "nosniff",
    istr("Referrer-Policy"): "no-referrer",
    istr("Cross-Origin-Resource-Policy"): "same-origin",  # no page of another site may so much as embed it
    istr("Content-Security-Policy"): (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


def seal(headers: MutableMapping[str, str]) -> None:
    """Adds what every answer carries, before aiohttp adds a `Server` of its own."""
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)


class Seal:
    """Seals an answer, and tells the time.

    Pages go by our clock, whatever theirs says, and `Date` has only seconds.

    Args:
        now: the clock on the wall.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._second = 0  # since 1970, that was told last
        self._told = ""  # as far as the second goes

    def put_on(self, headers: MutableMapping[str, str], time: str | None = None) -> None:
        """Has to come before the answer is begun; `time` is that of now if None."""
        seal(headers)
        headers[_PLACED_TIME] = time or self.time()

    def time(self) -> str:
        """The time as RFC 3339 with milliseconds."""
        moment = self._now()
        second = int(moment.timestamp())
        if second != self._second:
            self._second, self._told = second, f"{moment:%Y-%m-%dT%H:%M:%S}"
        return f"{self._told}.{moment.microsecond // 1000:03}Z"


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
