"""The writer of a connection: composes sign-in, the API, looking, writing and the trial of the fence."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

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
from placed_google import fence
from placed_google.auth.scopes import CHANGE_EVENTS
from placed_google.booking.calendar_look import look
from placed_google.booking.write_answers import result_of
from placed_google.booking.write_requests import NotAllowedError, request_of
from placed_google.client_factory import Clients, load_credential

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from placed.domain.model import Room
    from placed.driver import Booking, Fence, Order, Surroundings, WriteResult
    from placed_google.booking.write_requests import WriteRequest
    from placed_google.settings import Actions, GoogleSettings

TIMEOUT = 30.0  # seconds for a write; somebody stands at the panel
_JSON = "application/json"
_UNCLEAR = (AnswerLost, BodyTooLarge, DamagedBody)  # errors after the request was sent
_FAILURES: tuple[tuple[type[DriverError], WriteFailure], ...] = (
    (NotPermitted, WriteFailure.FORBIDDEN),
    (Refused, WriteFailure.FORBIDDEN),
    (Throttled, WriteFailure.THROTTLED),
)


class GoogleWriter:
    """Changes bookings of one connection, as the service account of `actions`; see `BookingWriter`.

    No write is ever repeated here: its caller knows whether it still makes sense.
    """

    credential_expires_at = None  # a key does not expire by itself

    def __init__(self, settings: GoogleSettings, actions: Actions, surroundings: Surroundings) -> None:
        self._fence = settings.fence
        self._now = surroundings.now
        self._own_zone = "time_zone" not in settings.model_fields_set
        self._clients = writing_clients(settings, actions, surroundings)
        self._events = self._clients.events
        self._readable: str | None = None  # the calendar of a room that was looked at

    async def look(self, room: Room, since: datetime, until: datetime) -> Sequence[Booking]:
        """See `placed.driver.BookingWriter.look`."""
        bookings = await look(self._events, room, since, until, own_zone=self._own_zone)
        self._readable = room.mailbox
        return bookings

    async def write(self, order: Order) -> WriteResult:
        """See `placed.driver.BookingWriter.write`."""
        try:
            request = request_of(order)
            await self._events.sign_in()
        except NotAllowedError as error:
            return NotWritten(WriteFailure.FORBIDDEN, Problem("", str(error)))
        except DriverError as error:
            return _not_sent(error)
        try:
            async with asyncio.timeout(TIMEOUT):
                return await self._send(order, request)
        except _UNCLEAR as error:
            return Unclear(error.problem, request.reference)
        except TimeoutError:
            return Unclear(Problem("", "no answer in time"), request.reference)
        except DriverError as error:
            return _not_sent(error)

    async def _send(self, order: Order, request: WriteRequest) -> WriteResult:
        content_type = _JSON if request.body is not None else ""
        reply = await self._events.ask_once(
            request.method, request.path, request.body, content_type, request.headers
        )
        if reply.status == HTTPStatus.UNAUTHORIZED and self._events.refused(reply):
            # The next request has another token, so this one was not refused for good.
            problem = Problem("", "401, the token was refused")
            return NotWritten(WriteFailure.UNAVAILABLE, problem, request.reference)
        return result_of(order, request, reply, self._events.meaning(reply))

    async def try_fence(self, rooms: Sequence[Room] = ()) -> Fence:
        """See `placed.driver.BookingWriter.try_fence`.

        The account's role on the rooms' calendars is meant to write. Delegation is not: who is granted it can
        change the calendars of everybody.
        """
        known = [room.mailbox for room in rooms]
        readable = self._readable
        first = [readable] if readable is not None and (readable in known or not known) else []
        result = await fence.try_canaries(self._events, self._fence, self._now(), [*first, *known])
        delegated = await self._clients.impersonation.result(self._fence.canaries)
        return fence.with_excess(result, (), delegated=delegated)

    async def close(self) -> None:
        """See `placed.driver.BookingWriter.close`."""
        await self._clients.close()


def open_writer(settings: GoogleSettings, surroundings: Surroundings) -> GoogleWriter:
    """Opens the writer of a connection; see `placed.driver.OffersBooking`."""
    if settings.actions is None:
        raise AssertionError("a connection without actions has no writer")
    return GoogleWriter(settings, settings.actions, surroundings)


def writing_clients(settings: GoogleSettings, actions: Actions, surroundings: Surroundings) -> Clients:
    """Returns the clients of the account that writes.

    Raises:
        SettingsError: its key file is invalid, or of the account that reads.
    """
    own = {"key_file": actions.key_file, "workload_identity": None, "subject": None}
    try:
        clients = Clients(settings.model_copy(update=own), surroundings, events_scope=CHANGE_EVENTS)
    except SettingsError as error:
        if error.problem.key != "key_file":
            raise
        raise SettingsError(error.problem.at("actions.key_file")) from None
    if clients.account.lower() == load_credential(settings).email.lower():
        text = f"{actions.key_file} is of the account that reads"
        remedy = "make a service account of its own for actions, and share the rooms with it"
        raise SettingsError(Problem("actions.key_file", text, remedy))
    return clients


def _not_sent(error: DriverError) -> NotWritten:
    failure = next((failure for kind, failure in _FAILURES if isinstance(error, kind)), None)
    problem = replace(error.problem, key="")
    return NotWritten(failure or WriteFailure.UNAVAILABLE, problem)
