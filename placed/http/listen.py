"""Where to listen, who could reach it there, and what to tell the operator if it does not work."""

from __future__ import annotations

import errno
import os
import re
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

import msgspec

from placed.domain.exit_errors import CannotStart
from placed.driver import Exposed, read_secret, remedy_for_missing

if TYPE_CHECKING:
    from pathlib import Path

    from placed.settings.schema import Http

_LAST_PORT = 65535
_SPOILS_A_FIELD = re.compile(rb"[^\x21-\x7e]")
_MEANINGS = {
    errno.EADDRINUSE: "is in use; stop the program that has the port, or set another port",
    errno.EADDRNOTAVAIL: "is not an address of this machine; `ip address` lists those that are",
    errno.EACCES: "needs a privilege that this user does not have; set a port above 1023",
}


class Address(msgspec.Struct, frozen=True):
    """A host and a port as the settings name them. An empty host means every interface."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can get there. Of a name other than localhost that is not known."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse(listen: str) -> Address:
    """The address in `host:port` or `[host]:port`, as the settings let it through.

    Raises:
        CannotStart: there is no such port.
    """
    host, _, port = listen.rpartition(":")
    if int(port) > _LAST_PORT:
        raise CannotStart(f"http.listen: {listen} has no such port; expected 0 to {_LAST_PORT}")
    return Address(host.strip("[]").lower(), int(port))


def url(host: str, port: int, *, tls: bool = False) -> str:
    """Where the endpoint is found from this machine, by the address that a socket is bound to."""
    scheme = "https" if tls else "http"
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - names it, binds nothing
    return f"{scheme}://[{reachable}]:{port}" if ":" in reachable else f"{scheme}://{reachable}:{port}"


def admission(settings: Http) -> bytes | None:
    """The bearer token that is wanted, or None if anybody who gets there may ask.

    Raises:
        CannotStart: the token can not be read, or there is none and the machine's neighbours could ask.
    """
    if settings.token_file is not None:
        return _token(settings.token_file)
    if not parse(settings.listen).loopback and not settings.allow_anonymous:
        raise CannotStart(
            f"http.listen: {settings.listen} can be reached from other machines: set http.token_file,"
            " or http.allow_anonymous = true if everybody may ask"
        )
    return None


def _token(path: Path) -> bytes:
    try:
        token = read_secret(path).strip()
    except Exposed as exposed:
        raise CannotStart(f"http.token_file: {path}: {exposed}") from None
    except FileNotFoundError:
        raise CannotStart(
            f"http.token_file: {path}: there is no such file; {remedy_for_missing(path)}"
        ) from None
    except OSError as error:
        raise CannotStart(
            f"http.token_file: {path}: {error.strerror}; expected a readable file with the bearer token"
        ) from error
    if not token:
        raise CannotStart(f"http.token_file: {path}: is empty; expected the bearer token in it")
    if _SPOILS_A_FIELD.search(token):
        raise CannotStart(
            f"http.token_file: {path}: holds spaces, line breaks or letters beyond ASCII;"
            " expected one token of letters, digits and - . _ ~ + / ="
        )
    return token


def could_not_listen(listen: str, error: OSError) -> CannotStart:
    """What a failed bind means to the operator."""
    if isinstance(error, socket.gaierror):
        return CannotStart(f"http.listen: {listen} names a host that is not known; set an IP address")
    number = error.errno or 0
    if not number and "could not bind on any address" in str(error):  # as asyncio says it from Python 3.13 on
        number = errno.EADDRNOTAVAIL
    meaning = _MEANINGS.get(number)
    if meaning is None:
        reason = os.strerror(number) if number else str(error)
        meaning = f"can not be listened on: {reason}"
    return CannotStart(f"http.listen: {listen} {meaning}")
