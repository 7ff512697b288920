"""What a GET is answered with: bytes with an entity tag; whole, compressed, or as 304 Not Modified.

A large answer is compressed once and kept, because many clients read the same bytes: with aiohttp's
`enable_compression`, which compresses each answer again, the listing of 5,500 rooms takes a hundred times
longer.
"""

from __future__ import annotations

import asyncio
import gzip
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from aiohttp.payload import Payload
from multidict import CIMultiDict, istr

from placed.domain.timestamps import to_the_millisecond
from placed.http.limits import PORTION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from datetime import datetime

    from aiohttp.abc import AbstractStreamWriter

JSON = "application/json"
PLACED_TIME = istr("Placed-Time")
_WORTH_COMPRESSING = 2048  # bytes; below, gzip saves nothing that anybody would notice
_LEVEL = 1  # a listing shrinks to a tenth with it, and with 9 to little less
_SERVER = "placed"  # without a version, which only readers of /metrics may know
_COMMON_FIELDS = {
    hdrs.SERVER: _SERVER,
    istr("X-Content-Type-Options"): "nosniff",
    istr("Referrer-Policy"): "no-referrer",
    istr("Cross-Origin-Resource-Policy"): "same-origin",  # other sites cannot embed any answer
    istr("Content-Security-Policy"): (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


class Representation:
    """Bytes with their media type and their entity tag, which differs wherever the bytes do.

    Args:
        body: the bytes.
        tag: a text that identifies them; a digest of them if None.
        media_type: for `Content-Type`.
        headers: further header fields.
        level: gzip's compression level.
        worth_compressing: the size in bytes from which the body is compressed.
    """

    def __init__(  # noqa: PLR0913 - what an answer is made of
        self,
        body: bytes,
        *,
        tag: str | None = None,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        level: int = _LEVEL,
        worth_compressing: int = _WORTH_COMPRESSING,
    ) -> None:
        self.body = body
        self.tag = tag or blake2b(body, digest_size=12).hexdigest()
        fields = CIMultiDict(_COMMON_FIELDS)
        fields.update({hdrs.CACHE_CONTROL: "no-cache", hdrs.VARY: "Accept-Encoding"})
        fields.update(headers or {})
        self._plain = _Coding(self.tag, fields, {"Content-Type": media_type})
        self._gzip: _Coding | None = None
        if len(body) >= worth_compressing:
            packed = {"Content-Type": media_type, "Content-Encoding": "gzip"}
            self._gzip = _Coding(f"{self.tag}-gzip", fields, packed)  # other bytes need another strong tag
        self._level = level
        self._compressed: bytes | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers the request: 304 if the client has these bytes, else in a coding that it accepts."""
        asked = request.headers
        coding = self._plain
        if self._gzip is not None and accepts_gzip(asked.get(hdrs.ACCEPT_ENCODING, "")):
            coding = self._gzip
        known = asked.get(hdrs.IF_NONE_MATCH)
        if known is not None and (known == coding.field or _is_known(request, coding.tag)):
            return web.Response(status=304, headers=coding.unchanged)
        return whole(self.body if coding is self._plain else await self._compress(), coding.headers)

    async def _compress(self) -> bytes:
        if self._compressed is None:
            # Thousands of rooms take tens of milliseconds, in which the event loop would publish no edge.
            self._compressed = await asyncio.to_thread(gzip.compress, self.body, self._level, mtime=0)
        return self._compressed


class _Coding:
    """The tag and the header fields of a body in one coding, made once for all answers."""

    def __init__(self, tag: str, fields: CIMultiDict[str], content: Mapping[str, str]) -> None:
        self.tag = tag
        self.field = f'"{tag}"'
        self.unchanged = fields.copy()
        self.unchanged[hdrs.ETAG] = self.field
        self.headers = self.unchanged.copy()
        self.headers.update(content)


def add_common_fields(headers: MutableMapping[str, str]) -> None:
    """Adds the header fields that every answer carries, except those that it has already."""
    if headers.get(hdrs.SERVER) == _SERVER:  # it was made with all of them
        return
    for name, value in _COMMON_FIELDS.items():
        headers.setdefault(name, value)
    headers[hdrs.SERVER] = _SERVER


def complete(headers: MutableMapping[str, str], now: Callable[[], datetime]) -> None:
    """Adds the header fields that every answer to a request carries.

    `Placed-Time` is the daemon's time: pages show the state of that moment, whatever their own clock shows,
    and `Date` has only seconds.
    """
    add_common_fields(headers)
    if PLACED_TIME not in headers:
        headers[PLACED_TIME] = to_the_millisecond(now())


def whole(body: bytes, headers: Mapping[str, str]) -> web.Response:
    """An answer with a body. Of a large one, no more is copied than the client reads."""
    return web.Response(body=body if len(body) <= PORTION else _Portions(body), headers=headers)


class _Portions(Payload):
    """Bytes that are sent in portions, each when the client has read of the one before."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self._body = memoryview(body)

    @property
    def size(self) -> int:
        """See `Payload`."""
        return len(self._body)

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """See `Payload`."""
        return str(self._body, encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """See `Payload`."""
        for start in range(0, len(self._body), PORTION):
            await writer.write(self._body[start : start + PORTION])


def _is_known(request: web.Request, tag: str) -> bool:
    """Whether If-None-Match names the tag, by the weak comparison of RFC 9110, 13.1.2."""
    return any(known.value in (tag, "*") for known in request.if_none_match or ())


@lru_cache(maxsize=100)  # a client sends the same field each time, and so do all of its kind
def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the field Accept-Encoding allows gzip (RFC 9110, 12.5.3). aiohttp ignores the weights in it."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameters = part.partition(";")
        name, _, value = parameters.partition("=")
        try:
            weights[coding.strip()] = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            return False
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0
