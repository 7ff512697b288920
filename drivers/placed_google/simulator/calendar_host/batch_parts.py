"""`POST /batch/calendar/v3` (Google: batch): a multipart of requests in, a multipart of responses out.

Each part is answered by itself; they come back in any order, and each carries the `Content-ID` of its
question, character by character, behind `response-`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed_google.simulator.api_messages import ApiError
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

MOST_PARTS = 1000
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_REQUEST_LINE = re.compile(rb"([A-Z]+) (\S+)(?: HTTP/\d(?:\.\d)?)?$")


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch; `content_id` is as it was sent, with its brackets."""

    content_id: str | None
    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def read_parts(content_type: str, body: bytes) -> list[Part]:
    """The parts of a batch.

    Raises:
        ApiError: 400, there are too many, two have one Content-ID or none, or it is no batch.
    """
    found = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/mixed") or found is None:
        raise _bad("Failed to parse batch request, error: Missing boundary.")
    boundary = (found[1] or found[2]).encode()
    pieces = re.split(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(?:--)?[ \t]*(?:\r?\n|$)", body)
    parts = [_part(piece) for piece in pieces[1:] if piece.strip()]
    if not parts:
        raise _bad("Failed to parse batch request, error: 0 items.")
    if len(parts) > MOST_PARTS:
        raise _bad(f"The batch request contains too many calls: the maximum is {MOST_PARTS}.")
    if len({part.content_id for part in parts}) < len(parts):
        raise _bad("Duplicate Request ID in Batch Request.")
    return parts


def _part(piece: bytes) -> Part:
    outer, _, request = re.sub(rb"\r?\n", b"\n", piece).partition(b"\n\n")
    head, _, body = request.lstrip(b"\n").partition(b"\n\n")
    line, _, lines = head.partition(b"\n")
    matched = _REQUEST_LINE.match(line.strip())
    if matched is None:
        raise _bad("Failed to parse batch request, error: Failed to parse the request line.")
    target = matched[2].decode("latin-1")
    if not target.startswith("/"):
        raise _bad("Failed to parse batch request, error: Only paths are allowed in a batch.")
    return Part(
        content_id=_headers(outer).get("content-id"),
        method=matched[1].decode(),
        target=target,
        headers=_headers(lines),
        body=body.rstrip(b"\n"),
    )


def _headers(lines: bytes) -> dict[str, str]:
    pairs = [line.decode("latin-1").partition(":") for line in lines.split(b"\n") if b":" in line]
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _bad(message: str) -> ApiError:
    return ApiError(HTTPStatus.BAD_REQUEST, "badRequest", message, rpc_status="INVALID_ARGUMENT")


def answer_id(content_id: str | None, *, prefix: bool) -> str | None:
    """`<response-0>` for `<0>`; what is in the brackets stays as it is, blanks included."""
    if content_id is None or not prefix:
        return content_id
    inner = content_id.removeprefix("<").removesuffix(">")
    return f"<response-{inner}>"


def write_parts(answers: Sequence[tuple[str | None, Reply]], order: random.Random) -> Reply:
    """The answer to a batch, in an order by chance."""
    boundary = f"batch_{order.getrandbits(128):032x}"
    shuffled = [*answers]
    order.shuffle(shuffled)
    parts = [_written(boundary, content_id, reply) for content_id, reply in shuffled]
    body = b"".join(parts) + f"--{boundary}--\r\n".encode()
    return Reply(200, body, f"multipart/mixed; boundary={boundary}")


def _written(boundary: str, content_id: str | None, reply: Reply) -> bytes:
    outer = ["Content-Type: application/http"]
    if content_id is not None:
        outer.append(f"Content-ID: {content_id}")
    status = HTTPStatus(reply.status)
    inner = [f"HTTP/1.1 {status.value} {status.phrase}", f"Content-Type: {reply.content_type}"]
    inner += [f"{name}: {value}" for name, value in reply.headers]
    inner.append(f"Content-Length: {len(reply.body)}")
    head = f"--{boundary}\r\n" + "\r\n".join(outer) + "\r\n\r\n" + "\r\n".join(inner) + "\r\n\r\n"
    return head.encode() + reply.body + b"\r\n"
