"""Tickets for a check-in with a phone: the QR code on a panel contains one.

    1767862500.1767862380.u0hG3rPq…    the meeting's start, when the ticket expires, a code over both and room

A ticket proves that somebody stood before the panel of the room, or saw a picture of it, within the last
minutes. It does not prove who that was. It is good for one thing: to check in, in this room, to this meeting,
once. The daemon keeps no list of tickets: the code (HMAC-SHA-256) is made with a secret that never leaves it.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from placed.domain.action import Action

if TYPE_CHECKING:
    from collections.abc import Callable

LIFE = timedelta(minutes=5)  # long enough to find the phone; the code on the panel is renewed each minute
_PURPOSE = "placed check-in 1"
_TICKET = re.compile(r"(\d{1,11})\.(\d{1,11})\.[A-Za-z0-9_-]{22}")
_CODE = 16  # bytes


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a valid ticket, as the sender of a command.

    Attributes:
        room: the room's id.
        meeting: the start of the meeting.
        name: in the place of a panel's.
    """

    room: str
    meeting: datetime
    name: str = "phone"

    def may(self, room_id: str, action: Action) -> bool:
        """Whether the ticket allows the action in the room."""
        return room_id == self.room and action is Action.CHECK_IN


class CheckInTickets:
    """Makes tickets, and recognises them.

    Args:
        secret: of this daemon; who has it can make tickets.
        now: the wall clock.
    """

    def __init__(self, secret: bytes, now: Callable[[], datetime]) -> None:
        self._secret = secret
        self._now = now

    def ticket(self, room_id: str, meeting: datetime, closes: datetime) -> str:
        """A ticket for the meeting that starts at `meeting`; it expires at `closes` at the latest."""
        expires = min(self._now() + LIFE, closes)
        times = f"{int(meeting.timestamp())}.{int(expires.timestamp())}"
        return f"{times}.{self._code(room_id, times)}"

    def visitor(self, room_id: str, ticket: str) -> Visitor | None:
        """Who shows a ticket for a room; None if it is none, of another room, or has expired."""
        found = _TICKET.fullmatch(ticket)
        if found is None:
            return None
        times, _, code = ticket.rpartition(".")
        if not hmac.compare_digest(code, self._code(room_id, times)):
            return None
        if self._now().timestamp() >= int(found[2]):
            return None
        return Visitor(room_id, datetime.fromtimestamp(int(found[1]), UTC))

    def _code(self, room_id: str, times: str) -> str:
        message = f"{_PURPOSE}\0{room_id}\0{times}".encode()
        digest = hmac.digest(self._secret, message, sha256)
        return urlsafe_b64encode(digest[:_CODE]).decode().rstrip("=")
