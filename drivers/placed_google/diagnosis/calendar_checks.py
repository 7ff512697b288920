"""Checks, by the calendars' content, how rooms are shared, whether they accept bookings, and their zones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from placed.driver import DriverError, Finding, Verdict
from placed.driver.shared_findings import AGAIN
from placed_google.api.json_structs import Events
from placed_google.calendars.event_to_meeting import own_attendee
from placed_google.calendars.room_calendar import events_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.driver import FoundRoom, Surroundings
    from placed_google.api.client import ApiClient
    from placed_google.api.json_structs import Event
    from placed_google.settings import GoogleSettings

HABITS = ("titles", "private", "acceptance", "zones")
_AROUND = timedelta(days=30)  # days before and after now
_MOST_ROOMS = 20
_MOST_MEETINGS = 250  # per room
_SIDE_BY_SIDE = 4
_ITEM = "id,status,start,visibility,eventType,attendees(self,resource,responseStatus)"
_FREE_BUSY = "freeBusyReader"
_PRIVATE = frozenset({"private", "confidential"})
_CAP = (
    'share them as "See all event details", and in the Admin console set Apps > Google Workspace > Calendar '
    "> Sharing settings > External sharing options to allow it, since the service account is outside of the "
    'organisation; or set privacy.show = "nothing"'
)
_ACCEPT = (
    "in Google Calendar, the room's Settings and sharing > Auto-accept invitations: choose to accept those "
    "that do not conflict; or have somebody answer them"
)
_ZONES = (
    "correct time_zone of the connection, or the zone in the calendars' settings; rooms with a time_zone in "
    "their own table are right, and without time_zone in the settings each calendar's own is used"
)


@dataclass(slots=True)
class CalendarSample:
    """Counts over the calendars that were read.

    Attributes:
        now: before which a meeting must have been answered.
        zone: of the rooms by the settings; None if they name none.
    """

    now: datetime
    zone: str | None
    rooms: int = 0
    free_busy: int = 0  # rooms of which only free/busy is shown
    booked: int = 0  # rooms with a meeting
    meetings: int = 0
    private: int = 0  # of the meetings
    untitled: int = 0  # of the meetings whose details are shown
    unanswered: set[str] = field(default_factory=set)  # rooms that left a meeting unanswered that has begun
    accepted: set[str] = field(default_factory=set)  # rooms that accepted one
    zones: dict[str, int] = field(default_factory=dict)  # other than by the settings: how many rooms

    def add(self, mailbox: str, page: Events) -> None:
        """Adds a room's calendar."""
        meetings = [event for event in page.items if event.status != "cancelled"]
        limited = page.access_role == _FREE_BUSY
        self.rooms += 1
        self.free_busy += limited
        self.booked += bool(meetings)
        self.meetings += len(meetings)
        self.private += sum(event.visibility in _PRIVATE for event in meetings)
        if not limited:
            self.untitled += sum(not event.summary and event.visibility not in _PRIVATE for event in meetings)
            self._note_answers(mailbox, meetings)
        if self.zone is not None and page.time_zone is not None and page.time_zone != self.zone:
            self.zones[page.time_zone] = self.zones.get(page.time_zone, 0) + 1

    def _note_answers(self, mailbox: str, meetings: Sequence[Event]) -> None:
        for event in meetings:
            own = own_attendee(event)
            if own is None:
                continue
            if own.response_status == "accepted":
                self.accepted.add(mailbox)
            elif own.response_status == "needsAction" and _has_begun(event, self.now):
                self.unanswered.add(mailbox)


async def look_at_calendars(
    events: ApiClient, settings: GoogleSettings, surroundings: Surroundings, rooms: Sequence[FoundRoom]
) -> list[Finding]:
    """Returns the findings `titles`, `private`, `acceptance` and `zones`, from a sample of the rooms."""
    step = max(1, len(rooms) // _MOST_ROOMS)
    chosen = list(rooms[::step])[:_MOST_ROOMS]
    zone = settings.time_zone.key if "time_zone" in settings.model_fields_set else None
    seen = CalendarSample(surroundings.now(), zone)
    limit = asyncio.Semaphore(min(_SIDE_BY_SIDE, surroundings.concurrency))

    async def look(room: FoundRoom) -> None:
        async with limit:
            try:
                page = await events.get(_path(room, surroundings), Events)
            except DriverError:  # the other rooms suffice
                return
        seen.add(room.mailbox, page)

    await asyncio.gather(*(look(room) for room in chosen))
    if not seen.rooms:
        return [Finding.of(check, Verdict.DOUBTFUL, "no calendar could be read", AGAIN) for check in HABITS]
    return [_titles(seen, details=surroundings.details), _private(seen), _acceptance(seen), _zones(seen)]


def _path(room: FoundRoom, surroundings: Surroundings) -> str:
    now = surroundings.now()
    item = f"{_ITEM},summary" if surroundings.details else _ITEM
    fields = f"accessRole,timeZone,items({item})"
    since, until = now - _AROUND, now + _AROUND
    return events_path(room.mailbox, since, until, fields=fields, page_size=_MOST_MEETINGS)


def _titles(seen: CalendarSample, *, details: bool) -> Finding:
    limited = f"{seen.free_busy} of {_rooms(seen.rooms)} looked at {'is' if seen.free_busy == 1 else 'are'}"
    if not details:
        also = f"; {limited} shared as free/busy only, which suffices" if seen.free_busy else ""
        return Finding.of("titles", Verdict.GOOD, f"not asked for: privacy.show hides them{also}")
    if seen.free_busy:
        text = f"{limited} shared as free/busy only, so no titles and names are shown there"
        return Finding.of("titles", Verdict.DOUBTFUL, text, _CAP)
    if not seen.booked:
        return Finding.of("titles", Verdict.GOOD, _nothing_booked(seen))
    text = f"{seen.untitled} of {_meetings(seen.meetings)} have none, private ones apart"
    return Finding.of("titles", Verdict.GOOD, text)


def _private(seen: CalendarSample) -> Finding:
    if not seen.booked:
        return Finding.of("private", Verdict.GOOD, _nothing_booked(seen))
    if seen.free_busy == seen.rooms:
        return Finding.of(
            "private", Verdict.GOOD, "every meeting counts as private: only free/busy is shared"
        )
    text = f"{seen.private} of {_meetings(seen.meetings)} are marked private; only their times are shown"
    return Finding.of("private", Verdict.GOOD, text)


def _acceptance(seen: CalendarSample) -> Finding:
    never = seen.unanswered - seen.accepted
    if never:
        text = f"{len(never)} of {_rooms(seen.rooms)} looked at left bookings unanswered and accepted none"
        text += ": they show as busy until somebody declines them"
        return Finding.of("acceptance", Verdict.DOUBTFUL, text, _ACCEPT)
    if not seen.booked:
        return Finding.of("acceptance", Verdict.GOOD, _nothing_booked(seen))
    return Finding.of("acceptance", Verdict.GOOD, f"bookings are answered in {_rooms(seen.rooms)} looked at")


def _zones(seen: CalendarSample) -> Finding:
    if seen.zone is None:
        return Finding.of("zones", Verdict.GOOD, "each calendar's own time zone is used")
    if not seen.zones:
        return Finding.of("zones", Verdict.GOOD, f"{seen.zone} in {_rooms(seen.rooms)} looked at")
    others = ", ".join(sorted(seen.zones))
    number = f"{sum(seen.zones.values())} of {_rooms(seen.rooms)}"
    text = f"{number} looked at have another zone than {seen.zone}: {others}"
    return Finding.of("zones", Verdict.DOUBTFUL, text, _ZONES)


def _has_begun(event: Event, now: datetime) -> bool:
    """Whether a meeting with times has begun; all-day meetings are left out."""
    text = event.start.date_time if event.start is not None else None
    try:
        start = datetime.fromisoformat(text or "")
    except ValueError:
        return False
    return (start if start.tzinfo else start.replace(tzinfo=UTC)) <= now


def _nothing_booked(seen: CalendarSample) -> str:
    return f"nothing is booked in {_rooms(seen.rooms)}, so nothing shows it"


def _rooms(number: int) -> str:
    return "1 room" if number == 1 else f"{number} rooms"


def _meetings(number: int) -> str:
    return "1 meeting" if number == 1 else f"{number} meetings"
