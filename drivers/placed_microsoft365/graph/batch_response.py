"""Decodes a batch response into its items."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.graph.json_structs import BatchAnswer, BatchItem, RawBatchAnswer
from placed_microsoft365.graph.response import BAD_JSON, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

_decoder = msgspec.json.Decoder(BatchAnswer)
_item_decoder = msgspec.json.Decoder(BatchItem)


def items_of(batch: bytes) -> dict[str, BatchItem]:
    """Returns the items by the id of their request.

    A malformed item is skipped; if two items have the same id, neither is used.

    Raises:
        UnexpectedAnswer: it is not a batch response.
    """
    try:
        found = _decoder.decode(batch).responses
    except BAD_JSON:
        found = list(_well_formed(decode(batch, RawBatchAnswer)))
    items = {item.id: item for item in found}
    if len(items) < len(found):
        for item in found:
            kept = items.get(item.id)
            if kept is not None and (kept.status, bytes(kept.body)) != (item.status, bytes(item.body)):
                del items[item.id]
    return items


def _well_formed(answer: RawBatchAnswer) -> Iterator[BatchItem]:
    for raw in answer.responses:
        with suppress(*BAD_JSON):
            yield _item_decoder.decode(raw)
