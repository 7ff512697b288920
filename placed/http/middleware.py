"""aiohttp's middleware and its signal `on_response_prepare`: what happens to every request and answer.

What never reaches them, because it is not valid HTTP, is answered in `connection.py`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from aiohttp import hdrs, web
from multidict import istr

from placed.domain.problem import Problem
from placed.http.errors import HttpError, of_aiohttp, unforeseen
from placed.http.limits import LARGEST_BODY
from placed.http.responses import add_common_fields

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from placed.board.board import Board
    from placed.http.auth import Guard

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_PLACED_TIME = istr("Placed-Time")
_TRIES = 3  # answers that are made, before one is sent that an edge has made out of date

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Middleware:
    """Admits requests, answers from a board that is up to date, and completes the answers.

    Args:
        guard: refuses requests that may not ask.
        board: the source of the answers.
        catch_up: brings the board up to date. A process that was suspended has requests waiting when it
            resumes, and edges that have passed meanwhile.
        now: the wall clock.
    """

    def __init__(
        self, guard: Guard, board: Board, catch_up: Callable[[], None], now: Callable[[], datetime]
    ) -> None:
        self._guard = guard
        self._board = board
        self._catch_up = catch_up
        self._clock = ClockText(now)

    @web.middleware
    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuses requests that may not ask or that expect too much; answers every error with a problem.

        An unforeseen error is logged here, once, and not shown.
        """
        try:
            self._guard.check(request)
            if self._guard.needs_token:
                await self._guard.check_token(request)
            _check_demands(request)
            return await handler(request)
        except HttpError as error:
            return error.response()
        except web.HTTPException as error:
            return of_aiohttp(error).response()
        except ConnectionError:
            raise  # the client has gone: nobody reads an answer
        except Exception as error:
            _log.exception("http.request_failed", method=request.method, path=request.path)
            if request.writer.output_size > 0:  # a part of the answer is sent: it can only be broken off
                raise ConnectionError("the answer was sent in part") from error
            return unforeseen().response()

    def as_of_now(self, handler: Handler) -> Handler:
        """Makes a handler answer from a board that is up to date.

        If an edge passes while the answer is made, it is made again.
        """

        async def answer(request: web.Request) -> web.StreamResponse:
            for _ in range(_TRIES):
                time = self._clock.text()  # nothing in the answer has ended at this moment
                self._catch_up()
                before = self._board.turned
                response = await handler(request)
                response.headers[_PLACED_TIME] = time
                self._catch_up()
                if self._board.turned == before:
                    break
            return response

        return answer

    async def complete(self, _request: web.Request, response: web.StreamResponse) -> None:
        """Adds the header fields that every answer carries, before it is sent.

        `Placed-Time` is the daemon's time: pages show the state of that moment, whatever their own clock
        shows, and `Date` has only seconds.
        """
        add_common_fields(response.headers)
        if _PLACED_TIME not in response.headers:
            response.headers[_PLACED_TIME] = self._clock.text()


class ClockText:
    """The time as RFC 3339 with milliseconds; the text down to the second is made once a second.

    Args:
        now: the wall clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._second = 0  # since 1970, of `_prefix`
        self._prefix = ""

    def text(self) -> str:
        """The time now."""
        moment = self._now()
        second = int(moment.timestamp())
        if second != self._second:
            self._second, self._prefix = second, f"{moment:%Y-%m-%dT%H:%M:%S}"
        return f"{self._prefix}.{moment.microsecond // 1000:03}Z"


async def continue_unanswered(_request: web.Request) -> None:
    """Handles the field `Expect` instead of aiohttp: `admit` checks it, and no address waits for a body."""


def _check_demands(request: web.Request) -> None:
    """Refuses a large body, and an expectation that is not met."""
    if (request.content_length or 0) > LARGEST_BODY:
        close = {"Connection": "close"}  # the body is not read
        problem = Problem("", "No address here takes a body")
        raise HttpError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, problem, headers=close)
    expected = request.headers.get(hdrs.EXPECT)
    if expected is not None and expected.lower() != "100-continue":
        raise HttpError(HTTPStatus.EXPECTATION_FAILED, Problem("", "No expectation but 100-continue is met"))
