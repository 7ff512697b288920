"""Mailboxes and what stands in their calendars.

Exchange rewrites what it accepts for a room (Microsoft: Set-CalendarProcessing): by default the subject is
replaced by the organizer's name and the private flag is cleared. That happens here when a meeting is booked,
once, as there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

ShowAs = Literal["unknown", "free", "tentative", "busy", "oof", "workingElsewhere"]
Sensitivity = Literal["normal", "personal", "private", "confidential"]
Response = Literal["none", "organizer", "tentativelyAccepted", "accepted", "declined", "notResponded"]


class MailboxState(StrEnum):
    """How Graph finds a mailbox, or why it does not."""

    ACTIVE = "active"
    ON_PREMISES = "on-premises"  # 404 MailboxNotEnabledForRESTAPI; also inactive and soft-deleted ones
    UNDISCOVERABLE = "undiscoverable"  # 404 ResourceNotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarProcessing:
    """What the resource booking attendant of a room does; the defaults are Exchange Online's."""

    delete_subject: bool = True
    add_organizer_to_subject: bool = True
    remove_private_property: bool = True
    remove_canceled_meetings: bool = False
    add_new_requests_tentatively: bool = True

    def subject(self, subject: str, organizer: str) -> str:
        """The subject that is kept: with the defaults the organizer's name and a blank."""
        kept = "" if self.delete_subject else subject
        return f"{organizer} {kept}" if self.add_organizer_to_subject else kept


UNTOUCHED = CalendarProcessing(
    delete_subject=False, add_organizer_to_subject=False, remove_private_property=False
)
"""A room, or a person, whose meetings keep their subject and their private flag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimRoom:
    """A room as the places directory knows it."""

    address: str
    user_id: str
    name: str
    building: str | None = None
    floor: int | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """One event in a calendar, as Exchange keeps it.

    Attributes:
        start, end: aware UTC; of an all-day event midnight UTC of its dates, end exclusive.
        revision: grows with each change and makes the change key and the etag.
        exception: whether it is an occurrence that was changed apart from its series.
        properties: single-value extended properties, each with its value.
    """

    id: str
    start: datetime
    end: datetime
    subject: str
    organizer: str
    show_as: ShowAs = "busy"
    sensitivity: Sensitivity = "normal"
    all_day: bool = False
    response: Response = "accepted"
    cancelled: bool = False
    series: str | None = None
    created: datetime
    modified: datetime
    revision: int = 0
    exception: bool = False
    reminder: bool = False
    transaction_id: str | None = None
    properties: tuple[tuple[str, str], ...] = ()

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Whether any of [start, end) of this meeting lies in the half-open window."""
        if self.start == self.end:
            return start <= self.start < end
        return self.start < end and self.end > start


@dataclass(frozen=True, slots=True)
class UnseenChange:
    """A change that readings show only later; `before` is what they show until then, None if nothing.

    Where the clock is set back to before `made_at`, it shows.
    """

    made_at: datetime
    visible_at: datetime
    meeting_id: str
    before: Meeting | None


@dataclass(slots=True, kw_only=True)
class Mailbox:
    """A user object with a calendar: a room or a person.

    Attributes:
        upn: the user principal name, in lower case; it need not be the address.
        version: grows with each change of the calendar.
        unseen: changes that readings do not show yet, the oldest first.
        transactions: ids of the events that were created with a `transactionId`, by that id.
    """

    address: str
    user_id: str
    name: str
    upn: str
    room: SimRoom | None = None
    state: MailboxState = MailboxState.ACTIVE
    processing: CalendarProcessing = UNTOUCHED
    meetings: dict[str, Meeting] = field(default_factory=dict)
    version: int = 0
    unseen: list[UnseenChange] = field(default_factory=list)
    transactions: dict[str, str] = field(default_factory=dict)

    def put(self, meeting: Meeting) -> None:
        """Add or replace a meeting."""
        self.meetings[meeting.id] = meeting
        self.version += 1

    def visible(self, at: datetime) -> list[Meeting]:
        """The meetings that a reading shows at the moment."""
        self.unseen = [change for change in self.unseen if change.made_at <= at < change.visible_at]
        found = dict(self.meetings)
        for change in reversed(self.unseen):
            found.pop(change.meeting_id, None)
            if change.before is not None:
                found[change.meeting_id] = change.before
        return list(found.values())

    def drop(self, meeting_id: str) -> None:
        """Remove a meeting for good."""
        del self.meetings[meeting_id]
        self.version += 1
