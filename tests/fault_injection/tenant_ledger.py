"""A tenant that records what applications have written into its calendars. Uses no code of the daemon."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from placed_microsoft365.simulator import Tenant
from placed_microsoft365.simulator.tenant.app_access import Caller, Verdict, may_read_calendar
from tests.fault_injection.secrecy_oracle import HIDDEN_ORGANIZER, HIDDEN_TITLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from placed_microsoft365.simulator import App
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
    """Carries out what the simulator does, and records it. What people book has texts that are recognized.

    Attributes:
        writes: all that applications have written, in order.
        changed: is called after each of them.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        super().__init__(now=now)
        self.writes: list[CalendarWrite] = []
        self.changed: Callable[[], None] = lambda: None

    def fences(self, app: App, canary: str, rooms: Iterable[str]) -> bool:
        """Whether an application cannot read a canary, while it can read one of the rooms."""
        caller, now = Caller(app, frozenset(app.granted(self.now()))), self.now()

        def reads(name: str) -> bool:
            verdict = may_read_calendar(caller, self.address(name), self.groups, now)
            return verdict is Verdict.GRANTED

        return not reads(canary) and any(map(reads, rooms))

    def _book(self, *where_and_when: Any, sensitivity: Any, organizer: str, **fields: Any) -> str:
        organizer = organizer if sensitivity == "normal" else HIDDEN_ORGANIZER
        fields["subject"] = HIDDEN_TITLE
        return super()._book(*where_and_when, sensitivity=sensitivity, organizer=organizer, **fields)

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
