"""How each room of a connection is read: since when it is readable, or why it is not. Values.

This is about the calendar service, not about occupancy: a room that has been unreadable for a minute is still
judged by its known schedule.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import msgspec

from placed.domain.consent_record import Consent
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.timestamps import timestamp_or_none

if TYPE_CHECKING:
    from collections.abc import Iterable

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


class ReadFailure(msgspec.Struct, frozen=True):
    """Why the last reading of a room, or of every room of a connection, failed; and since when they fail."""

    reason: Reason
    since: datetime
    problem: Problem
    consent: Consent = Consent.UNKNOWN
    times: int = 1  # in a row


class RoomReadability(msgspec.Struct, frozen=True):
    """How each room of a connection is read, as of a moment. A room that is in neither mapping waits.

    Attributes:
        failing: why a room is not readable, by room id.
        readable: since when a room is readable, by room id.
        outside: the remedy for a room that the fence does not let in.
    """

    failing: Mapping[str, ReadFailure] = MappingProxyType({})
    readable: Mapping[str, datetime] = MappingProxyType({})
    outside: str = outside_fence(timedelta(0))

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
