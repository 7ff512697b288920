"""Addresses in answers (RFC 4918, 8.3), which are spelled in several ways."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urljoin, urlsplit

from placed.driver import UnexpectedAnswer

_VISIBLE = re.compile(r"[!-~]+")  # the characters of a URL
# All that RFC 3986 allows in a path, and the percent sign of what is encoded already.
_KEPT = "%/:@!$&'()*+,;=-._~"


def path_of(href: str, asked: str) -> str:
    """Returns the path that an href means, encoded for a request.

    Args:
        href: as the server wrote it.
        asked: the path that was asked, to which a relative one refers.

    Raises:
        UnexpectedAnswer: it is no address.
    """
    try:
        parts = urlsplit(urljoin(f"https://host{asked}", href.strip()))
    except ValueError:
        raise UnexpectedAnswer("an address in the answer is no URL") from None
    path = quote(parts.path, safe=_KEPT) or "/"
    if parts.scheme not in ("http", "https") or not path.startswith("/") or not _VISIBLE.fullmatch(path):
        raise UnexpectedAnswer("an address in the answer is no URL")
    return path


def host_of(href: str) -> str | None:
    """Returns the host that an absolute href names, in lower case; None of a relative one."""
    try:
        return urlsplit(href.strip()).hostname
    except ValueError:
        return None


def key_of(path: str) -> str:
    """Returns what is the same of all spellings of a path."""
    return unquote(path).rstrip("/") or "/"


def is_within(key: str, own: str) -> bool:
    """Whether a key is of a collection itself, or of what lies in it; both as `key_of` returns them."""
    inside = key.startswith("/" if own == "/" else f"{own}/")
    return key == own or (inside and ".." not in key.split("/"))


def name_of(path: str) -> str:
    """Returns the last segment, decoded."""
    return key_of(path).rpartition("/")[2]


def collection(path: str) -> str:
    """Returns the path with a slash at its end, as collections have."""
    return path if path.endswith("/") else f"{path}/"


def below(home: str, name: str) -> str:
    """Returns the path of the collection of that name in a home."""
    return f"{collection(home)}{quote(name, safe='')}/"
