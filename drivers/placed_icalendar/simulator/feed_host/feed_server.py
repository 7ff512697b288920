"""The simulated host of feeds on a socket: TLS on loopback."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from email.utils import format_datetime
from typing import TYPE_CHECKING

from aiohttp import web

from placed_icalendar.simulator.feed_host.feed_answers import FeedAnswer, Sending, answer_of
from placed_icalendar.simulator.feed_host.feed_control import control_of
from placed_icalendar.simulator.feed_host.feed_faults import Kind
from placed_simulator.control_call import PREFIX as CONTROL
from placed_simulator.http_messages import RequestRecord
from placed_simulator.loopback_server import LoopbackServer, cut

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from placed_icalendar.simulator.feed_host.publisher import Publisher

_DRIP = 0.05  # seconds between the bytes of a slow answer
_PIECE = 16  # bytes


class FeedHost(LoopbackServer):
    """A server for one publisher, for the time of an `async with`.

    Attributes:
        under_way: requests for feeds that are being answered.
        most_at_once: how many there were at most.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        port: int = 0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        directory: Path | None = None,
    ) -> None:
        """Make it ready; `sleep` waits between the bytes of a slow answer, `directory` keeps the CA file."""
        super().__init__(port=port, directory=directory)
        self.publisher = publisher
        self.under_way = 0
        self.most_at_once = 0
        self._sleep = sleep
        self._hung = asyncio.Event()

    def open_services(self) -> None:
        """The control interface."""
        self._control = control_of(self.publisher, self.requests, self.link_of)

    def link_of(self, address: str) -> str:
        """The address of a room's feed."""
        return f"{self.url}{self.publisher.room(address).path}"

    async def hung(self) -> None:
        """Waits until a request is left without an answer."""
        await self._hung.wait()
        self._hung.clear()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request for a feed, or to one of the control interface."""
        target, moment = request.raw_path, self.publisher.now()
        if target.startswith(CONTROL):
            reply = self._control.answer(request.method, target, await request.read())
            return web.Response(status=reply.status, body=reply.body, content_type="application/json")
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            return await self._answer(request, target, moment)
        finally:
            self.under_way -= 1

    async def _answer(self, request: web.BaseRequest, target: str, moment: datetime) -> web.StreamResponse:
        headers = {key.lower(): value for key, value in request.headers.items()}
        answer = answer_of(self.publisher, target, headers) if request.method == "GET" else FeedAnswer(405)
        status = 0 if answer.sending in (Sending.DROP, Sending.NEVER) else answer.status
        self.log(RequestRecord(moment, request.method, target, status))
        sent = {**answer.headers, **self._date(target, moment)}
        if answer.sending is Sending.WHOLE:
            return web.Response(status=answer.status, body=answer.body, headers=sent)
        return await self._stream(request, answer, sent)

    async def _stream(
        self, request: web.BaseRequest, answer: FeedAnswer, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=headers)
        if answer.sending is Sending.DROP and request.transport is not None:
            cut(request.transport)
            return response
        if answer.sending is Sending.NEVER:
            self._hung.set()
            await asyncio.get_running_loop().create_future()
        response.enable_chunked_encoding()
        await response.prepare(request)
        with suppress(ConnectionResetError):  # the client has left
            await self._write(request, response, answer)
        return response

    async def _write(
        self, request: web.BaseRequest, response: web.StreamResponse, answer: FeedAnswer
    ) -> None:
        middle = len(answer.body) // 2
        if answer.sending is Sending.DRIP:
            while True:  # until the client leaves
                await response.write(answer.body[:_PIECE])
                await self._sleep(_DRIP)
        await response.write(answer.body[:middle])
        if answer.sending is Sending.CUT and request.transport is not None:
            cut(request.transport)
            return
        await response.write(answer.body[middle:])
        await response.write_eof()

    def _date(self, target: str, moment: datetime) -> dict[str, str]:
        """`Date` by the host's clock, or another if a fault has it so."""
        room = self.publisher.at(target)
        fault = None if room is None else self.publisher.faults.hit(room.address, Kind.DATE)
        if fault is None:
            return {"Date": format_datetime(moment + self.publisher.clock_ahead, usegmt=True)}
        return {"Date": fault.detail, **({} if fault.age is None else {"Age": fault.age})}
