"""Booking, moving and cancelling meetings: what people and Exchange do to calendars."""

from __future__ import annotations

import base64
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed_microsoft365.simulator.tenant.mailboxes import Meeting
from placed_microsoft365.simulator.tenant.organization import Organization

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed_microsoft365.simulator.tenant.mailboxes import (
        Mailbox,
        Response,
        Sensitivity,
        ShowAs,
        SimRoom,
    )

UNANSWERED: frozenset[Response] = frozenset({"notResponded", "none"})
DAILY = timedelta(days=1)


class Bookings(Organization):
    """Calendars of a tenant. A meeting is named by the id that booking it gave back."""

    def __init__(self, domain: str, now: Callable[[], datetime]) -> None:
        super().__init__(domain, now)
        self._mailbox_of: dict[str, Mailbox] = {}
        self._organizers_times: dict[str, tuple[datetime, datetime]] = {}

    def book(  # noqa: PLR0913 - a meeting has this many fields
        self,
        room: str | SimRoom,
        start: datetime | date,
        end: datetime | date,
        *,
        subject: str = "Meeting",
        organizer: str = "Ada Example",
        show_as: ShowAs = "busy",
        sensitivity: Sensitivity = "normal",
        all_day: bool = False,
        response: Response = "accepted",
    ) -> str:
        """Book a meeting and let the room process it; its id.

        Times are aware datetimes; of an all-day meeting dates, the end exclusive. A room that has answered
        has rewritten subject and sensitivity; one that has not (`notResponded`) shows the request as it came,
        as tentative, or as free where `add_new_requests_tentatively` is off (Microsoft:
        Set-CalendarProcessing).
        """
        return self._book(
            self.mailbox(room),
            _moment(start, all_day=all_day),
            _moment(end, all_day=all_day),
            subject=subject,
            organizer=organizer,
            show_as=show_as,
            sensitivity=sensitivity,
            all_day=all_day,
            response=response,
            series=None,
        )

    def book_series(  # noqa: PLR0913 - a meeting has this many fields
        self,
        room: str | SimRoom,
        start: datetime,
        end: datetime,
        *,
        count: int,
        every: timedelta = DAILY,
        time_zone: str = "UTC",
        subject: str = "Meeting",
        organizer: str = "Ada Example",
        show_as: ShowAs = "busy",
        sensitivity: Sensitivity = "normal",
        response: Response = "accepted",
    ) -> tuple[str, ...]:
        """Book a series; the ids of its occurrences, each at the same hour of the zone's wall clock."""
        zone = ZoneInfo(time_zone)
        series = self._event_id()
        mailbox = self.mailbox(room)
        first, length = start.astimezone(zone), end - start
        moments = [(first + every * number).astimezone(UTC) for number in range(count)]
        return tuple(
            self._book(
                mailbox,
                moment,
                moment + length,
                subject=subject,
                organizer=organizer,
                show_as=show_as,
                sensitivity=sensitivity,
                all_day=False,
                response=response,
                series=series,
            )
            for moment in moments
        )

    def meeting(self, meeting_id: str) -> Meeting:
        """The meeting as it is now.

        Raises:
            LookupError: it is in no calendar, or no longer.
        """
        return self._mailbox(meeting_id).meetings[meeting_id]

    def meetings(self, room: str | SimRoom) -> list[Meeting]:
        """What is in the room's calendar, by start."""
        return sorted(self.mailbox(room).meetings.values(), key=lambda meeting: (meeting.start, meeting.id))

    def move(self, meeting_id: str, start: datetime | date, end: datetime | date) -> None:
        """Give a meeting other times."""
        before = self.meeting(meeting_id)
        times = _moment(start, all_day=before.all_day), _moment(end, all_day=before.all_day)
        self._organizers_times[meeting_id] = times
        self._change(replace(before, start=times[0], end=times[1]))

    def cancel(self, meeting_id: str) -> None:
        """The organizer cancels: the copy stays, cancelled and free, or goes if the room removes such."""
        mailbox = self._mailbox(meeting_id)
        if mailbox.processing.remove_canceled_meetings:
            self.delete(meeting_id)
            return
        before = mailbox.meetings[meeting_id]
        subject = f"Canceled: {before.subject}"
        self._change(replace(before, cancelled=True, show_as="free", subject=subject))

    def decline(self, meeting_id: str, *, stays: bool = True) -> None:
        """The room declines. As a rule a declined request does not stay in a room's calendar: `stays=False`.

        It stays where clashing occurrences of an accepted series were declined; `showAs` is as it was then.
        """
        if not stays:
            self.delete(meeting_id)
            return
        self._change(replace(self.meeting(meeting_id), response="declined"))

    def respond(self, meeting_id: str, response: Response) -> None:
        """The room answers a request that was waiting; an acceptance makes it busy."""
        before = self.meeting(meeting_id)
        waiting = before.response in UNANSWERED and response == "accepted"
        self._change(replace(before, response=response, show_as="busy" if waiting else before.show_as))

    def delete(self, meeting_id: str) -> None:
        """Remove a meeting without a trace."""
        self._mailbox(meeting_id).drop(meeting_id)
        del self._mailbox_of[meeting_id]
        self._organizers_times.pop(meeting_id, None)

    def remove_room(self, name: str | SimRoom) -> None:
        """The mailbox is gone with its meetings, also from all groups: `ErrorInvalidUser` from now on."""
        for meeting_id in self.mailbox(name).meetings:
            del self._mailbox_of[meeting_id]
            self._organizers_times.pop(meeting_id, None)
        super().remove_room(name)

    def _mailbox(self, meeting_id: str) -> Mailbox:
        try:
            return self._mailbox_of[meeting_id]
        except KeyError:
            raise LookupError(f"no meeting {meeting_id!r}") from None

    def _change(self, meeting: Meeting) -> None:
        changed = replace(meeting, modified=self.now(), revision=meeting.revision + 1)
        self._mailbox(meeting.id).put(changed)

    def _event_id(self) -> str:
        """Like `AAMkAD…=`: base64 of something unique, safe in a path."""
        unique = uuid.UUID(self.new_id("event")).bytes
        return f"AAMkAD{base64.urlsafe_b64encode(unique * 2).decode()}"

    def _book(  # noqa: PLR0913 - a meeting has this many fields
        self,
        mailbox: Mailbox,
        start: datetime,
        end: datetime,
        *,
        subject: str,
        organizer: str,
        show_as: ShowAs,
        sensitivity: Sensitivity,
        all_day: bool,
        response: Response,
        series: str | None,
    ) -> str:
        processing = mailbox.processing
        now = self.now()
        answered = response not in UNANSWERED
        if not answered and mailbox.room is not None:
            show_as = "tentative" if processing.add_new_requests_tentatively else "free"
        meeting = Meeting(
            id=self._event_id(),
            start=start,
            end=end,
            subject=processing.subject(subject, organizer) if answered else subject,
            organizer=organizer,
            show_as=show_as,
            sensitivity="normal" if answered and processing.remove_private_property else sensitivity,
            all_day=all_day,
            response=response,
            series=series,
            created=now,
            modified=now,
        )
        mailbox.put(meeting)
        self._mailbox_of[meeting.id] = mailbox
        self._organizers_times[meeting.id] = start, end
        return meeting.id


def _moment(value: datetime | date, *, all_day: bool) -> datetime:
    """The moment in UTC; of an all-day meeting midnight UTC of the date."""
    if all_day:
        day = value.date() if isinstance(value, datetime) else value
        return datetime.combine(day, time(), UTC)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"{value!r}: a meeting's times are aware datetimes, unless it is an all-day one")
    return value.astimezone(UTC)
