"""RFC 3339 timestamps, as every document and message writes them. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@lru_cache(maxsize=2000)  # many meetings start at the same moment, and each document writes it again
def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with Z; with milliseconds where the moment has a fraction."""
    text = moment.isoformat()[: -len("+00:00")]
    return f"{text[:-3] if moment.microsecond else text}Z"


def timestamp_or_none(moment: datetime | None) -> str | None:
    """The same, where there may be no moment."""
    return timestamp(moment) if moment else None
