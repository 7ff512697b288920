"""A connection to a client: what is no request is a problem too, and nobody may take all day.

aiohttp waits for as long as a client likes, both for a request and for an answer to be read. Here a request
has to come whole in time (else 408), idle connections are let go, and so is who does not read what waits for
it, be it an event stream or the listing of all rooms.
"""

from __future__ import annotations

import socket
import struct
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from placed.http import limits as fixed
from placed.http.errors import Problem, unforeseen
from placed.http.responses import add_common_fields

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from placed.http.client_slots import Place
    from placed.http.limits import Limits

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_FORGET = struct.pack("ii", 1, 0)  # struct linger: on, for no time
_TOO_LATE = Problem(HTTPStatus.REQUEST_TIMEOUT, "The request did not come whole in time.")
_HEAD_TOO_LARGE = Problem(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"A field may have {fixed.LONGEST_FIELD} bytes, and there may be {fixed.MOST_FIELDS} of them.",
)
_LINE_TOO_LONG = Problem(
    HTTPStatus.REQUEST_URI_TOO_LONG, f"An address may have {fixed.LONGEST_LINE} bytes with its query."
)


class Protocol(web.RequestHandler):
    """Answers what comes over one connection.

    Args:
        manager: aiohttp's server.
        loop: the running one.
        limits: how long all may take.
        place: what the connection has taken; it is given back when the connection is lost.
    """

    __slots__ = ("_asking", "_head", "_in_vain", "_limits", "_line", "_place", "_reading", "crowded")

    def __init__(
        self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, limits: Limits, place: Place
    ) -> None:
        super().__init__(
            manager,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # None is no log
            keepalive_timeout=limits.idle,
            lingering_time=fixed.LINGER,
            max_line_size=fixed.LONGEST_LINE,
            max_field_size=fixed.LONGEST_FIELD,
            max_headers=fixed.MOST_FIELDS,
            auto_decompress=False,  # bodies are thrown away as they come
        )
        self.crowded = place.crowded  # there was no place left: this is to be told, and no more
        self._limits = limits
        self._place = place
        self._line: asyncio.Transport | None = None
        self._head = 0  # bytes of a request that has not come whole
        self._in_vain = 0  # bytes since the last one, while that is answered
        self._asking = _Alarm(loop, limits.head, self._come_too_late)  # until a request has come whole
        self._reading = _Alarm(loop, limits.patience, self._drop)  # until the client has read what waits

    # --- the connection ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It begins."""
        super().connection_made(transport)
        assert self.transport is not None  # noqa: S101 - set just now
        self._line = self.transport
        self._line.set_write_buffer_limits(high=1, low=0)  # what waits is known of at once
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, fixed.SEND_BUFFER)
        # Neither does a machine that is gone without a word count as there, nor one that takes in nothing.
        gone = int(1000 * (self._limits.patience + self._limits.head))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, gone)
        self._asking.set()

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is over."""
        self._line = None
        self._asking.end()
        self._reading.end()
        self._place.leave()
        super().connection_lost(exc)

    # --- what comes in ---

    def data_received(self, data: bytes) -> None:
        """Some of a request, or more than one."""
        idle = self._waiter is not None  # nothing is being answered, nor its body swallowed
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            self._head = self._in_vain = 0
            self._asking.stop()
        elif idle and data:
            self._head += len(data)
            if self._head > fixed.LARGEST_HEAD:
                self._refuse(_HEAD_TOO_LARGE)
            else:
                self._asking.set()
        else:
            self._in_vain += len(data)
            if self._in_vain > fixed.IN_VAIN:
                self.force_close()

    def _come_too_late(self) -> None:
        if self._head:
            self._refuse(_TOO_LATE)
        else:  # it has asked for nothing, as browsers do that connect in advance
            self.force_close()

    def _refuse(self, problem: Problem) -> None:
        """Answers what has not come to be a request, and ends."""
        if self.transport is not None:
            self.transport.write(_bytes_of(problem))
        self.force_close()

    # --- what goes out ---

    def pause_writing(self) -> None:
        """Something waits for the client to read."""
        super().pause_writing()
        self._reading.set()

    def resume_writing(self) -> None:
        """It has read all of it."""
        self._reading.stop()
        super().resume_writing()

    def _drop(self) -> None:
        if self._line is not None:
            peer: Any = self._line.get_extra_info("peername")
            _log.warning(
                "http.reader_was_dropped", remote=peer[0] if peer else None, patience=self._limits.patience
            )
            connection = self._line.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)  # what the kernel has, too
            self._line.abort()

    # --- what goes wrong ---

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers with a problem, and ends the connection: where the next request begins is not known."""
        if isinstance(exc, ConnectionError):
            raise exc  # the client has gone, or half an answer is out: there is nothing to answer with
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("http.request_failed", path=request.path, exc_info=exc)
            problem = unforeseen()
        else:
            problem = _malformed(status, exc, message)
            _log.debug("http.request_was_malformed", remote=request.remote, status=problem.status.value)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun already") from exc
        response = problem.response()
        add_common_fields(response.headers)
        response.force_close()
        return response


def _malformed(status: int, error: BaseException | None, message: str | None) -> Problem:
    """Which problem it is. What was sent is not shown again, as aiohttp's own words would."""
    if isinstance(error, LineTooLong):
        return _LINE_TOO_LONG if fixed.LONGEST_LINE in error.args else _HEAD_TOO_LARGE
    if message == "Too many headers received":
        return _HEAD_TOO_LARGE
    return Problem(HTTPStatus(status), "That is no HTTP request that can be read.")


def _bytes_of(problem: Problem) -> bytes:
    """An answer as bytes, for what never came to be a request. The connection ends with it."""
    response = problem.response()
    add_common_fields(response.headers)
    body = bytes(response.body) if isinstance(response.body, bytes) else b""
    lines = [f"HTTP/1.1 {problem.status.value} {problem.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines += [f"Date: {formatdate(usegmt=True)}", f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


class _Alarm:
    """Goes off once, so long after it was set, unless it is stopped before.

    It is set and stopped with every request and portion, so a timer that runs is left to run: when it ends it
    is seen what for.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, call: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._call = call
        self._due: float | None = None  # by the loop's clock
        self._handle: asyncio.TimerHandle | None = None

    def set(self) -> None:
        """Begins to wait, if it does not already."""
        if self._due is None:
            self._due = self._loop.time() + self._seconds
            if self._handle is None:
                self._handle = self._loop.call_at(self._due, self._look)

    def stop(self) -> None:
        """Waits no more, for now."""
        self._due = None

    def end(self) -> None:
        """Waits no more, and is let go of."""
        self._due = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        due, self._handle = self._due, None
        if due is None:
            return
        if self._loop.time() < due:
            self._handle = self._loop.call_at(due, self._look)
            return
        self._due = None
        self._call()
