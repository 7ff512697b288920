"""How often rooms can be read within the requests that are allowed in a minute. Pure.

A full reading costs a request for each room, free/busy one for fifty rooms. Where full readings exceed the
budget, half of it is for free/busy and for calendars that it shows as changed; with the other half every
calendar is read in full.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

FREE_BUSY_SIZE = 50  # calendars in a request of free/busy: Google's limit
FULL_WITHIN = 180.0  # seconds within which every calendar is read in full, if the budget suffices
_MINUTE = 60.0
_SHARE = 0.5


def full_reading(rooms: int, budget: int) -> float:
    """Returns the seconds in which so many rooms can be read in full."""
    return rooms * _MINUTE / budget


def free_busy_reading(rooms: int, budget: int) -> float:
    """Returns the seconds in which free/busy of so many rooms can be asked for."""
    return math.ceil(rooms / FREE_BUSY_SIZE) * _MINUTE / (budget * _SHARE)


def full_within(rooms: int, budget: int) -> float:
    """Returns the seconds within which every calendar is read in full beside free/busy."""
    return max(FULL_WITHIN, full_reading(rooms, budget) / _SHARE)


def note(rooms: int | None, budget: int, interval: timedelta) -> str:
    """Returns what the budget means for the interval; empty if it suffices for full readings.

    Args:
        rooms: how many there are; None if that is not known yet.
        budget: requests a minute.
        interval: of the settings.
    """
    seconds = interval.total_seconds()
    most = int(budget * seconds / _MINUTE)
    if rooms is None:
        return (
            f"requests_per_minute = {budget} suffices to read {most} rooms every {seconds:g} s; of more "
            "rooms only free/busy is read so often"
        )
    if rooms <= most:
        return ""
    minutes = math.ceil(full_within(rooms, budget) / _MINUTE)
    stretched = max(seconds, free_busy_reading(rooms, budget))
    return (
        f"requests_per_minute = {budget} suffices to read {most} of {rooms} rooms every {seconds:g} s: "
        f"free/busy is read every {stretched:.0f} s, changed calendars at once, and every calendar within "
        f"{minutes} minutes; if Google refuses free/busy, rooms are read every "
        f"{full_reading(rooms, budget):.0f} s"
    )
