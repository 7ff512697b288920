"""Errors of the HTTP proxy between this machine and the services, and the proxy's name in messages.

A proxy's URL may contain a login, which no message repeats.
"""

from __future__ import annotations

import re
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from placed.driver.errors import Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed.driver.errors import DriverError

VARIABLE = "HTTPS_PROXY"
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")  # http.client, and so urllib3 and requests
_SERVICE = "in /etc/default/placed, then systemctl restart placed"
_HTTPS = 443


def name_of(proxy: str) -> str:
    """Returns host and port, without the login."""
    parts = urlsplit(proxy)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{host}:{parts.port}" if parts.port else host


def is_usable(proxy: str) -> bool:
    """Returns whether a proxy's URL is valid and of a supported kind."""
    try:
        parts = urlsplit(proxy)
        is_bare = parts.path in ("", "/") and not parts.query and not parts.fragment
        is_http = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        return is_bare and is_http and not re.search(r"\s", proxy)
    except ValueError:
        return False


def unusable(proxy: str, url: str) -> Refused:
    """Returns the error for an invalid URL, or for a proxy of another kind.

    The URL is not repeated, since it may contain a login.
    """
    scheme, separator, _ = proxy.partition("://")
    if separator and scheme.isalnum() and scheme.lower() not in ("http", "https"):
        return Refused(
            f"{VARIABLE} names a proxy of the kind {scheme.lower()}://, which placed cannot use",
            remedy=f"set {VARIABLE}=http://HOST:PORT, or NO_PROXY={_host(url)} to go without it, {_SERVICE}",
        )
    return Refused(
        f"{VARIABLE} is not the address of an HTTP proxy",
        remedy=f"set {VARIABLE}=http://HOST:PORT {_SERVICE}",
    )


def refusal(proxy: str, url: str, status: int) -> DriverError:
    """Returns the error for a proxy that answers CONNECT with another status than 200."""
    name, host = name_of(proxy), _host(url)
    if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        if urlsplit(proxy).username:
            text = f"the proxy {name} refuses the login in {VARIABLE} (407)"
            return Unavailable(text, remedy=f"correct user and password in {VARIABLE} {_SERVICE}")
        text = f"the proxy {name} wants a login (407)"
        return Unavailable(text, remedy=f"put user and password into {VARIABLE} {_SERVICE}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        text = f"the proxy {name} does not reach {host} ({status})"
        return Unavailable(text, remedy=f"have the proxy reach {host}, or set NO_PROXY={host} {_SERVICE}")
    text = f"the proxy {name} refuses to connect to {host} ({status})"
    return Unavailable(text, remedy=f"have the proxy allow {host}:443, or set NO_PROXY={host} {_SERVICE}")


def unreached(proxy: str, error: BaseException) -> DriverError:
    """Returns the error for a proxy that cannot be reached, or that is none."""
    name = name_of(proxy)
    correct = f"correct {VARIABLE} {_SERVICE}"
    for cause in causes(error):
        if isinstance(cause, socket.gaierror) or type(cause).__name__ == "NameResolutionError":
            return Unavailable(f"the proxy {name} has an unknown name", remedy=correct)
        if isinstance(cause, ConnectionRefusedError):
            return Unavailable(
                f"the proxy {name} refuses connections", remedy=f"start the proxy, or {correct}"
            )
        if isinstance(cause, TimeoutError):
            return Unavailable(f"the proxy {name} does not answer", remedy=f"start the proxy, or {correct}")
    return Unavailable(f"the proxy {name} cannot be reached", remedy=f"start the proxy, or {correct}")


def not_trusted(proxy: str, url: str) -> Refused:
    """Returns the error for an untrusted certificate behind a proxy, which may have replaced it."""
    parts = urlsplit(url)
    return Refused(
        f"the TLS certificate of {parts.scheme}://{parts.netloc} is not trusted; "
        f"the proxy {name_of(proxy)} may inspect TLS",
        remedy=f"set ca_file to the proxy's CA, or have the proxy leave {_host(url)} alone",
    )


def status_in(error: BaseException) -> int | None:
    """Returns the status of a proxy's answer to CONNECT, if the error of `requests` contains it."""
    found = _TUNNEL.search(str(error))
    return int(found[1]) if found else None


def _host(url: str) -> str:
    parts = urlsplit(url)
    return parts.hostname or "" if parts.port in (None, _HTTPS) else parts.netloc


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and its causes, which requests and urllib3 keep in attributes and arguments."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [*one.args, one.__cause__, one.__context__]
        waiting += [getattr(one, name, None) for name in ("reason", "original_error", "os_error")]
