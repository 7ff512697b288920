"""Who may ask: the right host name, the right token, and nothing that we would have to swallow."""

from __future__ import annotations

import hmac
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, hdrs, web

from placed.http.errors import Problem
from placed.http.limits import LARGEST_BODY

if TYPE_CHECKING:
    from multidict import MultiMapping

    from placed.http.host_names import Hosts

# What tells nothing: whoever watches a process has no token, and a page has to be there to ask for it.
OPEN_TO_ALL = frozenset({"/healthz", "/", "/rooms/{room}", "/worker.js", "/static/{version}/{name}"})
_CLOSE = {"Connection": "close"}  # and with it what the client still sends


class Guard:
    """Lets through who may ask.

    Args:
        hosts: the names that are answered.
        token: that has to be shown; None if none.
        router: tells what is asked for.
    """

    def __init__(self, hosts: Hosts, token: bytes | None, router: web.UrlDispatcher) -> None:
        self._hosts = hosts
        self._answers_to = lru_cache(maxsize=32)(hosts.answer)  # a client says the same each time
        self._token = token
        self._router = router

    async def check(self, request: web.BaseRequest) -> None:
        """Refuses who may not ask.

        Raises:
            Problem: says why.
        """
        if getattr(request.protocol, "crowded", False):
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "There are as many connections as this endpoint takes, or as it takes from one address.",
                headers={"Retry-After": "10", **_CLOSE},
            )
        self._check_host(request)
        if self._token is not None:
            await self._check_token(request, self._token)
        if (request.content_length or 0) > LARGEST_BODY:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "No address here takes a body.", headers=_CLOSE
            )

    def _check_host(self, request: web.BaseRequest) -> None:
        host = request.headers.get(hdrs.HOST)
        if host is None:
            if request.version >= HttpVersion11:
                raise Problem(HTTPStatus.BAD_REQUEST, "The Host field is missing.")
            return
        if not self._answers_to(host):
            raise Problem(HTTPStatus.MISDIRECTED_REQUEST, self._hosts.detail)

    async def _check_token(self, request: web.BaseRequest, token: bytes) -> None:
        try:
            check_token(request.headers, token)
        except Problem:
            if not await self._is_open(request):
                raise

    async def _is_open(self, request: web.BaseRequest) -> bool:
        assert isinstance(request, web.Request)  # noqa: S101 - the application makes them
        match = await self._router.resolve(request)
        if isinstance(match.http_exception, web.HTTPMethodNotAllowed):
            # Of an address that is open it is no secret which methods it knows.
            match = await self._router.resolve(request.clone(method="GET"))
        resource = match.route.resource
        return resource is not None and resource.canonical in OPEN_TO_ALL


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
