"""How each room of a connection is read: since when it is readable, or why it is not. Pure.

This is about the calendar service, not about occupancy: a room that has been unreadable for a minute is still
judged by its known schedule.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from placed.domain.consent_record import Consent
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.timestamps import timestamp_or_none

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from placed.domain.model import Room

# Of a room that is refused while others are not. That is no fault: somebody chose whom the fence lets in.
_OUTSIDE = (
    "not in the fence's group, or not yet: add the room mailbox to it, or take the room out of the settings"
)


def within(grant_delay: timedelta) -> str:
    """The end of a remedy: how long it takes to be in effect, if that is known."""
    if not grant_delay:
        return ""
    return f"; a change takes up to {grant_delay / timedelta(hours=1):g} hours to be in effect"


def outside_fence(grant_delay: timedelta) -> str:
    """The remedy for a room that is refused while others are not."""
    return _OUTSIDE + within(grant_delay)


class Access(StrEnum):
    """How a room is read, in a word."""

    WAITING = "waiting"  # not asked for yet
    READABLE = "readable"
    REFUSED = "refused"  # outside the fence, consent missing, or the whole connection is refused
    NOT_FOUND = "not_found"
    THROTTLED = "throttled"
    MALFORMED = "malformed"
    UNAVAILABLE = "unavailable"
    BREACHED = "breached"  # not asked for any more, since the fence does not hold


_ACCESS = {
    Reason.FORBIDDEN: Access.REFUSED,
    Reason.REFUSED: Access.REFUSED,
    Reason.NOT_FOUND: Access.NOT_FOUND,
    Reason.THROTTLED: Access.THROTTLED,
    Reason.MALFORMED: Access.MALFORMED,
    Reason.BREACHED: Access.BREACHED,
}
DOUBTED = 3  # failures in a row of what was readable before, until they count as lasting
_GONE = frozenset({Reason.FORBIDDEN, Reason.NOT_FOUND})


class ReadFailure(msgspec.Struct, frozen=True):
    """Why the last reading of a room, or of every room of a connection, failed; and since when they fail."""

    reason: Reason
    since: datetime
    problem: Problem
    consent: Consent = Consent.UNKNOWN
    times: int = 1  # in a row


class RoomReadability:
    """Of all rooms of a connection. What is not known of a room is that it waits.

    Args:
        grant_delay: how long a change of the fence's group takes to be in effect; zero if unknown.
    """

    def __init__(self, grant_delay: timedelta = timedelta(0)) -> None:
        self.outside = outside_fence(grant_delay)  # the remedy for a room that the fence does not let in
        self.failing: dict[str, ReadFailure] = {}  # by room id
        self.readable: dict[str, datetime] = {}  # since when, by room id

    def keep(self, room_ids: Collection[str]) -> None:
        """Forgets all others."""
        self.failing = {room_id: f for room_id, f in self.failing.items() if room_id in room_ids}
        self.readable = {room_id: since for room_id, since in self.readable.items() if room_id in room_ids}

    def interrupt(self) -> None:
        """None could be read, for what ails the whole connection."""
        self.readable.clear()

    def succeeded(self, room_id: str, moment: datetime) -> bool:
        """A room was read; whether it could not be before."""
        self.readable.setdefault(room_id, moment)
        return self.failing.pop(room_id, None) is not None

    def failed(self, room_id: str, failure: ReadFailure) -> bool:
        """A room could not be read; whether that, or why, is news."""
        before = self.failing.get(room_id)
        self.readable.pop(room_id, None)
        if before is not None:
            failure = replace(failure, since=before.since, times=before.times + 1)
        self.failing[room_id] = failure
        return before is None or before.reason is not failure.reason

    def is_gone(self, room_id: str) -> bool:
        """Whether a room's mailbox cannot be read any more: refused or not found, not just once."""
        failure = self.failing.get(room_id)
        return failure is not None and failure.reason in _GONE and failure.times >= DOUBTED

    @property
    def forbidden(self) -> bool:
        """Whether rooms fail, and all that do are forbidden."""
        return bool(self.failing) and all(f.reason is Reason.FORBIDDEN for f in self.failing.values())

    @property
    def consent(self) -> Consent:
        """What all rooms together show about consent."""
        if self.readable:
            return Consent.GRANTED
        if not self.forbidden:
            return Consent.UNKNOWN
        shown = {failure.consent for failure in self.failing.values()}
        return Consent.GRANTED if Consent.GRANTED in shown else Consent.MISSING


def readability_documents(
    rooms: Iterable[Room], readability: RoomReadability, whole: ReadFailure | None
) -> list[dict[str, str | None]]:
    """A document a room: `{"room","name","access","since","reason","detail","remedy"}`.

    What ails the whole connection goes before what is known of a room.
    """
    return [_document(room, readability, whole) for room in rooms]


def _document(room: Room, readability: RoomReadability, whole: ReadFailure | None) -> dict[str, str | None]:
    since = readability.readable.get(room.id)
    failure: ReadFailure | None = whole or readability.failing.get(room.id)
    access = Access.WAITING if since is None else Access.READABLE
    reason = detail = remedy = None
    if failure is not None:
        access = _ACCESS.get(failure.reason, Access.UNAVAILABLE)
        since, reason, detail = failure.since, failure.reason.value, failure.problem.text
        outside = failure.reason is Reason.FORBIDDEN and failure is not whole and readability.readable
        remedy = readability.outside if outside else failure.problem.remedy
    return {
        "room": room.id,
        "name": room.name,
        "access": access.value,
        "since": timestamp_or_none(since),
        "reason": reason,
        "detail": detail,
        "remedy": remedy or None,
    }
