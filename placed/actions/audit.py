"""One log line for each order and each outcome, without titles and names."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import structlog

from placed.domain.timestamps import timestamp, timestamp_or_none
from placed.driver import Book, NotWritten, Shorten, Written

if TYPE_CHECKING:
    from placed.domain.action import Command, Reply
    from placed.driver import Order, WriteResult

log = structlog.get_logger("placed.actions.audit")


def log_order(command: Command, order: Order, result: WriteResult) -> None:
    """Logs what was sent to a calendar, what had been read before, and what came of it."""
    booking = None if isinstance(order, Book) else order.booking
    read = None
    if booking is not None:
        meeting = booking.meeting
        read = {"start": timestamp(meeting.start), "end": timestamp(meeting.end)}
    sent = {"order": type(order).__name__.lower()}
    if isinstance(order, Book):
        sent |= {"start": timestamp(order.start), "end": timestamp(order.end)}
    elif isinstance(order, Shorten):
        sent |= {"end": timestamp(order.end)}
    log.info(
        "action.audit",
        **_whose(command),
        meeting_key=_digest(booking.meeting.key) if booking is not None else None,
        read=read,
        sent=sent,
        status=_status(result),
        request=result.reference or None,
        problem=None if isinstance(result, Written) else result.problem.text,
    )


def log_outcome(command: Command, reply: Reply) -> None:
    """Logs what a panel was answered in the end."""
    log.info(
        "action.audit",
        **_whose(command),
        outcome=reply.outcome.value,
        reason=reply.reason.value if reply.reason is not None else None,
    )


def _whose(command: Command) -> dict[str, str | None]:
    return {
        "room": command.room,
        "action": command.action.value,
        "key": command.key,
        "channel": command.channel.value,
        "sender": command.sender or None,
        "meeting": timestamp_or_none(command.meeting),
        "until": timestamp_or_none(command.until),
    }


def _status(result: WriteResult) -> str:
    if isinstance(result, Written):
        return "written"
    return result.failure.value if isinstance(result, NotWritten) else "unclear"


def _digest(key: str) -> str:
    """A short digest, with which two lines about one meeting can be recognised."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
