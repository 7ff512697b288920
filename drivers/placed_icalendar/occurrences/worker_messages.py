"""Messages between the daemon and the process that reads large calendars, over its standard input and output.

Each is its length in four bytes and msgpack; a task is followed by the bodies of calendars as they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

import msgspec

from placed_icalendar.occurrences.contents import Contents, Window

LENGTH = 4


class Task(msgspec.Struct, frozen=True):
    """Asks the worker to read calendars: a `Window`, and the lengths of the bodies that follow."""

    since: datetime
    until: datetime
    zone: str
    address: str | None
    details: bool
    bookings: bool
    zone_is_default: bool
    known: bytes | None
    lengths: tuple[int, ...]

    @property
    def window(self) -> Window:
        """The window as it was asked."""
        return Window(
            self.since,
            self.until,
            ZoneInfo(self.zone),
            self.address,
            self.details,
            bookings=self.bookings,
            zone_is_default=self.zone_is_default,
        )


class Found(msgspec.Struct, frozen=True, tag=True):
    """The calendars were read."""

    contents: Contents


class Same(msgspec.Struct, frozen=True, tag=True):
    """Their digest is the known one."""


class Refused(msgspec.Struct, frozen=True, tag=True):
    """They are malformed, or need too much memory."""

    what: str
    line: int | None = None
    property_name: str | None = None
    over_budget: bool = False


Reply = Found | Same | Refused

_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
_tasks = msgspec.msgpack.Decoder(Task)
_encode = msgspec.msgpack.Encoder().encode


def task_for(window: Window, zone: str, known: bytes | None, lengths: tuple[int, ...]) -> bytes:
    """The message that asks for a reading."""
    return _framed(
        Task(
            since=window.since,
            until=window.until,
            zone=zone,
            address=window.address,
            details=window.details,
            bookings=window.bookings,
            zone_is_default=window.zone_is_default,
            known=known,
            lengths=lengths,
        )
    )


def framed_reply(reply: Reply) -> bytes:
    """The message that answers a task."""
    return _framed(reply)


def reply_in(message: bytes) -> Reply:
    """The reply in a message, without its length.

    Raises:
        msgspec.DecodeError: it is none.
    """
    reply: Reply = _replies.decode(message)
    return reply


def next_task(source: BinaryIO) -> tuple[Task, list[bytes]] | None:
    """Waits for a task and its bodies; None at the end of the input."""
    head = source.read(LENGTH)
    if len(head) < LENGTH:
        return None
    task = _tasks.decode(source.read(int.from_bytes(head, "big")))
    return task, [source.read(length) for length in task.lengths]


def _framed(message: Task | Reply) -> bytes:
    body = _encode(message)
    return len(body).to_bytes(LENGTH, "big") + body
