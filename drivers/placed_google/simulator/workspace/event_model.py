"""Events as the service keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

When = datetime | date
"""An aware moment in UTC, or the date of an all-day event."""

Response = Literal["needsAction", "declined", "tentative", "accepted"]
Transparency = Literal["opaque", "transparent"]
Visibility = Literal["default", "public", "private", "confidential"]
EventStatus = Literal["confirmed", "tentative", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendee:
    """Somebody, or a room, that is invited to an event."""

    email: str
    name: str | None = None
    response: Response = "needsAction"
    resource: bool = False
    optional: bool = False
    comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of one calendar: a copy, which has its own answer of the calendar's owner.

    Attributes:
        start, end: of an all-day event dates, the end exclusive.
        zone: the time zone in which the event was booked.
        organizer: the address of the calendar on which it was booked.
        series: the id of the series that it is an occurrence of.
        original_start: when the occurrence would start by the rule of its series.
        private_properties: of this copy alone, by name.
        revision: grows with each change, and makes the ETag.
    """

    id: str
    start: When
    end: When
    zone: str
    organizer: str
    created: datetime
    updated: datetime
    organizer_name: str | None = None
    summary: str | None = None
    description: str | None = None
    status: EventStatus = "confirmed"
    transparency: Transparency = "opaque"
    visibility: Visibility = "default"
    event_type: str = "default"
    attendees: tuple[Attendee, ...] = ()
    series: str | None = None
    original_start: When | None = None
    recurrence: tuple[str, ...] = ()
    end_unspecified: bool = False
    private_properties: tuple[tuple[str, str], ...] = ()
    revision: int = 0

    @property
    def all_day(self) -> bool:
        """Whether it has dates in place of moments."""
        return not isinstance(self.start, datetime)

    @property
    def uid(self) -> str:
        """Its id in the iCalendar format, which occurrences share with their series."""
        return f"{self.series or self.id}@google.com"

    def own(self, calendar_id: str) -> Attendee | None:
        """The attendee that the calendar belongs to; None if it is not invited."""
        return next((one for one in self.attendees if one.email == calendar_id), None)

    def makes_busy(self, calendar_id: str) -> bool:
        """Whether the calendar's free/busy shows it."""
        own = self.own(calendar_id)
        declined = own is not None and own.response == "declined"
        return self.status != "cancelled" and self.transparency != "transparent" and not declined


def moment_of(when: When, zone: ZoneInfo) -> datetime:
    """The moment in UTC; of a date its midnight in the zone."""
    if isinstance(when, datetime):
        return when
    return datetime.combine(when, time(), zone).astimezone(UTC)
