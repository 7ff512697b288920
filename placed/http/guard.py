"""Who may ask: the right host name, the right token, and nothing that we would have to swallow."""

from __future__ import annotations

import hmac
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web

from placed.http.problems import Problem

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware
    from multidict import MultiMapping

    from placed.http.listening import Address

# What tells nothing: whoever watches a process has no token, and a page has to be there to ask for it.
OPEN_TO_ALL = frozenset({"/healthz", "/", "/rooms/{room}", "/static/{version}/{name}"})
_LARGEST_BODY = 16 * 1024  # bytes; no address takes a body, but a client may send a small one by habit
_HOST = re.compile(r"(\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]+))(:\d*)?")
_CLOSE = {"Connection": "close"}  # and with it what the client still sends
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def guard(address: Address, token: bytes | None) -> Middleware:
    """A middleware that lets through who may ask."""
    names = _LOOPBACK_NAMES | {address.host} if address.loopback else None

    @web.middleware
    async def guard_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        check_host(request, names)
        if token is not None and not _is_open(request):
            check_token(request.headers, token)
        if (request.content_length or 0) > _LARGEST_BODY:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "No address here takes a body.", headers=_CLOSE
            )
        return await handler(request)

    return guard_middleware


def _is_open(request: web.Request) -> bool:
    resource = request.match_info.route.resource
    return resource is not None and resource.canonical in OPEN_TO_ALL


def check_host(request: web.BaseRequest, names: frozenset[str] | None) -> None:
    """Refuses a Host that is none of the names; None lets every one pass.

    A web page may have its own name resolve to 127.0.0.1 and then read what is answered there (DNS
    rebinding). The browser still sends the page's name, and by that it is known.
    """
    host = request.headers.get("Host")
    if host is None:
        if request.version >= HttpVersion11:
            raise Problem(HTTPStatus.BAD_REQUEST, "The Host field is missing.")
        return
    if names is not None and _name(host) not in names:
        raise Problem(
            HTTPStatus.MISDIRECTED_REQUEST,
            "This endpoint is for this machine only and answers to localhost, 127.0.0.1 and [::1]."
            " A proxy in front of it has to send one of these as Host.",
        )


def _name(host: str) -> str | None:
    """The host without its port, lower-case; an IPv6 address without its brackets. None if it is no host."""
    found = _HOST.fullmatch(host.lower())
    return (found["address"] or found["name"]) if found else None


def check_token(headers: MultiMapping[str], token: bytes) -> None:
    """Refuses who does not show the token. How long that takes tells nothing about it."""
    scheme, _, shown = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "A bearer token is wanted: Authorization: Bearer <token>.",
            headers={"WWW-Authenticate": 'Bearer realm="placed"'},
        )
    if not hmac.compare_digest(shown.strip().encode(errors="surrogateescape"), token):
        raise Problem(
            HTTPStatus.UNAUTHORIZED,
            "That is not the bearer token of this endpoint.",
            headers={"WWW-Authenticate": 'Bearer realm="placed", error="invalid_token"'},
        )
