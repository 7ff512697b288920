"""What happens to every request and answer, around the handler of its address.

aiohttp's middlewares and signals are not used for it: they cost a fifth of a short answer, and aiohttp keeps
the chains that it makes of them, and so every application that was ever served. Requests that are not valid
HTTP reach no handler; `connection_limits.py` answers them.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from aiohttp import hdrs

from placed.domain.problem import Problem
from placed.domain.timestamps import to_the_millisecond
from placed.http.connection_limits import ClientConnection
from placed.http.errors import HttpError, unforeseen
from placed.http.limits import LARGEST_BODY
from placed.http.responses import PLACED_TIME, complete

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection
    from datetime import datetime

    from aiohttp import web

    from placed.board.board import Board
    from placed.board.judging_before_showing import CatchUp
    from placed.http.auth import Guard

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
    Shown = Callable[[web.Request], Collection[str] | None]

_AS_MANY_CONNECTIONS = Problem(
    "", "There are as many connections as this endpoint takes, or as it takes from one address"
)
_NO_EXPECTATION = Problem("", "No expectation but 100-continue is met")
_TRIES = 3  # answers that are made, before one is sent that an edge has made out of date

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def _not_only_rooms(_request: web.Request) -> None:
    """The answer shows all rooms, or something else."""


class RequestHandling:
    """Admits requests, answers from a board that is up to date, and completes the answers.

    Args:
        guard: refuses requests that may not ask.
        board: the source of the answers.
        catch_up: judges the rooms of an answer before they are shown.
        now: the wall clock, in UTC.

    Attributes:
        guard: may be replaced; it counts from the next request on.
    """

    def __init__(self, guard: Guard, board: Board, catch_up: CatchUp, now: Callable[[], datetime]) -> None:
        self.guard = guard
        self._board = board
        self._catch_up = catch_up
        self._now = now

    def around(
        self,
        handler: Handler,
        *,
        open_to_all: bool = False,
        largest_body: int = LARGEST_BODY,
        shown: Shown = _not_only_rooms,
    ) -> Handler:
        """Has a handler asked only what may be asked, and answers its errors with problems.

        Args:
            handler: answers the requests that are admitted.
            open_to_all: whether no token is needed.
            largest_body: bytes that a request may have.
            shown: the ids of the rooms that the answer to a request shows; None if it shows more.
        """

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                rooms = shown(request) or ()
                self._admit(request, open_to_all=open_to_all, largest_body=largest_body, rooms=rooms)
                response = await handler(request)
            except Exception as error:  # noqa: BLE001 - it is logged there
                response = _failed(request, error)
            if not response.prepared:
                complete(response.headers, self._now)
            return response

        return answer

    def as_of_now(
        self, handler: Handler, shown: Shown = _not_only_rooms, read: Shown | None = None
    ) -> Handler:
        """The same, where the rooms that the answer shows are judged before.

        If a statement of them ends while the answer is made, it is made again.

        Args:
            handler: answers the requests that are admitted.
            shown: the ids of the rooms whose statements the answer shows; None stands for all.
            read: the ids of the rooms that it shows anything of, if that are others; None: it shows more.
        """
        read = read or shown

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                self._admit(request, open_to_all=False, rooms=read(request) or ())
                rooms = shown(request)
                for _ in range(_TRIES):
                    # Nothing in the answer has ended at this moment.
                    time = to_the_millisecond(await self._catch_up.rooms(rooms))
                    before = self._board.ended
                    response = await handler(request)
                    response.headers[PLACED_TIME] = time
                    await self._catch_up.rooms(rooms)
                    if self._board.ended == before:
                        break
            except Exception as error:  # noqa: BLE001 - it is logged there
                response = _failed(request, error)
            complete(response.headers, self._now)
            return response

        return answer

    def _admit(
        self,
        request: web.Request,
        *,
        open_to_all: bool,
        largest_body: int = LARGEST_BODY,
        rooms: Collection[str] = (),
    ) -> None:
        """Refuses requests that may not ask, a large body, and an expectation that is not met."""
        connection = request.protocol
        if isinstance(connection, ClientConnection):
            connection.begin(request)
            if connection.crowded:
                headers = {"Retry-After": "10", "Connection": "close"}
                raise HttpError(HTTPStatus.SERVICE_UNAVAILABLE, _AS_MANY_CONNECTIONS, headers=headers)
        self.guard.check(request, open_to_all=open_to_all, rooms=rooms)
        if request.body_exists and (request.content_length or 0) > largest_body:
            close = {"Connection": "close"}  # the body is not read
            text = f"The body is larger than the {largest_body:,} bytes that this address takes"
            raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Problem("", text), headers=close)
        expected = request.headers.get(hdrs.EXPECT)
        if expected is not None and expected.lower() != "100-continue":
            raise HttpError(HTTPStatus.EXPECTATION_FAILED, _NO_EXPECTATION)


def _failed(request: web.Request, error: Exception) -> web.Response:
    """The answer to an error: a problem. An unforeseen error is logged here, once, and not shown.

    Raises:
        ConnectionError: the client has gone, or a part of the answer is sent: it can only be broken off.
    """
    if isinstance(error, HttpError):
        return error.response()
    if isinstance(error, ConnectionError):
        raise error
    _log.error("http.request_failed", method=request.method, path=request.path, exc_info=True)
    if request.writer.output_size > 0:
        raise ConnectionError("the answer was sent in part") from error
    return unforeseen().response()


async def continue_unanswered(_request: web.Request) -> None:
    """Handles the field `Expect` instead of aiohttp; no address waits for a body."""
