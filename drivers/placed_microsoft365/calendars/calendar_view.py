"""A room's calendar view: its URL, its pages, how it is decoded, and whether it is the same as before."""

from __future__ import annotations

import asyncio
import re
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import msgspec

from placed.domain.model import Reason
from placed.driver import DriverError, Failed, Problem, Read, Unavailable, Unchanged, UnexpectedAnswer
from placed.driver.parallel_reading import failure_of
from placed.driver.unchanged_answer import KnownAnswer, digest_of, question_of
from placed_microsoft365.calendars.event_to_meeting import EXPAND_BOOKED_AT, meetings_of
from placed_microsoft365.graph.json_structs import (
    EVENT_DETAILS,
    EVENT_FIELDS,
    EVENT_SERIES,
    BatchItem,
    Events,
)
from placed_microsoft365.graph.response import BAD_JSON, decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from placed.driver import Answer, Query
    from placed.driver.network.concurrency_limit import ConcurrencyLimit
    from placed_microsoft365.graph.client import GraphClient
    from placed_microsoft365.graph.json_structs import Event

PAGE_SIZE = 100  # a room has fewer in a few days; Graph's own default is 10
MOST_PAGES = 200
MOST_WITHOUT_NEWS = 20  # pages in a row; Graph is known to send next links without end
READINGS = 3  # readings of a calendar whose pages change meanwhile
TIMEOUT = 120.0  # seconds for all pages of one room after the first
_decode_item = msgspec.json.Decoder(BatchItem).decode
_OK = HTTPStatus.OK.value
_FIRST, _BODY, _NO_BODY, _NEXT, _LAST = b'{"responses":[', b'"body":', b"null}", b"},", b"}]}"
_PLAIN = re.compile(r"[\w.@~-]+", re.ASCII)  # characters that quoting keeps, as in nearly all mailboxes


def calendar_view(  # noqa: PLR0913 - what Graph is asked for
    mailbox: str,
    since: datetime,
    until: datetime,
    *,
    fields: tuple[str, ...],
    page_size: int,
    expand: str | None = None,
) -> str:
    """Returns the path of a calendar view, relative to the API version."""
    name = mailbox if _PLAIN.fullmatch(mailbox) else quote(mailbox, safe="@")
    return f"/users/{name}/calendarView?{_query(since, until, fields, page_size, expand)}"


@lru_cache(maxsize=100)
def _query(
    since: datetime, until: datetime, fields: tuple[str, ...], page_size: int, expand: str | None
) -> str:
    """Returns the query string, which is the same for all rooms of a time zone."""
    window = f"startDateTime={since:%Y-%m-%dT%H:%M:%SZ}&endDateTime={until:%Y-%m-%dT%H:%M:%SZ}"
    expanded = f"&$expand={expand}" if expand is not None else ""
    return f"{window}&$select={','.join(fields)}&$top={page_size}{expanded}"


class FirstPage(NamedTuple):
    """The first page of a room whose other pages still have to be requested."""

    query: Query
    asked_at: datetime
    page: Events


class CalendarViews:
    """Decodes calendar views, and recognizes a response that it has decoded before.

    Args:
        graph: fetches the pages after the first.
        limit: how many requests may run in parallel.
        details: whether titles and organizers are wanted.
        bookings: whether it is wanted when a meeting was booked, and of which series it is.
    """

    def __init__(
        self, graph: GraphClient, limit: ConcurrencyLimit, *, details: bool, bookings: bool = False
    ) -> None:
        self._graph = graph
        self._limit = limit
        self._fields = (
            *EVENT_FIELDS,
            *(EVENT_DETAILS if details else ()),
            *(EVENT_SERIES if bookings else ()),
        )
        self._expand = EXPAND_BOOKED_AT if bookings else None
        self._known: dict[str, KnownAnswer] = {}  # by mailbox

    def url(self, query: Query) -> str:
        """Returns the URL for a room."""
        return calendar_view(
            query.room.mailbox,
            query.since,
            query.until,
            fields=self._fields,
            page_size=PAGE_SIZE,
            expand=self._expand,
        )

    def keep(self, mailboxes: AbstractSet[str]) -> None:
        """Forgets the last responses of all other mailboxes; they will be reported in full again."""
        self._known = {mailbox: known for mailbox, known in self._known.items() if mailbox in mailboxes}

    def all_unchanged(self, queries: Sequence[Query], batch: bytes) -> bool:
        """Returns whether a batch response repeats the last response of every room.

        The ids in the batch are indices of `queries`. The check is fast and true for most batches. If it is
        False, each item has to be decoded.
        """
        expected = {}
        for place, query in enumerate(queries):
            known = self._known.get(query.room.mailbox)
            if not query.known or known is None or known.question != question_of(query):
                return False
            expected[str(place)] = known
        return all_unchanged(batch, expected)

    def answer(self, query: Query, body: bytes | msgspec.Raw, asked_at: datetime) -> Answer | FirstPage:
        """Decodes the body, unless it has more pages; those are requested by `follow`."""
        seen = KnownAnswer(question_of(query), len(memoryview(body)), digest_of(body))
        mailbox = query.room.mailbox
        if query.known and self._known.get(mailbox) == seen:
            return Unchanged(query, asked_at)
        self._known.pop(mailbox, None)
        try:
            page = decode(body, Events)
        except DriverError as error:
            return failure_of(query, error)
        if page.next_link is not None:  # the first page alone does not show that nothing changed
            return FirstPage(query, asked_at, page)
        result = _decoded(query, asked_at, page.value)
        if isinstance(result, Read):
            self._known[mailbox] = seen
        return result

    async def follow(self, first: FirstPage) -> Answer:
        """Decodes a room's first page together with the pages that follow it."""
        try:
            events = await self._whole(first)
        except DriverError as error:
            return failure_of(first.query, error)
        return _decoded(first.query, first.asked_at, events)

    async def _whole(self, first: FirstPage) -> list[Event]:
        """Returns the events of all pages.

        Pages are counted from the first event: if one is deleted meanwhile, the next page starts one event
        later, and an event is missing. So all pages are read again until two readings in a row agree.
        """
        try:
            async with asyncio.timeout(TIMEOUT):
                events = await self._following(first.page)
                for _ in range(READINGS):
                    async with self._limit.slot():
                        page = await self._graph.get(self.url(first.query), Events)
                    before, events = events, await self._following(page)
                    if _places(before) == _places(events):
                        return events
        except TimeoutError:
            raise Unavailable("the calendar's pages take too long") from None
        raise Unavailable("the calendar changes while its pages are read")

    async def _following(self, page: Events) -> list[Event]:
        events = list(page.value)
        found, without_news = _places(events), 0
        link, seen = page.next_link, set[str]()
        while link is not None:
            if link in seen or without_news >= MOST_WITHOUT_NEWS:
                raise UnexpectedAnswer("next links without an end")
            if len(seen) >= MOST_PAGES:
                raise UnexpectedAnswer(f"more than {len(found)} events in the polling window")
            seen.add(link)
            async with self._limit.slot():
                page = await self._graph.get(link, Events)
            events += page.value
            before = len(found)
            found |= _places(page.value)
            without_news = without_news + 1 if len(found) == before else 0
            link = page.next_link
        return events


def _places(events: Iterable[Event]) -> set[tuple[str, str, str]]:
    return {(event.id or "", event.start.date_time, event.end.date_time) for event in events}


def _decoded(query: Query, asked_at: datetime, events: Iterable[Event]) -> Read | Failed:
    try:
        meetings = meetings_of(events, query.room.time_zone)
    except (ValueError, OverflowError):
        return Failed(query, Reason.MALFORMED, Problem("", "an event has invalid times"))
    return Read(query, asked_at, meetings)


def all_unchanged(batch: bytes, known: Mapping[str, KnownAnswer]) -> bool:
    """Returns whether a batch response consists of the known bodies, in any order.

    No body is parsed: if the bytes at its place equal a known body, they are the whole of it, because no JSON
    object is the prefix of another. Any deviation, even a space between two items, makes the result False;
    the caller then decodes the batch.

    Args:
        batch: the response of Graph.
        known: the known body for each request id.
    """
    if not batch.startswith(_FIRST):
        return False
    whole, begin, missing = memoryview(batch), len(_FIRST), dict(known)
    while True:
        body = batch.find(_BODY, begin) + len(_BODY)
        try:
            item = _decode_item(batch[begin:body] + _NO_BODY)
        except BAD_JSON:
            return False
        expected = missing.pop(item.id, None)
        if expected is None or item.status != _OK:
            return False
        end = body + expected.length
        if digest_of(whole[body:end]) != expected.digest:
            return False
        if not missing:
            return whole[end:] == _LAST
        begin = end + len(_NEXT)
        if whole[end:begin] != _NEXT:
            return False
