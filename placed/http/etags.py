"""Entity tags (RFC 9110, 8.8.3 and 13.1.2). Pure."""

from __future__ import annotations

import re
from hashlib import blake2b

_TAG = re.compile(r'\s*(?:W/)?("[\x21\x23-\x7e\x80-\U0010ffff]*")\s*(?:,|$)|\s*,')


def of_content(content: bytes) -> str:
    """A strong tag, with its quotes, that differs wherever the content does."""
    return f'"{blake2b(content, digest_size=12).hexdigest()}"'


def of_statement(epoch: int, seq: int) -> str:
    """A strong tag, with its quotes, for what was last said at (epoch, seq)."""
    return f'"{epoch}-{seq}"'


def packed(tag: str, coding: str) -> str:
    """The tag of the same content in a content coding: other bytes, so another strong tag."""
    return f'{tag[:-1]}-{coding}"'


def matches(if_none_match: str, tag: str) -> bool:
    """Whether the field If-None-Match names the tag, by the weak comparison that the field asks for.

    A field that can not be read names nothing: a whole answer is right in any case.
    """
    if if_none_match.strip() in ("*", tag):
        return True
    found: set[str] = set()
    position = 0
    while position < len(if_none_match):
        part = _TAG.match(if_none_match, position)
        if part is None:
            return False
        if part[1]:
            found.add(part[1])
        position = part.end()
    return tag in found
