"""Values in sensors' messages: what counts as present, as a count and as a moment. Pure.

A value that is not listed here is not a reading: it is never taken for `false`.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

PRESENT_WORDS = frozenset(
    (
        "on",
        "true",
        "yes",
        "1",
        "occupied",
        "present",
        "presence",
        "detected",
        "motion",
        "motion_detected",
        "active",
        "online",
        "open",
        "used",
    )
)
EMPTY_WORDS = frozenset(
    (
        "off",
        "false",
        "no",
        "0",
        "unoccupied",
        "vacant",
        "empty",
        "absent",
        "clear",
        "no_motion",
        "no_motion_detected",
        "not_detected",
        "none_detected",
        "inactive",
        "offline",
        "closed",
        "unused",
    )
)
UNAVAILABLE_WORDS = frozenset(("unavailable", "unknown"))  # as Home Assistant reports a lost device

_MOST_PEOPLE = 100_000
_MILLISECONDS_FROM = 10**11  # as seconds this would be the year 5138


def presence_of(value: object) -> bool | None:
    """Returns whether a value states presence; None if it is no statement about it."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value > 0 if _is_amount(value) else None
    if isinstance(value, str):
        word = _word(value)
        if word in PRESENT_WORDS:
            return True
        if word in EMPTY_WORDS:
            return False
    return None


def count_of(value: object) -> int | None:
    """Returns a number of people; None if the value is none."""
    if isinstance(value, str):
        try:
            value = float(value) if "_" not in value else None
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_amount(value):
        return None
    return math.ceil(value)


def states_unavailable(value: object) -> bool:
    """Whether a value states that the device is lost, in the words of Home Assistant."""
    return isinstance(value, str) and _word(value) in UNAVAILABLE_WORDS


def moment_of(value: object) -> datetime | None:
    """Returns the moment that a value names; None if it names none.

    It is RFC 3339 text with an offset, or the seconds or milliseconds since 1970.
    """
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return moment.astimezone(UTC) if moment.tzinfo is not None else None
        if isinstance(value, int | float) and not isinstance(value, bool) and _is_amount(value, most=10**15):
            return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _word(value: str) -> str:
    return "_".join(value.strip().lower().replace("-", " ").split())


def _is_amount(value: float, most: int = _MOST_PEOPLE) -> bool:
    return 0 <= value <= most  # also of integers that are larger than any float; false of NaN
