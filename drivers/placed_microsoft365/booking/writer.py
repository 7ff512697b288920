"""The writer of a connection: composes sign-in, Graph, looking, writing and the trial of the fence."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed.driver import (
    AnswerLost,
    DriverError,
    NotPermitted,
    NotWritten,
    Problem,
    Refused,
    SettingsError,
    Throttled,
    Unclear,
    WriteFailure,
)
from placed.driver.network.response_decompression import BodyTooLarge, DamagedBody
from placed_microsoft365 import fence
from placed_microsoft365.auth.application_permissions import CALENDARS_WRITE
from placed_microsoft365.auth.credential import load_credential
from placed_microsoft365.auth.token_claims import claims_of
from placed_microsoft365.booking.calendar_look import look
from placed_microsoft365.booking.write_answers import result_of
from placed_microsoft365.booking.write_requests import NotAllowedError, request_of
from placed_microsoft365.client_factory import graph_client, token_cache_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from placed.domain.model import Room
    from placed.driver import Booking, Fence, Order, Surroundings, WriteResult
    from placed_microsoft365.auth.credential import Credential
    from placed_microsoft365.booking.write_requests import WriteRequest
    from placed_microsoft365.settings import Actions, Microsoft365Settings

TIMEOUT = 30.0  # seconds for a write; somebody stands at the panel
_REFERENCE = "client-request-id"  # by which Microsoft's support finds a request
_UNCLEAR = (AnswerLost, BodyTooLarge, DamagedBody)  # errors after the request was sent
_FAILURES: tuple[tuple[type[DriverError], WriteFailure], ...] = (
    (NotPermitted, WriteFailure.FORBIDDEN),
    (Refused, WriteFailure.FORBIDDEN),
    (Throttled, WriteFailure.THROTTLED),
)


class Microsoft365Writer:
    """Changes bookings of one connection, with the registration of `actions`; see `BookingWriter`.

    No write is ever repeated here: its caller knows whether it still makes sense.
    """

    def __init__(self, settings: Microsoft365Settings, actions: Actions, surroundings: Surroundings) -> None:
        self._fence = settings.fence
        self._now = surroundings.now
        credential = _credential(actions)
        self._tokens = token_cache_of(settings, credential, surroundings, actions.client_id)
        self._graph = graph_client(settings, self._tokens, surroundings, writes=True)
        self._readable: tuple[str, str | None] | None = None  # the mailbox of a readable room, and the token
        self.credential_expires_at = credential.expires_at

    async def look(self, room: Room, since: datetime, until: datetime) -> Sequence[Booking]:
        """See `placed.driver.BookingWriter.look`."""
        try:
            bookings = await look(self._graph, room, since, until)
        except NotPermitted:
            self._tokens.suspect_grants()
            raise
        self._readable = room.mailbox, self._tokens.latest
        return bookings

    async def write(self, order: Order) -> WriteResult:
        """See `placed.driver.BookingWriter.write`."""
        try:
            request = request_of(order)
            await self._graph.sign_in()
        except NotAllowedError as error:
            return NotWritten(WriteFailure.FORBIDDEN, Problem("", str(error)))
        except DriverError as error:
            return _not_sent(error)
        reference = str(uuid.uuid4())
        request.headers[_REFERENCE] = reference
        try:
            async with asyncio.timeout(TIMEOUT):
                result = await self._send(order, request)
        except _UNCLEAR as error:
            result = Unclear(error.problem)
        except TimeoutError:
            result = Unclear(Problem("", "no answer in time"))
        except DriverError as error:
            return _not_sent(error)
        return msgspec.structs.replace(result, reference=reference)

    async def _send(self, order: Order, request: WriteRequest) -> WriteResult:
        answer = await self._graph.ask_once(request.method, request.path, request.body, request.headers)
        if answer.status == HTTPStatus.UNAUTHORIZED and self._graph.refused(answer):
            # The next request has another token, so this one was not refused for good.
            return NotWritten(WriteFailure.UNAVAILABLE, Problem("", "401, the token was refused"))
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            self._tokens.suspect_grants()
        return result_of(order, request, answer)

    async def try_fence(self, rooms: Sequence[Room] = ()) -> Fence:
        """See `placed.driver.BookingWriter.try_fence`."""
        mailbox, proven = self._readable or (None, None)
        known = [room.mailbox for room in rooms]
        first = [mailbox] if mailbox is not None and (mailbox in known or not known) else []

        async def some_rooms() -> Sequence[str]:
            return [*first, *known]

        result = await fence.try_canaries(
            self._graph, self._fence, self._now(), some_rooms, proven if first else None
        )
        await self._graph.sign_in()
        token = self._tokens.latest
        claims = None if token is None else claims_of(token)
        return fence.with_roles(result, self._fence, claims, wanted=CALENDARS_WRITE)

    async def close(self) -> None:
        """See `placed.driver.BookingWriter.close`."""
        await self._graph.close()


def open_writer(settings: Microsoft365Settings, surroundings: Surroundings) -> Microsoft365Writer:
    """Opens the writer of a connection; see `placed.driver.OffersBooking`."""
    if settings.actions is None:
        raise AssertionError("a connection without actions has no writer")
    return Microsoft365Writer(settings, settings.actions, surroundings)


def _credential(actions: Actions) -> Credential:
    """Loads the credential; one that has expired stops actions at the sign-in, and not the start."""
    try:
        return load_credential(actions)
    except SettingsError as error:
        raise SettingsError(error.problem.at(f"actions.{error.problem.key}")) from None


def _not_sent(error: DriverError) -> NotWritten:
    failure = next((failure for kind, failure in _FAILURES if isinstance(error, kind)), None)
    problem = replace(error.problem, key="")
    return NotWritten(failure or WriteFailure.UNAVAILABLE, problem)
