"""Webhooks of presence sensors: POST /api/v1/sensors/<name>, with a bearer token for each sensor."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from aiohttp import web

from placed.domain.problem import Problem
from placed.http.auth import check_token
from placed.http.errors import HttpError
from placed.http.limits import LARGEST_PAYLOAD, PAYLOAD_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLOSE = {"Connection": "close"}  # the rest of the body is not read
_STATUS = {"too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "not_utf8": HTTPStatus.BAD_REQUEST}
# Vendors do not promise the order: a reading that comes late is none that the sender could correct.
_EXPECTED = frozenset(("out_of_order",))
_WORDS = {
    "too_large": "The message is too large",
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

    def receive(self, name: str, payload: bytes) -> str | None:
        """Takes in a message; returns why it gives no reading, or None."""
        ...


class NoWebhooks:
    """No sensor has a webhook."""

    def token(self, name: str) -> bytes | None:
        """There is none."""
        del name
        return None

    def receive(self, name: str, payload: bytes) -> str | None:
        """Is never called."""
        raise LookupError(name, len(payload))


class SensorsApi:
    """Passes messages of webhooks on."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Answers 204 if the message was taken in, else with a problem."""
        name = request.match_info["sensor"]
        token = self._webhooks.token(name)
        if token is None:
            text, remedy = "There is no sensor with this name and a webhook", "Set its token_file"
            raise HttpError(HTTPStatus.NOT_FOUND, Problem("", text, remedy), headers=_if_body(request))
        try:
            check_token(request.headers, token)
        except HttpError as error:
            error.headers |= _if_body(request)
            raise
        reason = self._webhooks.receive(name, await _payload(request))
        if reason is not None and reason not in _EXPECTED:
            status = _STATUS.get(reason, HTTPStatus.UNPROCESSABLE_ENTITY)
            raise HttpError(
                status, Problem("", _WORDS.get(reason, f"The message gives no reading: {reason}"))
            )
        return web.Response(status=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "no-store"})


def _if_body(request: web.Request) -> Mapping[str, str]:
    return _CLOSE if request.body_exists else {}


async def _payload(request: web.Request) -> bytes:
    """The body.

    Raises:
        HttpError: there is none, it is too large, or it does not arrive in time.
    """
    payload = bytearray()
    try:
        async with asyncio.timeout(PAYLOAD_TIME):
            async for part in request.content.iter_any():
                payload += part
                if len(payload) > LARGEST_PAYLOAD:
                    raise HttpError(
                        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Problem("", _WORDS["too_large"]), headers=_CLOSE
                    )
    except TimeoutError:
        problem = Problem("", "The message did not arrive in time")
        raise HttpError(HTTPStatus.REQUEST_TIMEOUT, problem, headers=_CLOSE) from None
    if not payload.strip():
        raise HttpError(HTTPStatus.BAD_REQUEST, Problem("", "The message is empty"))
    return bytes(payload)
