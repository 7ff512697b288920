"""Who may ask: which host names and bearer tokens the endpoint accepts.

DNS rebinding: a web page may let its own name resolve to an address in the reader's network, and then read
the answers from there as if they were its own. The browser still sends the page's name in the Host field, so
requests with an unknown name are refused. A token or a certificate protects as well, because a page of
another name has neither; then every name is accepted. An IP address cannot be made to resolve elsewhere.
"""

from __future__ import annotations

import hmac
import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, hdrs

from placed.domain.problem import Problem
from placed.http.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiohttp import web
    from multidict import MultiMapping

    from placed.http.listen_options import Address
    from placed.settings.output_settings import Http
    from placed.settings.panel_tokens import PanelTokens

_HOST = re.compile(r"(\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]+))(:\d*)?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_THIS_MACHINE = Problem(
    "",
    "This endpoint is for this machine only and answers to localhost, 127.0.0.1 and [::1]",
    "A proxy in front of it has to send one of these as Host, or its name has to be in http.hosts",
    joint=". ",
)
_UNKNOWN_NAME = Problem(
    "",
    "This endpoint does not answer to this name",
    "Use its IP address or the machine's own name, or have the operator add the name to http.hosts in the "
    "configuration",
    joint=". ",
)


# --- host names ---


@dataclass(frozen=True, slots=True)
class HostNames:
    """Which Host fields are accepted.

    Attributes:
        names: the accepted names, lower-case; None if every name is.
        addresses: whether every IP address is accepted, too.
        problem: what a refused client can do about it.
    """

    names: frozenset[str] | None
    addresses: bool = False
    problem: Problem = _UNKNOWN_NAME

    def accept(self, field: str) -> bool:
        """Whether a Host field, `name` or `name:port`, is accepted."""
        if self.names is None:
            return True
        found = _HOST.fullmatch(field.lower())
        name = (found["address"] or found["name"]).rstrip(".") if found else ""
        return name in self.names or (self.addresses and _is_address(name))


def host_names(settings: Http, address: Address, *, guarded: bool, machine: str | None = None) -> HostNames:
    """The host names that are accepted.

    Args:
        settings: may add names.
        address: where the endpoint listens.
        guarded: whether a token or a certificate keeps out pages of other sites.
        machine: the name of this machine; None asks the system for it.
    """
    if address.loopback:
        return HostNames(
            _LOOPBACK | settings.hosts | {address.host},
            problem=_THIS_MACHINE,
        )
    if guarded and not settings.hosts:
        return HostNames(None)
    own = (socket.gethostname() if machine is None else machine).lower()
    short = own.partition(".")[0]
    return HostNames(
        _LOOPBACK | settings.hosts | {address.host, own, short, f"{short}.local"} - {"", ".local"},
        addresses=True,
    )


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


# --- requests ---


class Guard:
    """Refuses requests that may not ask.

    Args:
        names: the host names that are accepted.
        token: the bearer token that requests need, or None.
        panels: may read the rooms that their scopes name, with their own tokens.
    """

    def __init__(self, names: HostNames, token: bytes | None, panels: PanelTokens) -> None:
        self._names = names
        self._panels = panels
        self._accepts = lru_cache(maxsize=32)(names.accept)  # a client sends the same field each time
        self._token = token

    def check(self, request: web.Request, *, open_to_all: bool, rooms: Collection[str] = ()) -> None:
        """Returns if the request may be answered.

        Args:
            request: the request.
            open_to_all: whether its address needs no token.
            rooms: those that the answer shows, where it shows nothing else.

        Raises:
            HttpError: why it may not.
        """
        headers = request.headers
        host = headers.get(hdrs.HOST)
        if host is None:
            if request.version >= HttpVersion11:
                raise HttpError(HTTPStatus.BAD_REQUEST, Problem("", "The Host field is missing"))
        elif not self._accepts(host):
            raise HttpError(HTTPStatus.MISDIRECTED_REQUEST, self._names.problem)
        if self._token is not None and not open_to_all and not self._is_panel_of(headers, rooms):
            check_token(headers, self._token)

    def _is_panel_of(self, headers: MultiMapping[str], rooms: Collection[str]) -> bool:
        """Whether a panel asks, and only for rooms of its own."""
        token = bearer(headers) if rooms else None
        panel = self._panels.panel_of(token) if token is not None else None
        return panel is not None and (panel.rooms is None or panel.rooms.issuperset(rooms))


def bearer(headers: MultiMapping[str]) -> str | None:
    """The bearer token of a request; None if it has none."""
    scheme, _, token = headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def check_token(headers: MultiMapping[str], token: bytes) -> None:
    """Refuses a request without the token. The comparison takes the same time for every wrong token."""
    shown = bearer(headers)
    if shown is None:
        raise HttpError(
            HTTPStatus.UNAUTHORIZED,
            Problem("", "A bearer token is required", "Authorization: Bearer <token>", joint=": "),
            headers={"WWW-Authenticate": 'Bearer realm="placed"'},
        )
    if not hmac.compare_digest(shown.encode(errors="surrogateescape"), token):
        raise HttpError(
            HTTPStatus.UNAUTHORIZED,
            Problem("", "That is not the bearer token of this endpoint"),
            headers={"WWW-Authenticate": 'Bearer realm="placed", error="invalid_token"'},
        )
