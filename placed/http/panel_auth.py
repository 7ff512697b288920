"""Which panel sends a request, by its token, and whether a browser sends it for a page of ours."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import hdrs

from placed.domain.problem import Problem
from placed.http.auth import bearer
from placed.http.errors import HttpError
from placed.http.request_body import close_if_body

if TYPE_CHECKING:
    from aiohttp import web

    from placed.http.check_in_tickets import CheckInTickets, Visitor
    from placed.settings.output_settings import Http
    from placed.settings.panel_tokens import Panel, PanelTokens

_REALM = 'Bearer realm="placed panels"'
_NO_TOKEN = Problem("", "A panel's bearer token is required", "Authorization: Bearer <token>", joint=": ")
_WRONG_TOKEN = Problem(
    "",
    "That is not the token of a panel",
    "http.panel_tokens names the file with their digests; the token of readers is none",
)
_OTHER_SITE = Problem(
    "",
    "The request is from a page of another site",
    "if it is a page of placed behind a proxy, add its origin to http.origins",
)
_PORTS = {"http": 80, "https": 443}


class PanelGuard:
    """Admits requests of panels.

    Args:
        settings: name the origins of our pages.
        tokens: of the panels.
        tickets: with which phones may check in.
    """

    def __init__(self, settings: Http, tokens: PanelTokens, tickets: CheckInTickets) -> None:
        self._origins = frozenset(map(str.lower, settings.origins))
        self._hosts = settings.hosts
        self._tokens = tokens
        self._tickets = tickets

    def known_panel(self, request: web.Request) -> Panel | None:
        """The panel that sends a request which changes nothing; None if its token is none of a panel."""
        token = bearer(request.headers)
        return None if token is None else self._tokens.panel_of(token)

    def sender(self, request: web.Request, room_id: str | None = None) -> Panel | Visitor:
        """The panel that sends a request, or the phone.

        Args:
            request: the request.
            room_id: the room that it is about; a phone has a ticket for one room.

        Raises:
            HttpError: 401 without a token of a panel and without a ticket, 403 for a page of another site.
        """
        token = bearer(request.headers)
        if token is None:
            raise _refused(request, HTTPStatus.UNAUTHORIZED, _NO_TOKEN, _REALM)
        panel: Panel | Visitor | None = self._tokens.panel_of(token)
        if panel is None and room_id is not None:
            panel = self._tickets.visitor(room_id, token)
        if panel is None:
            raise _refused(request, HTTPStatus.UNAUTHORIZED, _WRONG_TOKEN, f'{_REALM}, error="invalid_token"')
        origins = request.headers.getall(hdrs.ORIGIN, [])
        if not all(self._is_ours(origin.lower(), request) for origin in origins):
            raise _refused(request, HTTPStatus.FORBIDDEN, _OTHER_SITE)
        return panel

    def _is_ours(self, origin: str, request: web.Request) -> bool:
        """Whether a page of this origin is one of ours.

        What a proxy adds, such as X-Forwarded-Host, does not count: anybody can send that.
        """
        if origin in self._origins:
            return True
        scheme, name, port = _parts(origin)
        if name is None or (request.secure and scheme != "https"):
            return False
        if name in self._hosts and port == _PORTS[scheme]:
            return True
        return _parts(f"{scheme}://{request.headers.get(hdrs.HOST, '').lower()}") == (scheme, name, port)


def _parts(origin: str) -> tuple[str, str | None, int]:
    """The scheme, the host and the port of an origin; the host is None if it is no origin of a page."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return "", None, 0
    sound = f"{parts.scheme}://{parts.netloc}" == origin and "@" not in parts.netloc
    return parts.scheme, parts.hostname if sound else None, port


def _refused(request: web.Request, status: HTTPStatus, problem: Problem, challenge: str = "") -> HttpError:
    headers = dict(close_if_body(request))
    if challenge:
        headers[hdrs.WWW_AUTHENTICATE] = challenge
    return HttpError(status, problem, headers=headers)
