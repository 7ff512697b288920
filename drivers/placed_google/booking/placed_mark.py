"""The private property that marks the events that placed created, and the id of the event of an order.

Source: Google, Calendar API v3, "Events": `extendedProperties.private`, and `id`, which is base32hex.
Neither value may ever change: an update of placed has to recognize the events of earlier versions.
"""

from __future__ import annotations

from uuid import UUID, uuid5

_NAMESPACE = UUID("0b1d6f0e-7c1b-4f5e-8d0a-5a3c9b6e2f14")
PROPERTY = "placed"


def event_id(key: str) -> str:
    """The id of the event that an order with this key creates: Google takes it once."""
    return f"placed{uuid5(_NAMESPACE, key).hex}"
