"""The header Retry-After: how long a service asks to be left alone."""

from __future__ import annotations

import email.utils
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_REST = 3600.0  # seconds; a longer Retry-After is cut to this


def parse_retry_after(value: object, now: datetime) -> float | None:
    """Returns the seconds of a Retry-After header, which may be a date; some services send fractions."""
    if value is None:
        return None
    text = str(value)
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(text)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
        except (ValueError, OverflowError):
            return None
    if seconds != seconds:  # noqa: PLR0124 - NaN
        return None
    return min(max(seconds, 0.0), LONGEST_REST)
