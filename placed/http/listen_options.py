"""Where the status endpoint listens: the address, the bearer token, the TLS certificate, the sockets."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

import msgspec

from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem
from placed.settings.certificate_files import Validity, load_chain, validity_of
from placed.settings.panel_tokens import PanelTokens, read_panel_tokens
from placed.settings.token_file import read_token

if TYPE_CHECKING:
    from datetime import datetime

    from placed.settings.output_settings import Http

_LAST_PORT = 65535
_MEANINGS = {
    errno.EADDRINUSE: ("is in use", "stop the program that has the port, or set another port"),
    errno.EADDRNOTAVAIL: ("is not an address of this machine", "`ip address` lists those that are"),
    errno.EACCES: ("needs a privilege that this user does not have", "set a port above 1023"),
}


class Address(msgspec.Struct, frozen=True):
    """A host and a port as the settings name them. An empty host means every interface."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect. A host name other than localhost counts as reachable."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class ListenOptions:
    """What the settings and the files that they name decide about the endpoint.

    Attributes:
        address: where it listens.
        token: the bearer token that requests need, or None if no token is required.
        tls: the TLS context of every connection, or None for plain HTTP.
        validity: of the certificate, if it is known.
        panels: who may ask for actions.
    """

    address: Address
    token: bytes | None = field(repr=False)
    tls: ssl.SSLContext | None
    validity: Validity | None = None
    panels: PanelTokens = field(default=PanelTokens(), repr=False)

    @classmethod
    def of(cls, settings: Http) -> Self:
        """Reads the files that the settings name.

        Raises:
            CannotStart: the token or the certificate is missing or invalid; it lists all problems.
        """
        problems: list[Problem] = []
        token: bytes | None = None
        context: ssl.SSLContext | None = None
        panels = PanelTokens()
        try:
            token = bearer_token(settings)
        except CannotStart as error:
            problems += error.problems
        try:
            context = server_context(settings)
        except CannotStart as error:
            problems += error.problems
        try:
            if settings.panel_tokens is not None:
                panels = read_panel_tokens(settings.panel_tokens, token)
        except CannotStart as error:
            problems += error.problems
        if problems:
            raise CannotStart(*problems)
        validity = validity_of(settings.certificate) if settings.certificate is not None else None
        return cls(parse_address(settings.listen), token, context, validity, panels)

    def certificate_problem(self, now: datetime) -> Problem | None:
        """Why clients reject the certificate at this moment."""
        return self.validity.problem("http.certificate", now) if self.validity is not None else None


# --- addresses and sockets ---


def parse_address(listen: str) -> Address:
    """The address in `host:port` or `[host]:port`, as the settings accept it.

    Raises:
        CannotStart: there is no such port.
    """
    host, _, port = listen.rpartition(":")
    if int(port) > _LAST_PORT:
        raise CannotStart(Problem("http.listen", f"{listen} has no such port", f"expected 0 to {_LAST_PORT}"))
    return Address(host.strip("[]").lower(), int(port))


def endpoint_url(host: str, port: int, *, tls: bool = False) -> str:
    """The URL by which this machine reaches an endpoint that is bound to this address."""
    scheme = "https" if tls else "http"
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - names it, binds nothing
    return f"{scheme}://[{reachable}]:{port}" if ":" in reachable else f"{scheme}://{reachable}:{port}"


async def bind_sockets(listen: str, *, port: int | None = None) -> list[socket.socket]:
    """Binds the address. The sockets do not listen yet, so clients are refused until the server starts.

    Args:
        listen: the address, as it is reported.
        port: to be bound in place of its port.

    Raises:
        CannotStart: the address is in use or cannot be bound.
    """
    address = parse_address(listen)
    loop = asyncio.get_running_loop()
    try:
        bound = await loop.create_server(
            asyncio.Protocol,
            address.host or None,
            address.port if port is None else port,
            start_serving=False,
        )
    except OSError as error:
        raise listen_failure(listen, error) from error
    sockets = [one.dup() for one in bound.sockets]
    bound.close()
    return sockets


async def check_bindable(listen: str, *, port: int | None = None) -> None:
    """Binds the address and releases it at once; `port` is bound in place of its port.

    Raises:
        CannotStart: the address is in use or cannot be bound.
    """
    for bound in await bind_sockets(listen, port=port):
        bound.close()


def listen_failure(listen: str, error: OSError) -> CannotStart:
    """Explains to the operator why the address could not be bound."""
    if isinstance(error, socket.gaierror):
        text = f"{listen} names a host that is not known"
        return CannotStart(Problem("http.listen", text, "set an IP address"))
    number = error.errno or 0
    if not number and "could not bind on any address" in str(error):  # asyncio's wording since Python 3.13
        number = errno.EADDRNOTAVAIL
    if number in _MEANINGS:
        text, remedy = _MEANINGS[number]
    else:
        text, remedy = f"cannot be listened on: {os.strerror(number) if number else error}", ""
    return CannotStart(Problem("http.listen", f"{listen} {text}", remedy))


# --- the token ---


def bearer_token(settings: Http) -> bytes | None:
    """The bearer token that requests need, or None if no token is required.

    Raises:
        CannotStart: the token file is invalid, or there is none although other machines can connect.
    """
    if settings.token_file is not None:
        return read_token(settings.token_file, "http.token_file")
    if not parse_address(settings.listen).loopback and not settings.allow_anonymous:
        text = f"{settings.listen} can be reached from other machines"
        remedy = "set http.token_file, or http.allow_anonymous = true if everybody may ask"
        raise CannotStart(Problem("http.listen", text, remedy, joint=": "))
    return None


# --- TLS ---


def server_context(settings: Http) -> ssl.SSLContext | None:
    """The TLS context of every connection, or None for plain HTTP.

    TLS 1.2 with forward secrecy, in the cipher order that Python chooses, or TLS 1.3. Clients cannot
    renegotiate the keys of a connection, which would cost the server far more than them.

    Raises:
        CannotStart: the certificate or the key is invalid; it lists all problems.
    """
    if settings.certificate is None:
        if settings.key is not None:
            raise CannotStart(Problem("http.key", "a key needs its certificate", "set http.certificate"))
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    problems: list[Problem] = []
    load_chain(context, "http", settings.certificate, settings.key, problems)
    if problems:
        raise CannotStart(*problems)
    return context
