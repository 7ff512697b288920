"""The part of a link that nobody can guess, and the link with one letter of it changed. Pure."""

from __future__ import annotations

import re

from placed_icalendar.feeds.addresses import origin_of
from placed_icalendar.feeds.secret_url import SecretUrl

_RUN = re.compile(r"[A-Za-z0-9_-]{16,}")
_DISTINCT = 8  # characters that a token has at least
# What a letter becomes, so that hexadecimal stays hexadecimal.
_NEXT = {**dict(zip("0123456789", "1234567890", strict=True)), **dict(zip("abcdef", "bcdefa", strict=True))}


def with_another_letter(url: SecretUrl) -> SecretUrl | None:
    """The link with one letter of its token changed; None if it has no token."""
    found = _token(url.secret)
    if found is None:
        return None
    places = [place for place in range(found.start(), found.end()) if url.secret[place] not in "_-"]
    place = places[len(places) // 2]  # the last letters of some encodings hold no information
    return SecretUrl(url.secret[:place] + _another(url.secret[place]) + url.secret[place + 1 :])


def has_token(url: SecretUrl) -> bool:
    """Whether a part of the link looks as if nobody could guess it."""
    return _token(url.secret) is not None


def _token(text: str) -> re.Match[str] | None:
    """The longest part that looks like a token; of several the last one."""
    start = len(origin_of(text))
    found = [one for one in _RUN.finditer(text, start) if _is_random(one[0])]
    return max(found, key=lambda one: (len(one[0]), one.start()), default=None)


def _is_random(text: str) -> bool:
    mixed = any(c.isdigit() for c in text) or (text != text.lower() and text[1:] != text[1:].lower())
    return mixed and len(set(text)) >= _DISTINCT


def _another(letter: str) -> str:
    if letter.lower() in _NEXT:
        other = _NEXT[letter.lower()]
        return other.upper() if letter.isupper() else other
    return "h" if letter == "g" else "g"
