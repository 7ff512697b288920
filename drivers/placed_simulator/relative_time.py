"""Times in words: `now`, `+5m`, `-1h30m`, `+90s`, or an ISO 8601 moment with an offset."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_LENGTH = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def parse_length(text: str) -> timedelta:
    """`1h30m`, `45m`, `2d`, `20s`.

    Raises:
        ValueError: it is none of these.
    """
    found = _LENGTH.fullmatch(text)
    if found is None or not text:
        raise ValueError(f"{text!r} is no length of time such as 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment in UTC that the text means, seen from `now`.

    Raises:
        ValueError: it means none, or has no offset.
    """
    if text == "now":
        return now
    if text.startswith("+"):
        return now + parse_length(text[1:])
    if text.startswith("-"):
        return now - parse_length(text[1:])
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset; write Z for UTC")
    return moment.astimezone(UTC)


def whole_minute(moment: datetime) -> datetime:
    """The minute that the moment is in."""
    return moment.replace(second=0, microsecond=0)
