"""The answer to a batch: multipart/mixed, in which each part is an HTTP response of its own.

A part without a closing delimiter behind it may be cut off, so it does not count.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from placed.driver import Unavailable
from placed_google.api.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

_BOUNDARY = re.compile(r'\bboundary="?([^";,\s]{1,200})"?', re.IGNORECASE)
_MULTIPART = "multipart/"
_STATUS = re.compile(rb"\s*HTTP/\d(?:\.\d)? (\d{3})\b")
_CONTENT_ID, _RETRY_AFTER = (
    re.compile(rb"\r\n[ \t]*" + name + rb"[ \t]*:([^\r\n]*)", re.IGNORECASE)
    for name in (b"Content-ID", b"Retry-After")
)
_BLANK = b"\r\n\r\n"
_LINE = b"\r\n"


class BatchAnswer(NamedTuple):
    """The parts of an answer.

    Attributes:
        parts: by the Content-ID of the request, without `response-`.
        whole: whether the answer came to its end.
    """

    parts: dict[str, Reply]
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
    body, delimiter = outer.body, b"\r\n--" + boundary[1].encode()
    first = delimiter.removeprefix(_LINE)
    at = len(first) if body.startswith(first) else _behind(body, delimiter, 0)
    parts: dict[str, Reply] = {}
    doubled: set[str] = set()
    # Nothing but the parts' bodies is copied out of the answer, which may have some megabytes.
    while at >= 0 and not body.startswith(b"--", at):
        behind = _behind(body, delimiter, at)
        if behind >= 0 and (found := _part(body, at, behind - len(delimiter), rest_in)) is not None:
            content_id, part = found
            if content_id in parts:
                doubled.add(content_id)
            parts[content_id] = part
        at = behind
    for content_id in doubled:
        del parts[content_id]
    return BatchAnswer(parts, whole=at >= 0)


def _behind(body: bytes, delimiter: bytes, start: int) -> int:
    """Returns the place behind the next delimiter; -1 if there is none."""
    found = body.find(delimiter, start)
    return -1 if found < 0 else found + len(delimiter)


def _part(
    body: bytes, start: int, end: int, rest_in: Callable[[str | None], float | None]
) -> tuple[str, Reply] | None:
    """Returns the Content-ID and the response of the part in [start, end); None if it is malformed."""
    head = body.find(_LINE, start, end)  # behind the delimiter there may be spaces
    head_end = body.find(_BLANK, head, end) if head >= 0 else -1
    if head_end < 0:
        return None
    field = _CONTENT_ID.search(body, head, head_end)
    content_id = field[1].strip(b" \t<>").lower().removeprefix(b"response-") if field is not None else b""
    status = _STATUS.match(body, head_end + len(_BLANK), end)
    if not content_id or status is None:
        return None
    fields_end = body.find(_BLANK, status.end(), end)
    if fields_end < 0:
        return None
    code, rest = int(status[1]), None
    if code != HTTPStatus.OK:
        field = _RETRY_AFTER.search(body, status.end(), fields_end)
        rest = rest_in(field[1].strip().decode("latin-1")) if field is not None else None
    return content_id.decode("latin-1"), Reply(code, rest, body[fields_end + len(_BLANK) : end])
