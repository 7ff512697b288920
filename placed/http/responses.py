"""What is answered to a GET: bytes with an entity tag, whole, packed by gzip, or as 304."""

from __future__ import annotations

import asyncio
import gzip
from functools import lru_cache
from typing import TYPE_CHECKING

from aiohttp import hdrs, web
from aiohttp.payload import Payload
from multidict import CIMultiDict, istr

from placed.http import etags
from placed.http.limits import PORTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.abc import AbstractStreamWriter

JSON = "application/json"
_ETAG = istr("ETag")  # as RFC 9110 writes it, and aiohttp does not
_WORTH_PACKING = 2048  # bytes; below, gzip saves nothing that anybody would notice
_LEVEL = 1  # a listing shrinks to a tenth with it, and with 9 to little less


class Representation:
    """Bytes, their media type and their strong entity tag; packed at most once."""

    def __init__(  # noqa: PLR0913 - what an answer is made of
        self,
        body: bytes,
        *,
        tag: str | None = None,
        media_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        level: int = _LEVEL,
        worth_packing: int = _WORTH_PACKING,
    ) -> None:
        self.body = body
        self.tag = tag or etags.of_content(body)
        self._media_type = media_type
        self._headers = headers or {}
        self._level = level
        self._worth_packing = worth_packing
        self._packed: bytes | None = None
        self._fields: dict[bool, CIMultiDict[str]] = {}  # of both kinds of answer, by whether it is packed

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers the request: 304 if the client has it already, else in what coding it takes."""
        pack = len(self.body) >= self._worth_packing and takes_gzip(
            request.headers.get(hdrs.ACCEPT_ENCODING, "")
        )
        fields = self._fields.get(pack) or self._make_fields(pack=pack)
        if etags.matches(",".join(request.headers.getall(hdrs.IF_NONE_MATCH, ())), fields[_ETAG]):
            return web.Response(status=304, headers=fields)
        fields = CIMultiDict(fields)
        fields.setdefault(hdrs.CONTENT_TYPE, self._media_type)
        if pack:
            fields[hdrs.CONTENT_ENCODING] = "gzip"
        return whole(await self._pack() if pack else self.body, fields)

    def _make_fields(self, *, pack: bool) -> CIMultiDict[str]:
        fields: CIMultiDict[str] = CIMultiDict(
            {
                hdrs.CACHE_CONTROL: "no-cache",
                hdrs.VARY: "Accept-Encoding",
                _ETAG: etags.packed(self.tag, "gzip") if pack else self.tag,
                **self._headers,
            }
        )
        self._fields[pack] = fields
        return fields

    async def _pack(self) -> bytes:
        if self._packed is None:
            # A site with thousands of rooms takes tens of milliseconds, in which a room may turn busy.
            self._packed = await asyncio.to_thread(gzip.compress, self.body, self._level, mtime=0)
        return self._packed


def whole(body: bytes, headers: Mapping[str, str]) -> web.Response:
    """The answer with a body: of one that is large, no more is copied than the client reads."""
    return web.Response(body=body if len(body) <= PORTION else _Portions(body), headers=headers)


class _Portions(Payload):
    """Bytes that go out in portions, each when the client has read of what went before."""

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


@lru_cache(maxsize=100)  # a client says the same each time, and so do all of its kind
def takes_gzip(accept_encoding: str) -> bool:
    """Whether the field Accept-Encoding lets gzip be used (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accept_encoding.lower().split(","):
        coding, _, parameters = part.partition(";")
        name, _, value = parameters.partition("=")
        try:
            weights[coding.strip()] = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            return False
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", 0.0))) > 0
