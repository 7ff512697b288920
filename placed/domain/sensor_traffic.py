"""What became of the messages of presence sensors, and whether their brokers are connected. Pure.

The metrics read it. There is no number for a single sensor or room: a motion detector that sends more
messages shows that somebody is there, whatever may be shown of the room's presence.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class MessageResult(StrEnum):
    """What became of a message; the label `result` of the metrics."""

    TAKEN = "taken"  # a reading, or whether a device is there
    UNREADABLE = "unreadable"  # it has no value that is understood
    IGNORED = "ignored"  # its reading is out of order, from the future, or of unknown age
    NO_ROOM = "no_room"  # its room or its device is not known
    DROPPED = "dropped"  # too many messages were waiting


class SensorTraffic(Protocol):
    """What the sensors sent since the start."""

    @property
    def configured(self) -> bool:
        """Whether there are sensors."""
        ...

    @property
    def messages(self) -> Mapping[MessageResult, int]:
        """How many messages there were, by what became of them."""
        ...

    @property
    def brokers(self) -> Mapping[str, bool]:
        """Whether each of their brokers is connected, by the broker's table in the settings."""
        ...
