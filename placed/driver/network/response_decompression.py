"""Decompresses response bodies with a size limit, since a few compressed bytes could exhaust the memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from placed.driver.errors import Unavailable, UnexpectedAnswer

if TYPE_CHECKING:
    import aiohttp

ACCEPTED = "gzip"  # the Accept-Encoding of every request
_GZIP = 16 + zlib.MAX_WBITS
_PACKED = {"": 0, "identity": 0, "gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}


class BodyTooLarge(UnexpectedAnswer):
    """A response is larger than any expected one."""


class DamagedBody(Unavailable):
    """A response is truncated, or has an encoding that was not requested."""


class Body:
    """Collects a body piece by piece.

    Args:
        encoding: its Content-Encoding; None if it has none.
        largest: the limit in unpacked bytes.
    """

    def __init__(self, encoding: str | None, largest: int) -> None:
        packed = (encoding or "").strip().lower()
        if packed not in _PACKED:
            raise DamagedBody("a response has an encoding that was not requested")
        window = _PACKED[packed]
        self._unpack = zlib.decompressobj(window) if window else None
        self._largest = largest
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> None:
        """Adds the next piece.

        Raises:
            BodyTooLarge: the limit is exceeded; the body is discarded.
            DamagedBody: it cannot be decompressed.
        """
        if self._unpack is not None:
            try:
                piece = self._unpack.decompress(piece, self._largest - self._size + 1)
            except zlib.error:
                raise DamagedBody("a response cannot be decompressed") from None
            if self._unpack.unused_data:  # a second part, which would be lost
                raise DamagedBody("a response goes on after the end of its compressed data")
        self._size += len(piece)
        if self._size > self._largest:
            self._pieces.clear()
            raise BodyTooLarge(f"a response is larger than any expected one: over {self._largest >> 10} KiB")
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """Returns the decompressed body.

        Raises:
            DamagedBody: it is truncated.
        """
        if self._unpack is not None and self._size and not self._unpack.eof:
            raise DamagedBody("a response is truncated")
        return b"".join(self._pieces)


async def content_of(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """Reads the whole body of a response; the session must not decompress, and limits the time.

    Raises:
        BodyTooLarge, DamagedBody: see `Body`.
    """
    body = Body(response.headers.get("Content-Encoding"), largest)
    async for piece in response.content.iter_any():
        body.feed(piece)
    return body.whole()
