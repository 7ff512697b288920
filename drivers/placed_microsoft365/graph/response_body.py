"""Bodies of answers, unpacked and limited in size: else a few packed bytes would take all memory."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from placed.driver import Unavailable
from placed_microsoft365.graph.response import UnexpectedAnswer

if TYPE_CHECKING:
    import aiohttp

ACCEPTED = "gzip"  # what every request asks for, as Accept-Encoding
_GZIP = 16 + zlib.MAX_WBITS
_PACKED = {"": 0, "identity": 0, "gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}


class BodyTooLarge(UnexpectedAnswer):
    """An answer is larger than any that was asked for."""


class DamagedBody(Unavailable):
    """An answer breaks off, or is packed in a way that was not asked for."""


class Body:
    """Takes in a body piece by piece.

    Args:
        encoding: its Content-Encoding, None if it has none.
        largest: bytes, unpacked.
    """

    def __init__(self, encoding: str | None, largest: int) -> None:
        packed = (encoding or "").strip().lower()
        if packed not in _PACKED:
            raise DamagedBody("an answer is packed in a way that was not asked for")
        window = _PACKED[packed]
        self._unpack = zlib.decompressobj(window) if window else None
        self._largest = largest
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> None:
        """Takes the next piece, as it came.

        Raises:
            TooLarge: nothing of it is kept.
            Damaged: it cannot be unpacked.
        """
        if self._unpack is not None:
            try:
                piece = self._unpack.decompress(piece, self._largest - self._size + 1)
            except zlib.error:
                raise DamagedBody("an answer cannot be unpacked") from None
        self._size += len(piece)
        if self._size > self._largest:
            self._pieces.clear()
            raise BodyTooLarge(
                f"an answer is larger than any that was asked for: over {self._largest >> 10} KiB"
            )
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """The body, unpacked.

        Raises:
            Damaged: it breaks off.
        """
        if self._unpack is not None and self._size and not self._unpack.eof:
            raise DamagedBody("an answer breaks off")
        return b"".join(self._pieces)


async def content_of(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """The whole body of an answer to a session that does not unpack by itself; its time is the session's.

    Raises:
        TooLarge, Damaged: see `Body`.
    """
    body = Body(response.headers.get("Content-Encoding"), largest)
    async for piece in response.content.iter_any():
        body.feed(piece)
    return body.whole()
