"""Makes a room's id of its address, or of its name where the address means nothing. Pure."""

from __future__ import annotations

import re
import unicodedata


def slug(address: str) -> str:
    """Returns a room's id by its address: the lower-cased local part; what is not a-z 0-9 - _ becomes a -."""
    return re.sub(r"[^a-z0-9_-]", "-", address.partition("@")[0].lower()) or "room"


def slug_of_name(name: str) -> str:
    """Returns the id of a room whose address means nothing, by its name; "" if nothing is left of it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", "-", plain.lower()).strip("-")
