"""The presence of a room in the table and in the lines of `placed rooms` and `placed watch`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.presence import PresenceState, Use

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.panel.received_documents import PresenceHeard

STYLES = {"unbooked": "yellow", "since": "yellow", "unknown": "dim"}  # by a word in the cell
_SOMEBODY, _NOBODY, _UNKNOWN = "◉", "◌", "?"


def cell(presence: PresenceHeard | None, use: str | None, clock: Callable[[datetime], str]) -> str:
    """Shape and word: `◉ used`, `◉ 3 people`, `◉ unbooked`, `◌ nobody since 09:12`, `◌ empty`, `? unknown`.

    It is empty for a room without sensors.
    """
    if presence is None:
        return ""
    words = _words(presence, use, clock)
    if presence.state == PresenceState.PRESENT:
        return f"{_SOMEBODY} {words}"
    return f"{_NOBODY if presence.state == PresenceState.EMPTY else _UNKNOWN} {words}"


def sentence(presence: PresenceHeard | None, use: str | None, clock: Callable[[datetime], str]) -> str:
    """`, nobody since 09:12`; nothing for a room without a known presence."""
    if presence is None or presence.state not in (PresenceState.PRESENT, PresenceState.EMPTY):
        return ""
    return f", {_words(presence, use, clock)}"


def _words(presence: PresenceHeard, use: str | None, clock: Callable[[datetime], str]) -> str:
    if presence.state == PresenceState.EMPTY:
        return f"nobody since {clock(presence.since)}" if use == Use.BOOKED_EMPTY else "empty"
    if presence.state != PresenceState.PRESENT:
        return "unknown"
    parts = []
    if presence.count:
        parts.append(f"{presence.count:,} {'person' if presence.count == 1 else 'people'}")
    if use == Use.UNBOOKED:
        parts.append("unbooked")
    return ", ".join(parts) or ("used" if use == Use.USED else "somebody")
