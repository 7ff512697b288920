"""Reads the body of a request: its size and the time that it takes are limited."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import hdrs

from placed.domain.problem import Problem
from placed.http.errors import HttpError
from placed.http.limits import PAYLOAD_TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

CLOSE = {"Connection": "close"}  # the rest of the body is not read


def close_if_body(request: web.Request) -> Mapping[str, str]:
    """The header fields of a refusal before the body is read."""
    return CLOSE if request.body_exists else {}


async def read_body(request: web.Request, largest: int, *, too_large: str, called: str) -> bytes:
    """The body.

    Args:
        request: the request.
        largest: bytes that it may have.
        too_large: what a larger one is answered.
        called: what the body is, in other problems.

    Raises:
        HttpError: there is none, it is compressed, too large, or does not arrive in time.
    """
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").strip().lower() != "identity":
        problem = Problem("", f"The {called} is compressed", "send it without Content-Encoding")
        status, headers = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {"Accept-Encoding": "identity", **CLOSE}
        raise HttpError(status, problem, headers=headers)
    body = bytearray()
    try:
        async with asyncio.timeout(PAYLOAD_TIME):
            async for part in request.content.iter_any():
                body += part
                if len(body) > largest:
                    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                    raise HttpError(status, Problem("", too_large), headers=CLOSE)
    except TimeoutError:
        problem = Problem("", f"The {called} did not arrive in time")
        raise HttpError(HTTPStatus.REQUEST_TIMEOUT, problem, headers=CLOSE) from None
    if not body.strip():
        raise HttpError(HTTPStatus.BAD_REQUEST, Problem("", f"The {called} is empty"))
    return bytes(body)
