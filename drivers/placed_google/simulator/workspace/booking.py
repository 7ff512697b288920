"""Booking rooms: what people do, and how rooms answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice
from typing import TYPE_CHECKING

from placed_google.simulator.workspace.event_model import (
    Attendee,
    Event,
    Response,
    Transparency,
    Visibility,
    moment_of,
)
from placed_google.simulator.workspace.event_series import Series
from placed_google.simulator.workspace.organisation import Organisation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from placed_google.simulator.workspace.calendar_model import Calendar
    from placed_google.simulator.workspace.event_model import EventStatus, When
    from placed_google.simulator.workspace.event_series import Frequency
    from placed_google.simulator.workspace.organisation import Person, SimRoom

ORGANIZER = "Ada Example"
LOOKS_AHEAD = 100
"""For so many occurrences of a series a room looks whether it is free."""


class Bookings(Organisation):
    """Calendars of a domain. An event is named by its id, which all calendars share that have a copy."""

    def __init__(self, domain: str, now: Callable[[], datetime]) -> None:
        super().__init__(domain, now)
        self._holders: dict[str, list[str]] = {}

    def book(  # noqa: PLR0913 - an event has this many fields
        self,
        room: str | SimRoom,
        start: When,
        end: When,
        *,
        summary: str | None = "Meeting",
        organizer: str = ORGANIZER,
        guests: Iterable[Attendee] = (),
        transparency: Transparency = "opaque",
        visibility: Visibility = "default",
        status: EventStatus = "confirmed",
        event_type: str = "default",
        response: Response | None = None,
    ) -> str:
        """Somebody books a room, which answers by its rules unless a response is given; the event's id.

        Times are aware datetimes; of an all-day event dates, the end exclusive.
        """
        calendar = self.calendar(room)
        draft = self._invitation(calendar, start, end, organizer, guests)
        event = replace(
            draft,
            summary=summary,
            transparency=transparency,
            visibility=visibility,
            status=status,
            event_type=event_type,
        )
        answer = response if response is not None else self.answer_of(calendar, event)
        self.place(calendar, answered(event, calendar.id, answer))
        return event.id

    def hold(
        self, room: str | SimRoom | Person, start: When, end: When, *, summary: str | None = "Hold"
    ) -> str:
        """An event made on the calendar itself: it has no attendees, and occupies; its id."""
        calendar = self.calendar(room)
        draft = self._draft(calendar, start, end, calendar.name)
        self.place(calendar, replace(draft, organizer=calendar.id, summary=summary))
        return draft.id

    def book_series(  # noqa: PLR0913 - an event has this many fields
        self,
        room: str | SimRoom,
        start: When,
        end: When,
        *,
        frequency: Frequency = "WEEKLY",
        interval: int = 1,
        count: int | None = None,
        summary: str | None = "Meeting",
        organizer: str = ORGANIZER,
        guests: Iterable[Attendee] = (),
    ) -> str:
        """Somebody books a room again and again, without end unless `count` is given; the series' id.

        The room accepts the series and declines the occurrences at which it is taken.
        """
        calendar = self.calendar(room)
        event = replace(self._invitation(calendar, start, end, organizer, guests), summary=summary)
        answer: Response = "accepted" if calendar.auto_accept else "needsAction"
        series = Series(
            event=answered(event, calendar.id, answer), frequency=frequency, interval=interval, count=count
        )
        taken = [
            occurrence
            for occurrence in islice(series.occurrences(None, None), LOOKS_AHEAD)
            if calendar.auto_accept and self.answer_of(calendar, occurrence) == "declined"
        ]
        calendar.put_series(series)
        for occurrence in taken:
            calendar.put(answered(occurrence, calendar.id, "declined"))
        self._holders[event.id] = [calendar.id]
        return event.id

    def split_series(self, occurrence_id: str, start: When, end: When) -> str:
        """This and all following occurrences get other times: they are a new series; its id."""
        holder = self._copies(occurrence_id)[0]
        old = holder.series[occurrence_id.partition("_")[0]]
        occurrence = self.event(occurrence_id)
        cut = old.until(occurrence.original_start or occurrence.start)
        holder.put_series(cut)
        rest = None if old.count is None else old.count - (cut.count or 0)
        event = replace(old.event, id=self.new_id("event"), start=utc(start), end=utc(end))
        holder.put_series(replace(old, event=event, count=rest))
        self._holders[event.id] = [holder.id]
        return event.id

    def event(self, event_id: str) -> Event:
        """The event, or the occurrence, as it is now on the first calendar that has it.

        Raises:
            LookupError: it is on no calendar.
        """
        found = self._copies(event_id)[0].find(event_id)
        assert found is not None  # noqa: S101 - a copy was found
        return found

    def events(self, room: str | SimRoom | Person) -> list[Event]:
        """What is on a calendar by start, without occurrences that follow from a rule."""
        calendar = self.calendar(room)
        zone = calendar.time_zone
        return sorted(calendar.events.values(), key=lambda event: (moment_of(event.start, zone), event.id))

    def move(self, event_id: str, start: When, end: When) -> None:
        """Give an event other times, dates in place of moments too; rooms answer again."""

        def moved(calendar: Calendar, event: Event) -> Event:
            event = replace(event, start=utc(start), end=utc(end))
            own = event.own(calendar.id)
            if own is None or not own.resource or own.response == "needsAction":
                return event
            return answered(event, calendar.id, self.answer_of(calendar, event))

        self.change(event_id, moved)

    def cancel(self, event_id: str) -> None:
        """The organizer cancels: the event, or the occurrence, is deleted, and listed on demand only."""
        self.change(event_id, lambda _calendar, event: replace(event, status="cancelled"))

    def respond(self, event_id: str, response: Response) -> None:
        """The room answers, or somebody who approves its bookings."""
        self.change(event_id, lambda calendar, event: answered(event, calendar.id, response))

    def release(self, event_id: str) -> None:
        """The room is taken off, since nearly everybody declined: its copy turns declined."""
        self.respond(event_id, "declined")

    def guest_responds(self, event_id: str, guest: str, response: Response) -> None:
        """Somebody else who is invited answers."""
        address = self.address(guest)
        self.change(event_id, lambda _calendar, event: answered(event, address, response))

    def delete(self, event_id: str) -> None:
        """Remove an event from all calendars, without a trace."""
        for calendar in self._copies(event_id):
            calendar.drop(event_id)
        self._holders.pop(event_id, None)

    def change(self, event_id: str, changed: Callable[[Calendar, Event], Event]) -> None:
        """Change each copy of an event; one occurrence of a series becomes an exception."""
        for calendar in self._copies(event_id):
            event = calendar.find(event_id)
            assert event is not None  # noqa: S101 - a copy was found
            after = replace(changed(calendar, event), updated=self.now(), revision=event.revision + 1)
            if event_id in calendar.series:
                calendar.put_series(replace(calendar.series[event_id], event=replace(after, recurrence=())))
            else:
                calendar.put(after)

    def place(self, calendar: Calendar, event: Event) -> None:
        """Put a copy of an event on a calendar."""
        calendar.put(event)
        holders = self._holders.setdefault(event.id.partition("_")[0], [])
        if calendar.id not in holders:
            holders.append(calendar.id)

    def answer_of(self, calendar: Calendar, event: Event) -> Response:
        """How a room answers: it accepts if it is free, and declines otherwise; the copy stays."""
        if not calendar.auto_accept:
            return "needsAction"
        zone = calendar.time_zone
        start, end = moment_of(event.start, zone), moment_of(event.end, zone)
        others = (one for one in calendar.within(start, end) if one.id != event.id)
        return "declined" if any(one.makes_busy(calendar.id) for one in others) else "accepted"

    def _copies(self, event_id: str) -> list[Calendar]:
        """The calendars that have it."""
        holders = self._holders.get(event_id.partition("_")[0], [])
        calendars = [self.calendars[holder] for holder in holders if holder in self.calendars]
        found = [calendar for calendar in calendars if calendar.find(event_id) is not None]
        if not found:
            raise LookupError(f"no event {event_id!r} in {self.domain}")
        return found

    def _draft(self, calendar: Calendar, start: When, end: When, organizer: str) -> Event:
        """An event without anything but its times and whose it is."""
        now = self.now()
        address = organizer if "@" in organizer else f"{organizer.partition(' ')[0].lower()}@{self.domain}"
        return Event(
            id=self.new_id("event"),
            start=utc(start),
            end=utc(end),
            zone=calendar.zone,
            organizer=address,
            organizer_name=None if "@" in organizer else organizer,
            created=now,
            updated=now,
        )

    def _invitation(
        self, calendar: Calendar, start: When, end: When, organizer: str, guests: Iterable[Attendee]
    ) -> Event:
        """A draft that the organizer, the guests and the room are invited to."""
        draft = self._draft(calendar, start, end, organizer)
        own = Attendee(email=calendar.id, name=calendar.name, resource=True)
        first = Attendee(email=draft.organizer, name=draft.organizer_name, response="accepted")
        return replace(draft, attendees=(first, *guests, own))


def answered(event: Event, address: str, response: Response, comment: str | None = None) -> Event:
    """The event with somebody's answer to it, and the comment on that."""
    attendees = tuple(
        replace(one, response=response, comment=comment) if one.email == address else one
        for one in event.attendees
    )
    return replace(event, attendees=attendees)


def utc(value: When) -> When:
    """A moment in UTC; a date stays.

    Raises:
        ValueError: a moment without an offset.
    """
    if not isinstance(value, datetime):
        assert isinstance(value, date)  # noqa: S101 - there is nothing else
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value!r}: an event's times are aware datetimes, or dates")
    return value.astimezone(UTC)
