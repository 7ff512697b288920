"""The calendars of a simulated server: rooms and people, and what is booked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

Moment = datetime | date
ShowAs = Literal["busy", "tentative", "free"]
Response = Literal["ACCEPTED", "TENTATIVE", "DECLINED", "NEEDS-ACTION"]


def wall_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class StoredBooking:
    """A meeting or a series; times are aware UTC, of an all-day one dates.

    Attributes:
        rule: RRULE of a series.
        more: further lines of the VEVENT, such as EXDATE.
        overrides: further VEVENT components of the series, as text.
        raw: the whole object as text, in place of all else.
        response: of the room; None if it is no attendee.
    """

    uid: str
    start: Moment
    end: Moment
    summary: str = "Meeting"
    organizer: str | None = None
    show_as: ShowAs = "busy"
    private: bool = False
    cancelled: bool = False
    response: Response | None = None
    rule: str | None = None
    more: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    raw: str | None = None
    sequence: int = 0
    created: datetime | None = None
    changed: datetime | None = None

    @property
    def all_day(self) -> bool:
        """Whether it has dates in place of times."""
        return not isinstance(self.start, datetime)

    @property
    def occupies(self) -> bool:
        """Whether it makes the room busy."""
        return not self.cancelled and self.show_as != "free" and self.response != "DECLINED"


@dataclass(slots=True)
class StoredCalendar:
    """A calendar.

    Attributes:
        name: last segment of its address.
        title: what people call it.
        person: whether it is a person's, which is no room.
        zone: IANA name of its time zone, if it has one.
        revision: grows with each change.
    """

    name: str
    title: str
    person: bool = False
    zone: str | None = None
    bookings: dict[str, StoredBooking] = field(default_factory=dict)
    revision: int = 1


class BookingStore:
    """All calendars of one server.

    Args:
        now: the server's clock.
    """

    def __init__(self, now: Callable[[], datetime] = wall_clock) -> None:
        self.now = now
        self.calendars: dict[str, StoredCalendar] = {}
        self._numbers = count(1)

    # --- calendars ---

    def add_room(self, name: str, title: str | None = None, *, zone: str | None = None) -> StoredCalendar:
        """A room's calendar."""
        return self._add(StoredCalendar(name, title or name.title(), zone=zone))

    def add_person(self, name: str) -> StoredCalendar:
        """A person's calendar, with an appointment."""
        calendar = self._add(StoredCalendar(name, name.title(), person=True))
        start = self.now().replace(minute=0, second=0, microsecond=0)
        self.book(name, start, start.replace(minute=30), summary="Doctor")
        return calendar

    def remove(self, name: str) -> None:
        """Deletes a calendar."""
        del self.calendars[name]

    def rooms(self) -> list[StoredCalendar]:
        """The rooms' calendars, in the order in which they were added."""
        return [calendar for calendar in self.calendars.values() if not calendar.person]

    def _add(self, calendar: StoredCalendar) -> StoredCalendar:
        if calendar.name in self.calendars:
            raise ValueError(f"there is a calendar {calendar.name}")
        self.calendars[calendar.name] = calendar
        return calendar

    # --- bookings ---

    def book(  # noqa: PLR0913 - what a meeting has
        self,
        name: str,
        start: Moment,
        end: Moment,
        *,
        summary: str = "Meeting",
        organizer: str | None = None,
        show_as: ShowAs = "busy",
        private: bool = False,
        response: Response | None = None,
        rule: str | None = None,
        more: tuple[str, ...] = (),
        overrides: tuple[str, ...] = (),
    ) -> StoredBooking:
        """Books a calendar, and returns the booking.

        Raises:
            LookupError: there is no such calendar.
        """
        booking = StoredBooking(
            uid=f"booking-{next(self._numbers)}@simulator.example",
            start=start,
            end=end,
            summary=summary,
            organizer=organizer,
            show_as=show_as,
            private=private,
            response=response,
            rule=rule,
            more=more,
            overrides=overrides,
        )
        return self.put(name, booking)

    def put(self, name: str, booking: StoredBooking) -> StoredBooking:
        """Stores a booking as it is; one with the same UID is replaced.

        Raises:
            LookupError: there is no such calendar.
        """
        calendar = self.calendar(name)
        booking.created = booking.created or self.now()
        booking.changed = self.now()
        calendar.bookings[booking.uid] = booking
        calendar.revision += 1
        return booking

    def put_text(self, name: str, uid: str, text: str) -> StoredBooking:
        """Stores an object as text, whatever it holds."""
        return self.put(name, StoredBooking(uid, self.now(), self.now(), raw=text))

    def move(self, uid: str, start: Moment, end: Moment) -> None:
        """A meeting gets other times.

        Raises:
            LookupError: there is no such booking.
        """
        calendar, booking = self._find(uid)
        booking.start, booking.end = start, end
        self._changed(calendar, booking)

    def cancel(self, uid: str) -> None:
        """A meeting is cancelled, and stays in the calendar."""
        calendar, booking = self._find(uid)
        booking.cancelled = True
        self._changed(calendar, booking)

    def delete(self, uid: str) -> None:
        """A meeting is removed."""
        calendar, booking = self._find(uid)
        del calendar.bookings[booking.uid]
        calendar.revision += 1

    def calendar(self, name: str) -> StoredCalendar:
        """A calendar by its name.

        Raises:
            LookupError: there is none.
        """
        if name not in self.calendars:
            raise LookupError(f"there is no calendar {name}")
        return self.calendars[name]

    def _find(self, uid: str) -> tuple[StoredCalendar, StoredBooking]:
        for calendar in self.calendars.values():
            if uid in calendar.bookings:
                return calendar, calendar.bookings[uid]
        raise LookupError(f"there is no booking {uid}")

    def _changed(self, calendar: StoredCalendar, booking: StoredBooking) -> None:
        booking.sequence += 1
        booking.changed = self.now()
        calendar.revision += 1
