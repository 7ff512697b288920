"""One connection of a client: what aiohttp lacks, over its public API.

That is a deadline for the head of a request, a problem as the answer to what is no HTTP, and an end for
clients that send without an end or do not read what they asked for.
"""

from __future__ import annotations

import socket
import struct
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import EMPTY_PAYLOAD, web
from aiohttp.http_exceptions import LineTooLong

from placed.domain.problem import Problem
from placed.http import limits as fixed
from placed.http.errors import HttpError, of_aiohttp, unforeseen
from placed.http.responses import add_common_fields

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from aiohttp import StreamReader

    from placed.http.limits import Limits

_RESET = struct.pack("ii", 1, 0)  # struct linger: the kernel drops what it has not sent

_TOO_LATE = HttpError(
    HTTPStatus.REQUEST_TIMEOUT, Problem("", "The request did not arrive completely in time")
)
_HEAD_TOO_LARGE = HttpError(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    Problem(
        "", f"A field may have {fixed.LONGEST_FIELD} bytes, and there may be {fixed.MOST_FIELDS} of them"
    ),
)
_LINE_TOO_LONG = HttpError(
    HTTPStatus.REQUEST_URI_TOO_LONG,
    Problem("", f"An address may have {fixed.LONGEST_LINE} bytes with its query"),
)

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class ClientConnection(web.RequestHandler):
    """One connection of a client: aiohttp's handler, with deadlines.

    Args:
        server: aiohttp's server.
        loop: the running one.
        limits: how long everything may take.
        crowded: whether it is beyond a limit, so that the client is answered with 503 only.
        lost: is called when the connection is lost.
    """

    __slots__ = (
        "_answering",
        "_body",
        "_head",
        "_head_deadline",
        "_in_vain",
        "_limits",
        "_lost",
        "_read_deadline",
        "_tcp",
        "_turn",
        "crowded",
    )

    def __init__(
        self,
        server: web.Server,
        loop: asyncio.AbstractEventLoop,
        limits: Limits,
        *,
        crowded: bool,
        lost: Callable[[], None],
    ) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # None is no log
            keepalive_timeout=limits.idle,
            lingering_time=fixed.LINGER,
            max_line_size=fixed.LONGEST_LINE,
            max_field_size=fixed.LONGEST_FIELD,
            max_headers=fixed.MOST_FIELDS,
            auto_decompress=False,  # no body is used
        )
        self._limits = limits
        self.crowded = crowded
        self._lost = lost
        self._turn = loop.call_soon
        self._tcp: asyncio.Transport | None = None
        self._answering = False
        self._body: StreamReader = EMPTY_PAYLOAD  # of the latest request
        self._head = 0  # bytes of a request whose head is not complete
        self._in_vain = 0  # bytes that came while a request is answered
        self._head_deadline = _Deadline(loop, limits.head, self._head_is_due)
        self._read_deadline = _Deadline(loop, limits.patience, self._drop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        assert self.transport is not None  # noqa: S101 - set just now
        self._tcp = self.transport
        self._tcp.set_write_buffer_limits(
            high=1, low=0
        )  # `pause_writing` is called as soon as anything waits
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, fixed.SEND_BUFFER)
        # The kernel ends the connection to a machine that vanished, or that takes in nothing.
        gone = int(1000 * (self._limits.patience + self._limits.head))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, gone)
        self._head_deadline.start()

    def connection_lost(self, exc: BaseException | None) -> None:
        """See `asyncio.Protocol`."""
        self._tcp = None
        self._head_deadline.end()
        self._read_deadline.end()
        self._lost()
        super().connection_lost(exc)

    # --- requests ---

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        idle = not self._answering and self._body.is_eof()
        super().data_received(data)
        if idle:
            self._head += len(data)
            self._head_deadline.start()
            if self._head > fixed.LARGEST_HEAD:  # unless a request is complete, which aiohttp takes up next
                self._next(self._check_head)
        else:
            self._in_vain += len(data)
            if self._in_vain > fixed.IN_VAIN:
                self.force_close()

    def begin(self, request: web.BaseRequest) -> None:
        """The head of a request is complete. It is answered from now on."""
        self._answering = True
        self._body = request.content
        self._head = self._in_vain = 0
        self._head_deadline.stop()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends the rest of an answer."""
        if isinstance(resp, web.HTTPException):  # raised by aiohttp, before there is a handler
            self.begin(request)
            resp = of_aiohttp(resp).response()
            add_common_fields(resp.headers)
            resp.force_close()
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._answering = False

    def _check_head(self) -> None:
        if self._head > fixed.LARGEST_HEAD:
            self._refuse(_HEAD_TOO_LARGE)

    def _next(self, call: Callable[[], None]) -> None:
        """Calls when the handler of a request that was just read has begun: aiohttp wakes a task for it."""
        self._turn(self._turn, call)

    def _head_is_due(self) -> None:
        # After the event loop was held up, the request may just have been read: its handler begins first.
        self._next(self._head_is_late)

    def _head_is_late(self) -> None:
        if self._answering:
            return
        if self._head:
            self._refuse(_TOO_LATE)
        else:  # nothing was asked, as by browsers that connect in advance
            self.force_close()

    def _refuse(self, error: HttpError) -> None:
        """Answers what has not become a request, and ends the connection."""
        if self.transport is not None:
            self.transport.write(_as_bytes(error))
        self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers with a problem, and ends the connection: where the next request begins is not known."""
        if isinstance(exc, ConnectionError):
            raise exc  # the client has gone, or a part of the answer is sent: nothing can be answered
        self.begin(request)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("http.request_failed", path=request.path, exc_info=exc)
            problem = unforeseen()
        else:
            problem = _malformed(status, exc, message)
            _log.debug("http.request_was_malformed", remote=request.remote, status=problem.status.value)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer was sent in part") from exc
        response = problem.response()
        add_common_fields(response.headers)
        response.force_close()
        return response

    # --- answers that wait to be read ---

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`: data waits for the client to read."""
        super().pause_writing()
        self._read_deadline.start()

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`: the client has read all of it."""
        self._read_deadline.stop()
        super().resume_writing()

    def _drop(self) -> None:
        if self._tcp is not None:
            peer: Any = self._tcp.get_extra_info("peername")
            _log.warning(
                "http.reader_was_dropped", remote=peer[0] if peer else None, patience=self._limits.patience
            )
            self._tcp.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._tcp.abort()


class _Deadline:
    """Calls back when some seconds have passed since `start`, unless `stop` came first.

    Both come with every request, so a timer that runs goes on, and checks at its end whether it is still due.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, call: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._call = call
        self._due: float | None = None  # by the loop's clock
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Does nothing if it runs already."""
        if self._due is None:
            self._due = self._loop.time() + self._seconds
            if self._timer is None:
                self._timer = self._loop.call_at(self._due, self._check)

    def stop(self) -> None:
        """Does nothing if it does not run."""
        self._due = None

    def end(self) -> None:
        """Stops it, with its timer."""
        self._due = None
        if self._timer is not None:
            self._timer.cancel()

    def _check(self) -> None:
        due, self._timer = self._due, None
        if due is not None and self._loop.time() < due:
            self._timer = self._loop.call_at(due, self._check)
        elif due is not None:
            self._due = None
            self._call()


def _malformed(status: int, error: BaseException | None, message: str | None) -> HttpError:
    """The problem of a request that is no HTTP. It does not show what was sent, as aiohttp's texts would."""
    if isinstance(error, LineTooLong):
        return _LINE_TOO_LONG if fixed.LONGEST_LINE in error.args else _HEAD_TOO_LARGE
    if message == "Too many headers received":
        return _HEAD_TOO_LARGE
    return HttpError(HTTPStatus(status), Problem("", "That is no HTTP request that can be read"))


def _as_bytes(error: HttpError) -> bytes:
    """The answer to what has not become a request. The connection ends with it."""
    response = error.response()
    add_common_fields(response.headers)
    body = bytes(response.body) if isinstance(response.body, bytes) else b""
    lines = [f"HTTP/1.1 {error.status.value} {error.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    lines += [f"Date: {formatdate(usegmt=True)}", f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body
