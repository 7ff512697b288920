"""Page tokens: texts that only the service can read."""

from __future__ import annotations

import base64

from placed_google.simulator.api_messages import invalid


def page_token(offset: int) -> str:
    """What the page that begins there is asked with."""
    return base64.urlsafe_b64encode(f"page:{offset}".encode()).decode().rstrip("=")


def offset_of(token: str | None) -> int:
    """Where the page begins; 400 for what is no token."""
    if not token:
        return 0
    try:
        padded = token + "=" * (-len(token) % 4)
        kind, _, number = base64.urlsafe_b64decode(padded.encode()).decode().partition(":")
        offset = int(number) if kind == "page" else None
    except ValueError:
        offset = None
    if offset is None or offset < 0:
        raise invalid("pageToken", "Invalid page token value.", "invalid")
    return offset


FIRST = page_token(0)
