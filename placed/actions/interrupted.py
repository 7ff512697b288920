"""What has become of a command during which the process ended: it is looked for, and never written again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from placed.actions.command_outcome import UNCERTAIN, CommandOutcome, Effect, refused
from placed.domain.action import Outcome, Refusal
from placed.driver import Book, Release, Shorten
from placed.store.command_store import Intent, IntentKind

if TYPE_CHECKING:
    from placed.actions.written_check import WrittenCheck
    from placed.domain.model import Room
    from placed.driver import Order
    from placed.store.command_store import CommandRecord


def intent_of(order: Order) -> Intent:
    """What is stored of an order before it is carried out."""
    if isinstance(order, Book):
        return Intent(IntentKind.BOOK, order.start, order.end)
    key, version = order.booking.meeting.key, order.booking.version or None
    if isinstance(order, Shorten):
        return Intent(IntentKind.SHORTEN, end=order.end, meeting=key, version=version)
    kind = IntentKind.RELEASE if isinstance(order, Release) else IntentKind.WITHDRAW
    return Intent(kind, meeting=key, version=version)


def bookable(record: CommandRecord) -> tuple[datetime, datetime] | None:
    """The start and end of what a command may have booked; None if it has booked nothing."""
    is_refused = record.reply is not None and record.reply.outcome is Outcome.REFUSED
    match record.intent:
        case Intent(kind=IntentKind.BOOK, start=datetime() as start, end=datetime() as end) if not is_refused:
            return start, end
    return None


async def resolve(record: CommandRecord, room: Room, check: WrittenCheck) -> CommandOutcome | None:
    """Looks what has become of the last order; None if the calendar does not show it yet."""
    match record.intent:
        case None:
            return refused(Refusal.UNAVAILABLE)
        case Intent(kind=IntentKind.BOOK, start=datetime() as start, end=datetime() as end):
            return await check.booking(Book(record.command.key, room, start, end, ""), certain=False)
        case Intent(kind=IntentKind.SHORTEN, end=datetime() as end, meeting=str(key)):
            return await check.change(Effect(key, end), record.intent.version)
        case Intent(kind=IntentKind.RELEASE, meeting=str(key)):
            never = datetime.min.replace(tzinfo=UTC)
            return await check.change(Effect(key, never), record.intent.version)
    return UNCERTAIN  # an extension may be gone, and the meeting goes on
