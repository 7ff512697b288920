"""What an application does to events with Graph, and what people then see of it.

Some of it is not documented, and was not seen on a tenant: `Undocumented` has both answers of each.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from placed_microsoft365.simulator.tenant.bookings import Bookings
from placed_microsoft365.simulator.tenant.mailboxes import Meeting, UnseenChange

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed_microsoft365.simulator.tenant.mailboxes import Mailbox, ShowAs


@dataclass(slots=True, kw_only=True)
class Undocumented:
    """How the service behaves where its documentation is silent; set the fields as a test needs them.

    Attributes:
        attendee_patch: an attendee's change of start or end changes its own copy, or is refused.
        attendee_delete: the organizer hears of the deletion of an attendee's copy, or does not.
        known_transaction: the status for a `transactionId` that was used before; 201: the event again.
        visible_after: how long a change that an application made takes to show in readings.
    """

    attendee_patch: Literal["own_copy", "refused"] = "own_copy"
    attendee_delete: Literal["silent", "declines"] = "silent"
    known_transaction: Literal[400, 409, 201] = 409
    visible_after: timedelta = field(default_factory=timedelta)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What was sent to somebody because of a change: to the organizer, or to the attendees of a room's event.

    `kind` is `declined`, `cancelled` or `invited`.
    """

    kind: Literal["declined", "cancelled", "invited"]
    room: str
    meeting: str
    comment: str = ""


class EventWrites(Bookings):
    """Calendars that applications change."""

    def __init__(self, domain: str, now: Callable[[], datetime]) -> None:
        super().__init__(domain, now)
        self.undocumented = Undocumented()
        self.messages: list[Message] = []

    def create_event(  # noqa: PLR0913 - an event has this many fields
        self,
        mailbox: Mailbox,
        start: datetime,
        end: datetime,
        *,
        subject: str,
        show_as: ShowAs,
        reminder: bool,
        transaction_id: str | None,
        properties: tuple[tuple[str, str], ...],
        attendees: int,
    ) -> Meeting:
        """An event whose organizer is the mailbox itself; no booking attendant sees it, so it may overlap."""
        now = self.now()
        meeting = Meeting(
            id=self._event_id(),
            start=start,
            end=end,
            subject=subject,
            organizer=mailbox.name,
            show_as=show_as,
            response="organizer",
            created=now,
            modified=now,
            reminder=reminder,
            transaction_id=transaction_id,
            properties=properties,
        )
        self._write(mailbox, meeting.id, meeting)
        if transaction_id is not None:
            mailbox.transactions[transaction_id] = meeting.id
        if attendees:
            self._send("invited", mailbox, meeting.id)
        return meeting

    def patch_event(self, mailbox: Mailbox, meeting_id: str, start: datetime, end: datetime) -> Meeting:
        """Other times, of this copy alone; an occurrence becomes an exception of its series."""
        before = mailbox.meetings[meeting_id]
        changed = replace(
            before,
            start=start,
            end=end,
            exception=before.series is not None,
            modified=self.now(),
            revision=before.revision + 1,
        )
        self._write(mailbox, meeting_id, changed)
        return changed

    def delete_event(self, mailbox: Mailbox, meeting_id: str) -> None:
        """The copy goes; an organizer's attendees get a cancellation."""
        if mailbox.meetings[meeting_id].response == "organizer":
            self._send("cancelled", mailbox, meeting_id)
        elif self.undocumented.attendee_delete == "declines":
            self._send("declined", mailbox, meeting_id)
        self._write(mailbox, meeting_id, None)

    def decline_event(self, mailbox: Mailbox, meeting_id: str, *, comment: str, send_response: bool) -> None:
        """The room declines: its copy goes, and the organizer hears of it if a response is sent."""
        if send_response:
            self._send("declined", mailbox, meeting_id, comment)
        self._write(mailbox, meeting_id, None)

    def cancel_event(self, mailbox: Mailbox, meeting_id: str, *, comment: str) -> None:
        """The room, as the organizer, cancels."""
        self._send("cancelled", mailbox, meeting_id, comment)
        self._write(mailbox, meeting_id, None)

    def update_by_organizer(self, meeting_id: str) -> None:
        """The organizer saves the meeting again: the room's copy gets the organizer's start and end."""
        start, end = self._organizers_times[meeting_id]
        self._change(replace(self.meeting(meeting_id), start=start, end=end))

    def events_of(self, mailbox: Mailbox, event_id: str) -> list[Meeting]:
        """The event with that id; of a series' master all its occurrences; none if there is no such event."""
        found = mailbox.meetings.get(event_id)
        if found is not None:
            return [found]
        return [meeting for meeting in mailbox.meetings.values() if meeting.series == event_id]

    def _send(
        self,
        kind: Literal["declined", "cancelled", "invited"],
        mailbox: Mailbox,
        meeting_id: str,
        comment: str = "",
    ) -> None:
        message = Message(kind=kind, room=mailbox.address, meeting=meeting_id, comment=comment)
        self.messages.append(message)

    def _write(self, mailbox: Mailbox, meeting_id: str, after: Meeting | None) -> None:
        """Changes the calendar; readings show it after the delay that is set."""
        before = mailbox.meetings.get(meeting_id)
        delay = self.undocumented.visible_after
        if delay:
            now = self.now()
            mailbox.unseen.append(UnseenChange(now, now + delay, meeting_id, before))
        if after is None:
            self.delete(meeting_id)
        else:
            mailbox.put(after)
            self._mailbox_of[meeting_id] = mailbox
