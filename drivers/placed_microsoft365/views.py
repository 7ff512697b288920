"""A room's calendar view: how it is asked for, and what its answer says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from placed.driver import DriverError, Failed, Read, Unchanged
from placed.model import Reason
from placed_microsoft365.graph import UnexpectedAnswer, decode
from placed_microsoft365.meetings import meeting_of
from placed_microsoft365.wire import EVENT_DETAILS, EVENT_FIELDS, Events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import msgspec

    from placed.driver import Answer, Query
    from placed_microsoft365.graph import Graph
    from placed_microsoft365.pace import Pace
    from placed_microsoft365.wire import Event

PAGE_SIZE = 100  # a room has less in a few days; Graph's own default is 10
MOST_PAGES = 20  # Graph has been seen to send next links without an end


def calendar_view(
    mailbox: str, since: datetime, until: datetime, *, fields: Sequence[str], page_size: int
) -> str:
    """The path of a calendar view, below the version."""
    window = f"startDateTime={since:%Y-%m-%dT%H:%M:%SZ}&endDateTime={until:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f"/users/{quote(mailbox, safe='@')}/calendarView?{window}&$select={','.join(fields)}&$top={page_size}"
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read last: the question, and the answer's digest."""

    url: str
    digest: bytes


class Views:
    """Tells what the answers say, and knows an answer again that it has seen.

    Args:
        graph: fetches the pages after the first.
        pace: how many requests may be under way.
        details: whether titles and organizers are wanted.
    """

    def __init__(self, graph: Graph, pace: Pace, *, details: bool) -> None:
        self._graph = graph
        self._pace = pace
        self._fields = EVENT_FIELDS + EVENT_DETAILS if details else EVENT_FIELDS
        self._known: dict[str, _Known] = {}

    def url(self, query: Query) -> str:
        """What to ask for a room."""
        return calendar_view(
            query.room.mailbox, query.since, query.until, fields=self._fields, page_size=PAGE_SIZE
        )

    async def answer(self, query: Query, url: str, body: bytes | msgspec.Raw, asked_at: datetime) -> Answer:
        """What the first page says, together with the pages that follow it."""
        digest = hashlib.blake2b(body, digest_size=16).digest()
        known = self._known.get(query.room.id)
        if known is not None and known.url == url and known.digest == digest:
            return Unchanged(query, asked_at)
        self._known.pop(query.room.id, None)
        try:
            events, pages = await self._events(body)
            meetings = tuple(meeting_of(event, query.room.time_zone) for event in events)
        except DriverError as error:
            return Failed(query, error.reason, str(error), error.retry_after)
        except (ValueError, OverflowError):
            return Failed(query, Reason.MALFORMED, "an event has times that are not to be understood")
        if pages == 1:  # of several, the first alone does not tell that nothing changed
            self._known[query.room.id] = _Known(url, digest)
        return Read(query, asked_at, meetings)

    async def _events(self, body: bytes | msgspec.Raw) -> tuple[list[Event], int]:
        page = decode(body, Events)
        events = list(page.value)
        seen: set[str] = set()
        while page.next_link is not None:
            if page.next_link in seen or len(seen) >= MOST_PAGES:
                raise UnexpectedAnswer("next links without an end")
            seen.add(page.next_link)
            async with self._pace.turn():
                page = await self._graph.get(page.next_link, Events)
            events += page.value
        return events, len(seen) + 1
