"""The extended property that marks the events that placed created, and the id of an order at Graph.

Source: Microsoft, "singleValueLegacyExtendedProperty" (the format of the id) and "event" (`transactionId`).
Neither value may ever change: an update of placed has to recognize the events of earlier versions.
"""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID, uuid5

_NAMESPACE = UUID("6d0d6f5c-53a1-4f0e-9a0e-2f0d1b9a4c37")
PROPERTY = f"String {{{_NAMESPACE}}} Name placed"
EXPAND = quote(f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')", safe="$()='")


def transaction_id(key: str) -> str:
    """The `transactionId` of the event that an order with this key creates."""
    return str(uuid5(_NAMESPACE, key))
