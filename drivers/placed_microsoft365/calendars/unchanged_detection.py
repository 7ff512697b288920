"""How what was read before is known again, in a hundredth of the time that parsing it takes."""

from __future__ import annotations

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from xxhash import xxh3_128_digest

from placed_microsoft365.graph.json_structs import BatchItem
from placed_microsoft365.graph.response import BAD_JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

# An answer is known again by 128 bits of XXH3, in a tenth of the time of hashlib's fastest digest. That is no
# digest for cryptography, so a seed that nobody knows keeps anybody from aiming at it.
_SEED = secrets.randbits(64)

_decode_item = msgspec.json.Decoder(BatchItem).decode
_OK = HTTPStatus.OK.value
_FIRST, _BODY, _NO_BODY, _NEXT, _LAST = b'{"responses":[', b'"body":', b"null}", b"},", b"}]}"


class KnownAnswer(msgspec.Struct, frozen=True, gc=False):
    """What was read last: for which room, the window, the zone of its all-day meetings, and the body.

    A mailbox's address may be given to another room, of which nothing was read by it.
    """

    room_id: str
    since: datetime
    until: datetime
    zone: ZoneInfo
    length: int  # bytes of the body, which is a JSON value
    digest: bytes


def digest_of(body: bytes | memoryview | msgspec.Raw) -> bytes:
    """16 bytes by which a body is known again."""
    return xxh3_128_digest(body, _SEED)


def all_unchanged(batch: bytes, known: Mapping[str, KnownAnswer]) -> bool:
    """Whether a batch answers each question with the body that is known, in whatever order.

    No body is parsed: where a known one begins, the very same bytes are the whole of it, since no JSON object
    begins with another. Whatever is not as expected, were it a space between two answers, makes it False; who
    wants to know more has to decode the batch.

    Args:
        batch: what Graph answered.
        known: by the id of the question.
    """
    if not batch.startswith(_FIRST):
        return False
    whole, begin, missing = memoryview(batch), len(_FIRST), dict(known)
    while True:
        body = batch.find(_BODY, begin) + len(_BODY)
        try:
            item = _decode_item(batch[begin:body] + _NO_BODY)
        except BAD_JSON:
            return False
        expected = missing.pop(item.id, None)
        if expected is None or item.status != _OK:
            return False
        end = body + expected.length
        if digest_of(whole[body:end]) != expected.digest:
            return False
        if not missing:
            return whole[end:] == _LAST
        begin = end + len(_NEXT)
        if whole[end:begin] != _NEXT:
            return False
