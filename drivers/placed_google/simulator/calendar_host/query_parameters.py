"""Reading the query of a call. What no method has as a parameter, and values out of range, are refused."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from placed_google.simulator.api_messages import invalid

if TYPE_CHECKING:
    from placed_google.simulator.api_messages import ApiCall

EVERYWHERE = frozenset({"alt", "fields", "prettyPrint", "quotaUser", "key", "userIp"})


def known_only(call: ApiCall, *names: str) -> None:
    """The query may have these parameters, and those of every method."""
    for name in call.query:
        if name not in EVERYWHERE and name not in names:
            message = f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.'
            raise invalid(name, message, "badRequest")
    if call.query.get("alt", "json") != "json":
        raise invalid("alt", f"Invalid value for alt: {call.query['alt']}")


def moment(call: ApiCall, name: str) -> datetime | None:
    """An offset is mandatory, fractions are ignored; a raw plus sign has become a blank and is refused."""
    text = call.query.get(name)
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise invalid(name, "Bad Request", "badRequest")
    return found.replace(microsecond=0)


def flag(call: ApiCall, name: str) -> bool:
    """`true` or `false`, which is the default."""
    text = call.query.get(name, "false").lower()
    if text not in ("true", "false"):
        raise invalid(name, f"Invalid boolean value: '{text}'.")
    return text == "true"


def number(call: ApiCall, name: str, default: int) -> int:
    """A whole number from 1."""
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise invalid(name, f"Invalid value '{text}'. Values must be within the range: [1, 2147483647]")
    return int(text)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name, or 400."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise invalid("timeZone", f"Invalid time zone definition: {name}", "invalid") from None
