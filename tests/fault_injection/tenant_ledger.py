"""A tenant that records what applications have written into its calendars. Uses no code of the daemon."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from placed_microsoft365.simulator import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed_microsoft365.simulator.tenant.mailboxes import Mailbox, Meeting


class WriteKind(StrEnum):
    """What a write did."""

    CREATED = "created"
    RETIMED = "retimed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class CalendarWrite:
    """One write that the tenant has carried out.

    Attributes:
        number: of the write, in order.
        room: the local part of the room's address.
        meeting: the event's id.
        start, end: of the event before the write; of a new one, its own.
        new_end: of the event after the write; None if it is gone.
        key: that the application put into the event; None for an event of a person.
    """

    number: int
    kind: WriteKind
    room: str
    meeting: str
    start: datetime
    end: datetime
    new_end: datetime | None
    key: str | None


class RecordingTenant(Tenant):
    """Carries out what the simulator does, and records it.

    Attributes:
        writes: all that applications have written, in order.
        changed: is called after each of them.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        super().__init__(now=now)
        self.writes: list[CalendarWrite] = []
        self.changed: Callable[[], None] = lambda: None

    def create_event(self, mailbox: Mailbox, *times: datetime, **fields: object) -> Meeting:
        """See `EventWrites`."""
        created = super().create_event(mailbox, *times, **fields)  # type: ignore[arg-type]
        self._record(WriteKind.CREATED, mailbox, created, created.end)
        return created

    def patch_event(self, mailbox: Mailbox, meeting_id: str, start: datetime, end: datetime) -> Meeting:
        """See `EventWrites`."""
        before = mailbox.meetings[meeting_id]
        after = super().patch_event(mailbox, meeting_id, start, end)
        self._record(WriteKind.RETIMED, mailbox, before, after.end)
        return after

    def delete_event(self, mailbox: Mailbox, meeting_id: str) -> None:
        """See `EventWrites`."""
        before = mailbox.meetings[meeting_id]
        super().delete_event(mailbox, meeting_id)
        self._record(WriteKind.DELETED, mailbox, before, None)

    def decline_event(self, mailbox: Mailbox, meeting_id: str, *, comment: str, send_response: bool) -> None:
        """See `EventWrites`."""
        before = mailbox.meetings[meeting_id]
        super().decline_event(mailbox, meeting_id, comment=comment, send_response=send_response)
        self._record(WriteKind.DECLINED, mailbox, before, None)

    def cancel_event(self, mailbox: Mailbox, meeting_id: str, *, comment: str) -> None:
        """See `EventWrites`."""
        before = mailbox.meetings[meeting_id]
        super().cancel_event(mailbox, meeting_id, comment=comment)
        self._record(WriteKind.CANCELLED, mailbox, before, None)

    def _record(self, kind: WriteKind, mailbox: Mailbox, meeting: Meeting, new_end: datetime | None) -> None:
        self.writes.append(
            CalendarWrite(
                len(self.writes),
                kind,
                mailbox.address.partition("@")[0],
                meeting.id,
                meeting.start,
                meeting.end,
                new_end,
                next((value for _, value in meeting.properties), None),
            )
        )
        self.changed()
