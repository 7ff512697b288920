"""What is answered to a GET: bytes with an entity tag, whole, packed by gzip, or as 304."""

from __future__ import annotations

import asyncio
import gzip
from functools import lru_cache
from typing import TYPE_CHECKING

from aiohttp import web

from placed.http import etags
from placed.http.limits import PORTION

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "application/json"
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

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers the request: 304 if the client has it already, else in what coding it takes."""
        headers = {"Cache-Control": "no-cache", "Vary": "Accept-Encoding", "ETag": self.tag, **self._headers}
        pack = len(self.body) >= self._worth_packing and takes_gzip(
            request.headers.get("Accept-Encoding", "")
        )
        if pack:
            headers["ETag"] = etags.packed(self.tag, "gzip")
        if etags.matches(",".join(request.headers.getall("If-None-Match", ())), headers["ETag"]):
            return web.Response(status=304, headers=headers)
        body = self.body
        if pack:
            headers["Content-Encoding"] = "gzip"
            body = await self._pack()
        return await send(request, body, {"Content-Type": self._media_type, **headers})

    async def _pack(self) -> bytes:
        if self._packed is None:
            # A site with thousands of rooms takes tens of milliseconds, in which a room may turn busy.
            self._packed = await asyncio.to_thread(gzip.compress, self.body, self._level, mtime=0)
        return self._packed


async def send(request: web.Request, body: bytes, headers: Mapping[str, str]) -> web.StreamResponse:
    """Answers with a body, in portions: of one that is large, no more is copied than the client reads."""
    if len(body) <= PORTION or request.method == "HEAD":
        return web.Response(body=body, headers=headers)
    response = web.StreamResponse(headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    for start in range(0, len(body), PORTION):
        await response.write(memoryview(body)[start : start + PORTION])
    await response.write_eof()
    return response


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
