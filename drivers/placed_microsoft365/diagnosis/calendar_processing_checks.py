"""How Exchange treats titles and private meetings, as far as calendars show it.

Source: Microsoft, Set-CalendarProcessing. By default it deletes the subject of what a room accepts and writes
the organizer's name in its place (DeleteSubject, AddOrganizerToSubject), and takes the private mark off
(RemovePrivateProperty). Of titles and names it is only asked where the settings want them shown.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import Finding, Verdict
from placed.driver.diagnosis import AGAIN
from placed_microsoft365.calendars.calendar_view import calendar_view
from placed_microsoft365.graph.batch_response import items_of
from placed_microsoft365.graph.client import BATCH_SIZE
from placed_microsoft365.graph.json_structs import Events
from placed_microsoft365.graph.response import UnexpectedAnswer, decode, error_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import FoundRoom, Surroundings
    from placed_microsoft365.graph.client import GraphClient
    from placed_microsoft365.graph.json_structs import Event

_AROUND = timedelta(days=30)  # before and after now
_EACH = 50  # meetings of a room
_FIELDS = ("id", "start", "end", "isCancelled", "sensitivity")
_DETAILS = ("subject", "organizer")
_PRIVATE = frozenset({"personal", "private", "confidential"})
_KEEP_TITLES = (
    "Set-CalendarProcessing -DeleteSubject $false -AddOrganizerToSubject $false for the room mailboxes "
    '(placed setup writes the script), or set privacy.show = "nothing"'
)
_KEEP_MARKS = (
    "book a private meeting and look again; if this stays, Set-CalendarProcessing -RemovePrivateProperty "
    "$false for the room mailboxes (placed setup writes the script)"
)


@dataclass(slots=True)
class CalendarSample:
    """What the calendars show, in numbers."""

    rooms: int = 0  # that could be looked at
    booked: int = 0  # of these, with a meeting
    meetings: int = 0
    private: int = 0  # of the meetings
    replaced: int = 0  # rooms where the title is the organizer's name
    deleted: int = 0  # rooms where there is no title

    def add(self, events: Sequence[Event]) -> None:
        """A room's calendar."""
        events = [event for event in events if not event.is_cancelled]
        self.rooms += 1
        self.booked += bool(events)
        self.meetings += len(events)
        self.private += sum(event.sensitivity in _PRIVATE for event in events)
        subjects = [((event.subject or "").strip(), _organizer(event)) for event in events]
        if any(subject and subject == organizer for subject, organizer in subjects):
            self.replaced += 1
        elif subjects and not any(subject for subject, _ in subjects):
            self.deleted += 1


async def look_at_calendars(
    graph: GraphClient, surroundings: Surroundings, rooms: Sequence[FoundRoom]
) -> list[Finding]:
    """The findings `titles` and `private`, from some of the rooms.

    Raises:
        DriverError: nothing could be asked.
    """
    step = max(1, len(rooms) // BATCH_SIZE)
    chosen = list(rooms[::step])[:BATCH_SIZE]
    details = surroundings.details
    seen = CalendarSample()
    async for events in _calendars(graph, surroundings, chosen):
        seen.add(events)
    if not seen.rooms:
        said = "no calendar could be looked at"
        return [Finding.of(check, Verdict.DOUBTFUL, said, AGAIN) for check in ("titles", "private")]
    return [_titles(seen, details=details), _private(seen, details=details)]


async def _calendars(
    graph: GraphClient, surroundings: Surroundings, rooms: Sequence[FoundRoom]
) -> AsyncIterator[Sequence[Event]]:
    moment = surroundings.now()
    fields = _FIELDS + _DETAILS if surroundings.details else _FIELDS
    urls = [
        calendar_view(room.mailbox, moment - _AROUND, moment + _AROUND, fields=fields, page_size=_EACH)
        for room in rooms
    ]
    answer = await graph.batch(urls)
    if answer.status != HTTPStatus.OK:
        raise error_of(answer)
    for item in items_of(answer.body).values():
        if item.status == HTTPStatus.OK:
            with suppress(UnexpectedAnswer):  # the others show as much
                yield decode(item.body, Events).value


def _titles(seen: CalendarSample, *, details: bool) -> Finding:
    if not details:
        return Finding.of("titles", Verdict.GOOD, "not asked for: privacy.show wants none")
    if not seen.booked:
        return Finding.of(
            "titles", Verdict.GOOD, f"nothing is booked in {_rooms(seen.rooms)}, so nothing shows it"
        )
    if seen.replaced:
        said = (
            f"the organizer's name stands in place of the title in {seen.replaced} of {_rooms(seen.booked)}"
        )
        return Finding.of("titles", Verdict.DOUBTFUL, f"{said} looked at", _KEEP_TITLES)
    if seen.deleted:
        said = f"titles are deleted in {seen.deleted} of {_rooms(seen.booked)} looked at"
        return Finding.of("titles", Verdict.DOUBTFUL, said, _KEEP_TITLES)
    return Finding.of("titles", Verdict.GOOD, f"kept in {_rooms(seen.booked)} looked at")


def _private(seen: CalendarSample, *, details: bool) -> Finding:
    if seen.private:
        number = f"{seen.private} of {seen.meetings} meetings"
        return Finding.of("private", Verdict.GOOD, f"private meetings keep their mark: {number} have it")
    if not seen.booked:
        said = f"nothing is booked in {_rooms(seen.rooms)}, so nothing shows it"
        return Finding.of("private", Verdict.GOOD, said)
    said = f"no meeting is marked private ({seen.meetings} looked at)"
    if not details:
        said += "; of a meeting nothing but its time is shown anyway"
        return Finding.of("private", Verdict.GOOD, said)
    said += ": Exchange takes the mark off by default, and then what is private is shown as all else"
    return Finding.of("private", Verdict.DOUBTFUL, said, _KEEP_MARKS)


def _organizer(event: Event) -> str:
    address = event.organizer.email_address if event.organizer else None
    return ((address.name if address else None) or "").strip()


def _rooms(number: int) -> str:
    return "1 room" if number == 1 else f"{number} rooms"
