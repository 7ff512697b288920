"""Whether the machine's clock is right, compared with the calendar services. A value."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from placed.domain.problem import Problem
from placed.domain.timestamps import timestamp

if TYPE_CHECKING:
    from typing import Any

SET_CLOCK = "set this machine's clock: timedatectl set-ntp true"


class ClockState(StrEnum):
    """The state in one word."""

    UNKNOWN = "unknown"  # no service has reported a time yet
    RIGHT = "right"  # it agrees with the services
    CORRECTED = "corrected"  # it is wrong, and rooms are judged by the services' time
    UNSET = "unset"  # earlier than this release, and no service has reported a time: nothing is published
    DOUBTED = "doubted"  # a service's first answer contradicts it: nothing is published until a second

    @property
    def is_believable(self) -> bool:
        """Whether the time is known well enough to publish anything."""
        return self not in (ClockState.UNSET, ClockState.DOUBTED)


class ClockHealth(msgspec.Struct, frozen=True):
    """The state of the machine's clock at a moment.

    Attributes:
        since: since when the state is the same.
        offset: seconds by which it is ahead of the services, negative if it is behind; None if not known.
        services_disagree: whether the services of several connections report different times.
    """

    state: ClockState
    since: datetime
    offset: float | None = None
    services_disagree: bool = False

    @property
    def problem(self) -> Problem | None:
        """What is wrong with it."""
        text = self._text
        return Problem("", text, SET_CLOCK) if text is not None else None

    @property
    def _text(self) -> str | None:
        if self.state is ClockState.CORRECTED and self.offset is not None:
            direction = "ahead of" if self.offset > 0 else "behind"
            return (
                f"this machine's clock is {_length(abs(self.offset))} {direction} the calendar services; "
                "rooms are judged by the services' time"
            )
        if self.state is ClockState.UNSET:
            return (
                "this machine's clock is earlier than this release of placed, and no calendar service has "
                "reported the time yet; every room is unknown until then"
            )
        if self.state is ClockState.DOUBTED:
            return (
                "a calendar service has reported another time than this machine's clock shows; every room is "
                "unknown until a second answer confirms it"
            )
        return None

    def document(self) -> dict[str, Any]:
        """For `bridge/health` and `/api/v1/connections`. Small offsets are 0, so that it rarely changes."""
        corrected, problem = self.state is ClockState.CORRECTED, self.problem
        return {
            "state": self.state.value,
            "since": timestamp(self.since),
            "offset_seconds": None if self.offset is None else round(self.offset) if corrected else 0,
            "services_disagree": self.services_disagree,
            "problem": problem.text if problem else None,
            "remedy": problem.remedy if problem else None,
        }


def _length(seconds: float) -> str:
    """Returns a duration in a fitting unit: 45 s, 12 min, 5 h, 3 days."""
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size - size / 20:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
