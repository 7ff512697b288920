"""Checks, by the calendars' content, how Exchange treats titles and private meetings.

Source: Microsoft, Set-CalendarProcessing. By default it deletes the subject of an accepted meeting and writes
the organizer's name in its place (DeleteSubject, AddOrganizerToSubject), and clears the private flag
(RemovePrivateProperty). Titles and names are requested only if the settings show them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import Finding, UnexpectedAnswer, Verdict
from placed.driver.shared_findings import AGAIN
from placed_microsoft365.calendars.calendar_view import calendar_view
from placed_microsoft365.graph.client import BATCH_SIZE
from placed_microsoft365.graph.json_structs import Events
from placed_microsoft365.graph.response import decode, error_of, items_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import FoundRoom, Surroundings
    from placed_microsoft365.graph.client import GraphClient
    from placed_microsoft365.graph.json_structs import Event

_AROUND = timedelta(days=30)  # days before and after now
_EACH = 50  # meetings per room
_FIELDS = ("id", "start", "end", "isCancelled", "sensitivity")
_DETAILS = ("subject", "organizer")
_PRIVATE = frozenset({"personal", "private", "confidential"})
_KEEP_TITLES = (
    "Set-CalendarProcessing -DeleteSubject $false -AddOrganizerToSubject $false for the room mailboxes "
    '(placed setup writes the script), or set privacy.show = "nothing"'
)
_KEEP_MARKS = (
    "book a private meeting and check again; if this stays, Set-CalendarProcessing -RemovePrivateProperty "
    "$false for the room mailboxes (placed setup writes the script)"
)


@dataclass(slots=True)
class CalendarSample:
    """Counts over the calendars that were read."""

    rooms: int = 0  # that were read
    booked: int = 0  # of these, with a meeting
    meetings: int = 0
    private: int = 0  # of the meetings
    replaced: int = 0  # rooms with the organizer's name as title
    deleted: int = 0  # rooms without titles

    def add(self, events: Sequence[Event]) -> None:
        """Adds a room's calendar."""
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
    """Returns the findings `titles` and `private`, from a sample of the rooms.

    Raises:
        DriverError: no request was possible.
    """
    step = max(1, len(rooms) // BATCH_SIZE)
    chosen = list(rooms[::step])[:BATCH_SIZE]
    details = surroundings.details
    seen = CalendarSample()
    async for events in _calendars(graph, surroundings, chosen):
        seen.add(events)
    if not seen.rooms:
        text = "no calendar could be read"
        return [Finding.of(check, Verdict.DOUBTFUL, text, AGAIN) for check in ("titles", "private")]
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
            with suppress(UnexpectedAnswer):  # the other rooms suffice
                yield decode(item.body, Events).value


def _titles(seen: CalendarSample, *, details: bool) -> Finding:
    if not details:
        return Finding.of("titles", Verdict.GOOD, "not asked for: privacy.show hides them")
    if not seen.booked:
        return Finding.of(
            "titles", Verdict.GOOD, f"nothing is booked in {_rooms(seen.rooms)}, so nothing shows it"
        )
    if seen.replaced:
        text = (
            f"the organizer's name stands in place of the title in {seen.replaced} of {_rooms(seen.booked)}"
        )
        return Finding.of("titles", Verdict.DOUBTFUL, f"{text} looked at", _KEEP_TITLES)
    if seen.deleted:
        text = f"titles are deleted in {seen.deleted} of {_rooms(seen.booked)} looked at"
        return Finding.of("titles", Verdict.DOUBTFUL, text, _KEEP_TITLES)
    return Finding.of("titles", Verdict.GOOD, f"kept in {_rooms(seen.booked)} looked at")


def _private(seen: CalendarSample, *, details: bool) -> Finding:
    if seen.private:
        number = f"{seen.private} of {seen.meetings} meetings"
        return Finding.of("private", Verdict.GOOD, f"private meetings keep their mark: {number} have it")
    if not seen.booked:
        text = f"nothing is booked in {_rooms(seen.rooms)}, so nothing shows it"
        return Finding.of("private", Verdict.GOOD, text)
    text = f"no meeting is marked private ({seen.meetings} looked at)"
    if not details:
        text += "; but only the time of a meeting is shown"
        return Finding.of("private", Verdict.GOOD, text)
    text += (
        ": by default Exchange clears the private flag, and then private meetings are shown like all others"
    )
    return Finding.of("private", Verdict.DOUBTFUL, text, _KEEP_MARKS)


def _organizer(event: Event) -> str:
    address = event.organizer.email_address if event.organizer else None
    return ((address.name if address else None) or "").strip()


def _rooms(number: int) -> str:
    return "1 room" if number == 1 else f"{number} rooms"
