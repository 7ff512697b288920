"""What every request goes through: it is let in or not, answered, and the answer is sealed.

This is wrapped around aiohttp's application. Middlewares in it and a signal would do the same, and cost a
request more than all else that is done here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from placed.http.errors import Problem, of_aiohttp, unforeseen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed.board.board import Board
    from placed.http.auth import Guard
    from placed.http.headers import Seal

    Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_AS_IT_IS = frozenset({"/metrics", "/readyz", "/healthz"})  # they report whether edges are late
_TRIES = 3  # answers that are made before one is given that is as old as it took to make it

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Gate:
    """Answers every request that can be read.

    Args:
        guard: says who may ask.
        application: answers those who may.
        seal: goes on every answer; one that has begun, as event streams have, was sealed before.
        board: what is answered from.
        catch_up: turns the board to now, if it is not; a process that was stopped over an edge has requests
            waiting when it goes on.
    """

    def __init__(
        self,
        guard: Guard,
        application: Handler,
        seal: Seal,
        board: Board,
        catch_up: Callable[[], None],
    ) -> None:
        self._guard = guard
        self._board = board
        self._catch_up = catch_up
        self._application = application
        self._seal = seal

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Makes every error a problem; what nobody foresaw is logged here, once, and not shown."""
        try:
            await self._guard.check(request)
            response = await self._answer_as_of_now(request)
        except Problem as problem:
            response = problem.response()
        except web.HTTPException as error:
            response = of_aiohttp(error).response()
        except ConnectionError:
            raise  # the client has gone: there is nobody to answer
        except Exception as error:
            _log.exception("http.request_failed", method=request.method, path=request.path)
            if request.writer.output_size > 0:  # half an answer is out: it can only be broken off
                raise ConnectionError("an answer was begun already") from error
            response = unforeseen().response()
        if not response.prepared and "Placed-Time" not in response.headers:
            self._seal.put_on(response.headers)
        return response

    async def _answer_as_of_now(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers by a board that is turned to now; again, where an edge has passed while it was answered."""
        if request.path in _AS_IT_IS:
            return await self._application(request)
        for _ in range(_TRIES):
            time = self._seal.time()  # nothing that is answered has ended at that moment
            self._catch_up()
            before = self._board.turned
            response = await self._application(request)
            if response.prepared:
                return response
            self._seal.put_on(response.headers, time)
            self._catch_up()
            if self._board.turned == before:
                return response
        return response
