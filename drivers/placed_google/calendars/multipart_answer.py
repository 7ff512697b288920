"""The answer to a batch: multipart/mixed, in which each part is an HTTP response of its own.

A part without a closing delimiter behind it may be cut off, so it does not count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from placed.driver import Unavailable
from placed_google.api.reply import OK, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

_BOUNDARY = re.compile(r'\bboundary="?([!#-+\--:<-~]{1,200})(?=[";,\s]|$)', re.IGNORECASE)
_MULTIPART = "multipart/"
# The head of a part, behind its delimiter: fields with a Content-ID, which is the number of a request; a
# blank line; the response's status and fields; a blank line. No line of it is a delimiter, so that no part is
# taken for another; and no group gives back what it has, so that a head of any size is read once.
_HEAD = re.compile(
    rb"""
    [ \t]*+
    (?>(?:FIELD)*? \r\n[ \t]*+(?i:Content-ID)[ \t]*+:[ \t<]*+(?i:response-)?+(\d{1,9}+)[ \t>]*+(?=\r))
    (?:FIELD)*+ \r\n
    \s*+HTTP/\d(?:\.\d)?+[ ](\d{3})\b[^\r]*+
    ((?:FIELD)*+) \r\n\r\n(?!--)
    """.replace(b"FIELD", rb"\r\n[^-\r][^\r]*+"),
    re.VERBOSE,
)
_RETRY_AFTER = re.compile(rb"\r\n[ \t]*Retry-After[ \t]*:([^\r\n]*)", re.IGNORECASE)
_OK = str(OK).encode()
_LINE = b"\r\n"


class BatchAnswer(NamedTuple):
    """The parts of an answer.

    Attributes:
        parts: by the number of the request, which its Content-ID was.
        whole: whether the answer came to its end.
    """

    parts: dict[int, Reply]
    whole: bool


def parts_of(outer: Reply, rest_in: Callable[[str | None], float | None]) -> BatchAnswer:
    """Returns the parts of an answer.

    A malformed part is skipped; if two parts have the same Content-ID, neither is used.

    Args:
        outer: the answer.
        rest_in: returns the seconds of a Retry-After header.

    Raises:
        Unavailable: it is no multipart, such as a gateway's page.
    """
    boundary = _BOUNDARY.search(outer.content_type)
    if boundary is None or not outer.content_type.lower().startswith(_MULTIPART):
        raise Unavailable("the answer is no batch")
    body, delimiter = bytes(outer.body), b"\r\n--" + boundary[1].encode()
    view = memoryview(body)
    size = len(delimiter)
    at = size - len(_LINE) if body.startswith(delimiter[len(_LINE) :]) else _behind(body, delimiter, 0)
    parts: dict[int, Reply] = {}
    doubled: set[int] = set()
    # Nothing is copied out of the answer, which may have some megabytes.
    while at >= 0 and not body.startswith(b"--", at):
        head = _HEAD.match(body, at)
        if head is None:
            at = _behind(body, delimiter, at)
            continue
        start = head.end()
        end = body.find(b"\r", start)  # JSON is one line, so that this is nearly always the end
        if not body.startswith(delimiter, end):
            end = body.find(delimiter, start)
        if end < 0:
            return BatchAnswer(_without(parts, doubled), whole=False)
        number = int(head[1])
        if number in parts:
            doubled.add(number)
        part = view[start:end]
        parts[number] = Reply(OK, None, part) if head[2] == _OK else _refusal(head, part, rest_in)
        at = end + size
    return BatchAnswer(_without(parts, doubled), whole=at >= 0)


def _behind(body: bytes, delimiter: bytes, start: int) -> int:
    """Returns the place behind the next delimiter; -1 if there is none."""
    found = body.find(delimiter, start)
    return -1 if found < 0 else found + len(delimiter)


def _refusal(head: re.Match[bytes], body: memoryview, rest_in: Callable[[str | None], float | None]) -> Reply:
    """Returns the response of a part other than 200."""
    field = _RETRY_AFTER.search(head[3])
    rest = rest_in(field[1].strip().decode("latin-1")) if field is not None else None
    return Reply(int(head[2]), rest, body)


def _without(parts: dict[int, Reply], doubled: set[int]) -> dict[int, Reply]:
    """Returns the parts without those that are doubled: which of two is right is not known."""
    for number in doubled:
        del parts[number]
    return parts
