"""Who may ask: the right host name, the right token, and nothing that we would have to swallow."""

from __future__ import annotations

import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web

from placed.http.limits import LARGEST_BODY
from placed.http.problems import Problem

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler, Middleware
    from multidict import MultiMapping

    from placed.http.hosts import Hosts

# What tells nothing: whoever watches a process has no token, and a page has to be there to ask for it.
OPEN_TO_ALL = frozenset({"/healthz", "/", "/rooms/{room}", "/static/{version}/{name}"})
_CLOSE = {"Connection": "close"}  # and with it what the client still sends


def guard(hosts: Hosts, token: bytes | None) -> Middleware:
    """A middleware that lets through who may ask."""

    @web.middleware
    async def guard_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if getattr(request.protocol, "crowded", False):
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "There are as many connections as this endpoint takes, or as it takes from one address.",
                headers={"Retry-After": "10", **_CLOSE},
            )
        check_host(request, hosts)
        if token is not None and not await _is_open(request):
            check_token(request.headers, token)
        if (request.content_length or 0) > LARGEST_BODY:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "No address here takes a body.", headers=_CLOSE
            )
        return await handler(request)

    return guard_middleware


async def _is_open(request: web.Request) -> bool:
    match = request.match_info
    if isinstance(match.http_exception, web.HTTPMethodNotAllowed):
        # Of an address that is open it is no secret which methods it knows.
        match = await request.app.router.resolve(request.clone(method="GET"))
    resource = match.route.resource
    return resource is not None and resource.canonical in OPEN_TO_ALL


def check_host(request: web.BaseRequest, hosts: Hosts) -> None:
    """Refuses a Host that is not answered."""
    host = request.headers.get("Host")
    if host is None:
        if request.version >= HttpVersion11:
            raise Problem(HTTPStatus.BAD_REQUEST, "The Host field is missing.")
        return
    if not hosts.answer(host):
        raise Problem(HTTPStatus.MISDIRECTED_REQUEST, hosts.detail)


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
