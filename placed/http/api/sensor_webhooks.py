"""Webhooks of presence sensors: POST /api/v1/sensors/<name>, with a bearer token for each sensor."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from placed.domain.problem import Problem
from placed.domain.rate_limit import RateLimit
from placed.http.auth import check_token
from placed.http.errors import HttpError
from placed.http.limits import LARGEST_PAYLOAD
from placed.http.request_body import close_if_body, read_body

if TYPE_CHECKING:
    from collections.abc import Callable

_STATUS = {"too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "not_utf8": HTTPStatus.BAD_REQUEST}
# Vendors do not promise the order: a reading that comes late is none that the sender could correct.
_EXPECTED = frozenset(("out_of_order",))
_TRIABLE = frozenset(("no_value", "unusable_value", "no_device", "unknown_device", "unknown_room"))
_TRY = "placed sensors --try FILE shows what a message gives"
_WORDS = {
    "too_large": "The message is larger than 64 KiB",
    "not_utf8": "The message is not UTF-8",
    "no_value": "The message has no value at the place that the settings name",
    "unusable_value": "The value in the message means neither present nor empty, nor a number of people",
    "from_the_future": "The message was measured in the future; a clock is wrong",
    "no_device": "The message names no device",
    "unknown_device": "The device in the message is not in `rooms` of this sensor",
    "unknown_room": "The settings name no room for this message",
}


class Webhooks(Protocol):
    """Takes in what sensors are sent for."""

    def token(self, name: str) -> bytes | None:
        """The token of a sensor's webhook; None if there is no such webhook."""
        ...

    def most_per_minute(self, name: str) -> int:
        """How many messages a minute the webhook takes."""
        ...

    def receive(self, name: str, payload: bytes) -> str | None:
        """Takes in a message; returns why it gives no reading, or None."""
        ...


class NoWebhooks:
    """No sensor has a webhook."""

    def token(self, name: str) -> bytes | None:
        """There is none."""
        del name
        return None

    def most_per_minute(self, name: str) -> int:
        """Is never called."""
        raise LookupError(name)

    def receive(self, name: str, payload: bytes) -> str | None:
        """Is never called."""
        raise LookupError(name, len(payload))


class SensorsApi:
    """Passes messages of webhooks on.

    Args:
        webhooks: take the messages in.
        steady: a clock that is never set, in seconds.
    """

    def __init__(self, webhooks: Webhooks, steady: Callable[[], float]) -> None:
        self._webhooks = webhooks
        self._rate_limit = RateLimit(steady)

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Answers 204 if the message was taken in, else with a problem."""
        name = request.match_info["sensor"]
        try:
            self._check_sender(name, request)
        except HttpError as error:
            error.headers |= close_if_body(request)
            raise
        self._check_rate(name, request)
        payload = await _payload(request)
        self._check_sender(name, request)  # a reload may have removed it meanwhile
        reason = self._webhooks.receive(name, payload)
        if reason is not None and reason not in _EXPECTED:
            status = _STATUS.get(reason, HTTPStatus.UNPROCESSABLE_ENTITY)
            text = _WORDS.get(reason, f"The message gives no reading: {reason}")
            raise HttpError(status, Problem("", text, _TRY if reason in _TRIABLE else ""))
        return web.Response(status=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})

    def _check_sender(self, name: str, request: web.Request) -> None:
        """Refuses a message for a webhook that there is not, or without its token."""
        token = self._webhooks.token(name)
        if token is None:
            remedy = "a table [[sensors]] needs name and token_file"
            raise HttpError(HTTPStatus.NOT_FOUND, Problem("", "There is no webhook with this name", remedy))
        check_token(request.headers, token)

    def _check_rate(self, name: str, request: web.Request) -> None:
        """Refuses a message beyond the limit of its sensor.

        Raises:
            HttpError: it is one too many.
        """
        most = self._webhooks.most_per_minute(name)
        wait = self._rate_limit.wait(name, most)
        if wait:
            text = f"This sensor sends more than {most} messages a minute"
            headers = {"Retry-After": str(math.ceil(wait)), **close_if_body(request)}
            raise HttpError(
                HTTPStatus.TOO_MANY_REQUESTS,
                Problem("", text, "wait for the seconds in Retry-After, and send less often"),
                headers=headers,
            )


async def _payload(request: web.Request) -> bytes:
    return await read_body(request, LARGEST_PAYLOAD, too_large=_WORDS["too_large"], called="message")
