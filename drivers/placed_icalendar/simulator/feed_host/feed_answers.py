"""The host's answer to a request for a feed, right or spoilt."""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime
from enum import Enum
from typing import TYPE_CHECKING

from placed_icalendar.simulator.feed_host.feed_faults import Fault, Kind
from placed_simulator.http_messages import HTML

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from placed_icalendar.simulator.feed_host.published_room import PublishedRoom, Service
    from placed_icalendar.simulator.feed_host.publisher import Publisher

CALENDAR = "text/calendar; charset=utf-8"
LOGIN_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n"
    b"<body><form action='/login'>Please sign in.</form></body></html>\n"
)
_BOMB = 64 * 2**20  # bytes
_INSTEAD = (
    Kind.STATUS,
    Kind.LOGIN_PAGE,
    Kind.EMPTY,
    Kind.TEXT,
    Kind.REDIRECT,
    Kind.LOOP,
    Kind.LOGIN,
    Kind.UNCHANGED,
    Kind.BOMB,
)


class Sending(Enum):
    """How an answer is written to the socket."""

    WHOLE = "whole"
    CHUNKED = "chunked"
    CUT = "cut"  # chunked, and the connection is cut in the middle
    DRIP = "drip"
    NEVER = "never"  # nothing is written until the client leaves
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """An answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    sending: Sending = Sending.WHOLE


_SENDINGS = {
    Kind.HANG: Sending.NEVER,
    Kind.DROP: Sending.DROP,
    Kind.DRIP: Sending.DRIP,
    Kind.CUT: Sending.CUT,
}


def answer_of(publisher: Publisher, path: str, headers: Mapping[str, str]) -> FeedAnswer:
    """The answer to a GET.

    Args:
        publisher: what is published.
        path: with its query.
        headers: of the request, by their names in lower case.
    """
    room = publisher.at(path)
    if room is None:
        return FeedAnswer(404, b"not found\n", {"Content-Type": "text/plain"})
    fault = publisher.faults.hit(room.address, *_INSTEAD)
    if fault is not None:
        return _instead(fault, path, room)
    asks_for_news = "if-none-match" in headers or "if-modified-since" in headers
    if asks_for_news and publisher.faults.hit(room.address, Kind.STUCK) is not None:
        return FeedAnswer(304, b"", {"Content-Type": CALENDAR})
    if not _may_read(room.service, headers):
        return _unauthorized()
    made, text = publisher.published(room)
    return _spoilt(publisher, room, text.encode()) or _served(room.service, made, text.encode(), headers)


def _spoilt(publisher: Publisher, room: PublishedRoom, body: bytes) -> FeedAnswer | None:
    """The right text, spoilt by a fault; None if none hits."""
    fault = publisher.faults.hit(room.address, *_SENDINGS, Kind.SHORT, Kind.GARBLED)
    if fault is None:
        return None
    if fault.kind is Kind.SHORT:
        return FeedAnswer(200, body[: len(body) * 2 // 3], {"Content-Type": CALENDAR})
    if fault.kind is Kind.GARBLED:
        packed = gzip.compress(body)
        return FeedAnswer(200, packed[: len(packed) // 2], {"Content-Encoding": "gzip"})
    return FeedAnswer(200, body, {"Content-Type": CALENDAR}, _SENDINGS[fault.kind])


def _served(service: Service, made: datetime, body: bytes, asked: Mapping[str, str]) -> FeedAnswer:
    headers = {"Content-Type": CALENDAR}
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    if service.etag != "none":
        headers["ETag"] = etag
    if service.last_modified:
        headers["Last-Modified"] = format_datetime(made.astimezone(UTC), usegmt=True)
    if _is_unchanged(service, made, etag, asked):
        return FeedAnswer(304, b"", headers)
    if service.gzip and "gzip" in asked.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, mtime=0), "gzip"
    return FeedAnswer(200, body, headers, Sending.CHUNKED if service.chunked else Sending.WHOLE)


def _is_unchanged(service: Service, made: datetime, etag: str, asked: Mapping[str, str]) -> bool:
    known = asked.get("if-none-match")
    if known is not None:
        return service.etag == "honoured" and etag in {one.strip() for one in known.split(",")}
    since = asked.get("if-modified-since")
    if since is None or not service.last_modified:
        return False
    return made.replace(microsecond=0) <= parsedate_to_datetime(since)


def _may_read(service: Service, asked: Mapping[str, str]) -> bool:
    if service.login is None:
        return True
    right = base64.b64encode(":".join(service.login).encode()).decode()
    return asked.get("authorization") == f"Basic {right}"


def _unauthorized() -> FeedAnswer:
    return FeedAnswer(
        401, b"sign in\n", {"WWW-Authenticate": 'Basic realm="calendars"', "Content-Type": "text/plain"}
    )


def _instead(fault: Fault, path: str, room: PublishedRoom) -> FeedAnswer:
    """The answer in place of the right one."""
    status, body, headers = 200, b"", {"Content-Type": CALENDAR}
    match fault.kind:
        case Kind.STATUS:
            status, headers = fault.status, {}
            if fault.retry_after is not None:
                headers["Retry-After"] = fault.retry_after
        case Kind.LOGIN_PAGE:
            body, headers = LOGIN_PAGE, {"Content-Type": HTML}
        case Kind.TEXT:
            body = fault.detail.encode()
        case Kind.REDIRECT:
            status = 302 if fault.status == 503 else fault.status  # noqa: PLR2004 - the default
            headers = {"Location": fault.detail or room.path}
        case Kind.LOOP:
            status, headers = 302, {"Location": path}
        case Kind.LOGIN:
            return _unauthorized()
        case Kind.UNCHANGED:
            status = 304
        case Kind.BOMB:
            body = gzip.compress(b"BEGIN:VCALENDAR\r\n" + bytes(_BOMB))
            headers["Content-Encoding"] = "gzip"
        case _:
            pass
    return FeedAnswer(status, body, headers)
