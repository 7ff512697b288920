"""Redirect URIs: which an app may register, and which address of a request is one of them.

Source: Microsoft, "Redirect URI (reply URL) outline and restrictions". They are compared as they are written,
in upper and lower case too, but for two exceptions of localhost (RFC 8252, sections 7.3 and 8.3): it may do
without TLS, and its port does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

LOOPBACK = frozenset({"localhost", "127.0.0.1"})
LONGEST = 256


def registrable(uris: Iterable[str]) -> frozenset[str]:
    """The URIs, if an app may register them.

    Raises:
        ValueError: one of them is not allowed.
    """
    found = frozenset(uris)
    for uri in found:
        parts = urlsplit(uri)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if not (safe and parts.hostname) or parts.fragment or "*" in uri or len(uri) > LONGEST:
            raise ValueError(f"redirect URI {uri!r}: begins with https, or leads to http://localhost")
    return found


def is_one_of(asked: str, registered: Iterable[str]) -> bool:
    """Whether the login may send a browser to the address."""
    return any(_comparable(uri) == _comparable(asked) for uri in registered)


def as_sent(uri: str) -> str:
    """The address as the login writes it: one without a path gets a slash."""
    parts = urlsplit(uri)
    return uri if parts.path else parts._replace(path="/").geturl()


def _comparable(uri: str) -> str:
    parts = urlsplit(as_sent(uri))
    if parts.scheme in ("http", "https") and parts.hostname in LOOPBACK:
        parts = parts._replace(netloc=parts.hostname or "")
    return parts.geturl()
