"""A room's calendar: its URL, its pages, and the decoding of the answer."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from placed.domain.model import Reason
from placed.driver import DriverError, Failed, Problem, Read, Unavailable, Unchanged, UnexpectedAnswer
from placed.driver.parallel_reading import failure_of
from placed.driver.unchanged_answer import KnownAnswer, digest_of, question_of
from placed_google.api.json_structs import Events, RawEvents
from placed_google.api.reply import decode
from placed_google.calendars.decoded_events import NOTHING_DECODED
from placed_google.calendars.event_to_meeting import BAD_TIMES, lacks_own_answer, meetings_of

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from placed.driver import Answer, Query
    from placed.driver.network.concurrency_limit import ConcurrencyLimit
    from placed_google.api.client import ApiClient
    from placed_google.api.json_structs import Event
    from placed_google.calendars.decoded_events import DecodedEvents
    from placed_google.calendars.request_budget import RequestBudget

PAGE_SIZE = 250  # a room has fewer in a few days; Google's default and its limit are 250 and 2500
MOST_PAGES = 20
TIMEOUT = 120.0  # seconds for all pages of one room after the first
_ITEM = (
    "id,status,start,end,transparency,visibility,eventType,attendeesOmitted,"
    "attendees(self,resource,responseStatus)"
)
_DETAILS = "summary,organizer(displayName,self)"
_BOOKINGS = "created,recurringEventId"


def events_path(  # noqa: PLR0913 - the parameters that differ
    calendar: str,
    since: datetime,
    until: datetime,
    *,
    fields: str,
    page_size: int = PAGE_SIZE,
    all_attendees: bool = False,
) -> str:
    """Returns the path of events.list, with its query.

    Google compares `timeMin` with the ends and `timeMax` with the starts, both exclusively: what overlaps. No
    `timeZone` is asked for, so that the answer's own is the calendar's; times have offsets in any case.
    """
    query = _query(since, until, fields, page_size, all_attendees)
    return f"{calendar_path(calendar)}/events?{query}"


@lru_cache(maxsize=10_000)
def calendar_path(calendar: str) -> str:
    """Returns the path of a calendar."""
    return f"/calendar/v3/calendars/{quote(calendar, safe='')}"


@lru_cache(maxsize=100)
def _query(since: datetime, until: datetime, fields: str, page_size: int, all_attendees: bool) -> str:  # noqa: FBT001 - for the cache
    """Returns the query string, which is the same for all rooms of a time zone."""
    return "&".join(
        [
            "singleEvents=true",
            f"timeMin={since:%Y-%m-%dT%H:%M:%SZ}",
            f"timeMax={until:%Y-%m-%dT%H:%M:%SZ}",
            f"maxResults={page_size}",
            *([] if all_attendees else ["maxAttendees=1"]),  # the calendar's own answer; guests stay there
            "prettyPrint=false",
            f"fields={quote(fields, safe='(),/')}",
        ]
    )


class FirstPage(NamedTuple):
    """The first page of a room that needs more requests: for its other pages, or for all attendees."""

    query: Query
    asked_at: datetime
    page: Events


class RoomCalendars:
    """Decodes calendars, and recognizes an answer that it has decoded before.

    Args:
        client: fetches the pages after the first.
        limit: how many requests may run in parallel.
        budget: how many requests may begin within a minute.
        details: whether titles and organizers are wanted.
        bookings: whether it is wanted when a meeting was booked, and of which series it is.
        zone: the time zone of rooms for which the settings name none; None if they name one for all.

    Attributes:
        roles: the service account's role on each calendar that was read.
        zones: the calendars' own time zones.
    """

    def __init__(  # noqa: PLR0913 - what is wanted of calendars
        self,
        client: ApiClient,
        limit: ConcurrencyLimit,
        budget: RequestBudget,
        *,
        details: bool,
        zone: ZoneInfo | None,
        bookings: bool = False,
    ) -> None:
        self._client = client
        self._limit = limit
        self._budget = budget
        item = ",".join([_ITEM, *([_DETAILS] if details else []), *([_BOOKINGS] if bookings else [])])
        self._fields = f"accessRole,timeZone,nextPageToken,items({item})"
        self._zone = zone
        self._known: dict[str, KnownAnswer] = {}  # by mailbox
        self._meetings: dict[str, DecodedEvents] = {}  # the same
        self._with_all_attendees: set[str] = set()  # mailboxes whose own answer one attendee does not show
        self.roles: dict[str, str] = {}
        self.zones: dict[str, ZoneInfo] = {}

    def path(self, query: Query) -> str:
        """Returns the path for a room."""
        mailbox = query.room.mailbox
        return events_path(
            mailbox,
            query.since,
            query.until,
            fields=self._fields,
            all_attendees=mailbox in self._with_all_attendees,
        )

    def keep(self, mailboxes: AbstractSet[str]) -> None:
        """Forgets the last answers of all other mailboxes; they will be reported in full again."""
        self._known = {mailbox: known for mailbox, known in self._known.items() if mailbox in mailboxes}
        self._meetings = {mailbox: known for mailbox, known in self._meetings.items() if mailbox in mailboxes}
        self.roles = {mailbox: role for mailbox, role in self.roles.items() if mailbox in mailboxes}
        self._with_all_attendees &= mailboxes

    def forget(self) -> None:
        """No answer counts as known."""
        self._known.clear()
        self._meetings.clear()

    def answer(self, query: Query, body: bytes | memoryview, asked_at: datetime) -> Answer | FirstPage:
        """Decodes the body, unless more requests are needed; those are sent by `follow`."""
        mailbox = query.room.mailbox
        question, digest = question_of(query), digest_of(body)
        known = self._known.get(mailbox)
        if query.known and known is not None and (known.digest, known.question) == (digest, question):
            return Unchanged(query, asked_at)
        self._known.pop(mailbox, None)
        before = self._meetings.pop(mailbox, NOTHING_DECODED)
        try:
            page = decode(body, RawEvents)
            self._note(mailbox, page)
            role, zone = self.roles.get(mailbox), self._zone_of(query)
            meetings = before.next(page.items, role, zone) if page.next_page_token is None else None
            if meetings is None or (meetings.lacks_own_answers and mailbox not in self._with_all_attendees):
                return FirstPage(query, asked_at, decode(body, Events))
        except DriverError as error:
            return failure_of(query, error)
        except BAD_TIMES:
            return _malformed(query)
        self._known[mailbox] = KnownAnswer(question, len(body), digest)
        self._meetings[mailbox] = meetings
        return Read(query, asked_at, meetings.all)

    async def follow(self, first: FirstPage) -> Answer:
        """Decodes a room's first page together with what it lacks."""
        try:
            async with asyncio.timeout(TIMEOUT):
                events = await self._whole(first)
        except TimeoutError:
            return failure_of(first.query, Unavailable("the calendar's pages take too long"))
        except DriverError as error:
            return failure_of(first.query, error)
        return self._decoded(first.query, first.asked_at, events)

    async def _whole(self, first: FirstPage) -> list[Event]:
        page, path = first.page, self.path(first.query)
        if self._lacks_own_answers(first.query.room.mailbox, page):
            self._with_all_attendees.add(first.query.room.mailbox)
            path = self.path(first.query)
            page = await self._page(path)
        events, seen = list(page.items), set[str]()
        while (token := page.next_page_token) is not None:  # a page may have a token and no event
            if token in seen or len(seen) >= MOST_PAGES:
                raise UnexpectedAnswer("pages without an end")
            seen.add(token)
            page = await self._page(f"{path}&pageToken={quote(token, safe='')}")
            events += page.items
        return events

    async def _page(self, path: str) -> Events:
        await self._budget.take(1)
        async with self._limit.slot():
            return await self._client.get(path, Events)

    def _lacks_own_answers(self, mailbox: str, page: Events) -> bool:
        """Returns whether an event's one attendee is somebody else, so the room's answer is unknown."""
        return mailbox not in self._with_all_attendees and any(map(lacks_own_answer, page.items))

    def _note(self, mailbox: str, page: RawEvents) -> None:
        if page.access_role is not None:
            self.roles[mailbox] = page.access_role
        if page.time_zone is not None:
            try:
                self.zones[mailbox] = ZoneInfo(page.time_zone)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                self.zones.pop(mailbox, None)

    def _zone_of(self, query: Query) -> ZoneInfo:
        """Returns the zone of a room's all-day meetings: by the settings, or else the calendar's own."""
        zone = query.room.time_zone
        if self._zone is not None and zone == self._zone and not query.room.zone_is_set:
            return self.zones.get(query.room.mailbox, zone)
        return zone

    def _decoded(self, query: Query, asked_at: datetime, events: list[Event]) -> Read | Failed:
        try:
            meetings = meetings_of(events, self.roles.get(query.room.mailbox), self._zone_of(query))
        except BAD_TIMES:
            return _malformed(query)
        return Read(query, asked_at, meetings)


def _malformed(query: Query) -> Failed:
    return Failed(query, Reason.MALFORMED, Problem("", "an event has no id, or invalid times"))
