"""How a command ended, and how the room's schedule shows it. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from placed.domain.action import Outcome, Refusal
from placed.domain.occupancy import occupies
from placed.driver import Book, Shorten

if TYPE_CHECKING:
    from placed.domain.model import Schedule
    from placed.domain.occupancy import Policy
    from placed.driver import Order

_OUTDATED = frozenset((Refusal.CONFLICT, Refusal.CHANGED, Refusal.NO_SUCH_MEETING, Refusal.TOO_LATE))
_NEVER = datetime.min.replace(tzinfo=UTC)


class Effect(msgspec.Struct, frozen=True):
    """What a schedule shows once a write is in effect: a meeting is there, or does not last beyond `end`."""

    meeting: str
    end: datetime | None = None

    @classmethod
    def of(cls, order: Order) -> Effect | None:
        """The effect of an order on a booking that is there."""
        if isinstance(order, Book):
            return None
        return cls(order.booking.meeting.key, order.end if isinstance(order, Shorten) else _NEVER)

    def is_shown(self, schedule: Schedule, policy: Policy) -> bool:
        """Whether a schedule shows it."""
        found = [m for m in schedule.meetings if m.key == self.meeting and occupies(m, policy)]
        return bool(found) if self.end is None else all(m.end <= self.end for m in found)


class CommandOutcome(msgspec.Struct, frozen=True):
    """How a command ended, and the effect by which the room's statement shows it."""

    outcome: Outcome
    reason: Refusal | None = None
    effect: Effect | None = None

    @property
    def shows_another_calendar(self) -> bool:
        """Whether the panel, which asked for something possible, did not know the calendar as it is now."""
        return self.reason in _OUTDATED


UNCERTAIN = CommandOutcome(Outcome.UNCERTAIN, Refusal.UNCERTAIN)


def done(effect: Effect | None = None) -> CommandOutcome:
    """It is so now."""
    return CommandOutcome(Outcome.DONE, None, effect)


def refused(reason: Refusal) -> CommandOutcome:
    """It was not done."""
    return CommandOutcome(Outcome.REFUSED, reason)
