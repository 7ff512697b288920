"""Errors of redirects by something between this machine and a service: a gateway, or a captive portal."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from placed.driver.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_REDIRECTS = range(300, 400)
# The name of a host, and nothing else of an address, whose path or login may be a secret.
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?", re.IGNORECASE | re.ASCII)


def is_redirect(status: int) -> bool:
    """Returns whether a status asks for another address; 304 has the range of redirects, and is none."""
    return status in _REDIRECTS and status != HTTPStatus.NOT_MODIFIED


def host_in(location: str) -> str | None:
    """Returns the host that a header Location names; None if it names none that can be shown."""
    try:
        host = urlsplit(location.strip()).hostname
    except ValueError:
        return None
    return host if host is not None and _HOST.fullmatch(host) else None


def redirected(base_url: str, status: int, headers: Mapping[str, str]) -> Unavailable:
    """Returns the error for a redirect in place of an answer of a service that sends none.

    Args:
        base_url: the service's.
        status: of the answer.
        headers: of the answer.
    """
    host, there = urlsplit(base_url).hostname or "", host_in(headers.get("Location", ""))
    target = f" to {there}" if there is not None else ""
    return Unavailable(
        f"a proxy or gateway before {host} answers with a redirect{target} ({status})",
        remedy=f"have the proxy or gateway of this network let requests to {host} pass; a captive portal "
        "wants a sign-in first",
    )
