"""A room's calendar view: how it is asked for, and what its answer says."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from placed.driver import DriverError, Failed, Read, Unavailable, Unchanged
from placed.model import Reason
from placed_microsoft365.answers import UnexpectedAnswer, decode
from placed_microsoft365.meetings import meeting_of
from placed_microsoft365.wire import EVENT_DETAILS, EVENT_FIELDS, Events

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime
    from zoneinfo import ZoneInfo

    import msgspec

    from placed.driver import Answer, Query
    from placed_microsoft365.graph import Graph
    from placed_microsoft365.pace import Pace
    from placed_microsoft365.wire import Event

PAGE_SIZE = 100  # a room has less in a few days; Graph's own default is 10
MOST_PAGES = 20  # Graph has been seen to send next links without an end
TIMEOUT = 120.0  # seconds for all the pages of one room after the first
_NEXT_LINK = b'"@odata.nextLink"'


def calendar_view(
    mailbox: str, since: datetime, until: datetime, *, fields: Sequence[str], page_size: int
) -> str:
    """The path of a calendar view, below the version."""
    window = f"startDateTime={since:%Y-%m-%dT%H:%M:%SZ}&endDateTime={until:%Y-%m-%dT%H:%M:%SZ}"
    return (
        f"/users/{quote(mailbox, safe='@')}/calendarView?{window}&$select={','.join(fields)}&$top={page_size}"
    )


def goes_on(body: bytes | msgspec.Raw) -> bool:
    """Whether there are pages after this one, told without parsing it: at worst a guess too many."""
    return _NEXT_LINK in bytes(body)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read last: the question, the zone that its all-day meetings were put in, and the digest."""

    url: str
    zone: ZoneInfo
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
        self._known: dict[str, _Known] = {}  # by mailbox

    def url(self, query: Query) -> str:
        """What to ask for a room."""
        return calendar_view(
            query.room.mailbox, query.since, query.until, fields=self._fields, page_size=PAGE_SIZE
        )

    def keep(self, mailboxes: AbstractSet[str]) -> None:
        """Forgets what was read of all others; they will be told anew."""
        self._known = {mailbox: known for mailbox, known in self._known.items() if mailbox in mailboxes}

    async def answer(self, query: Query, url: str, body: bytes | msgspec.Raw, asked_at: datetime) -> Answer:
        """What the first page says, together with the pages that follow it."""
        digest = hashlib.blake2b(body, digest_size=16).digest()
        seen = _Known(url, query.room.time_zone, digest)
        mailbox = query.room.mailbox
        if self._known.get(mailbox) == seen:
            return Unchanged(query, asked_at)
        self._known.pop(mailbox, None)
        try:
            page = decode(body, Events)
            events = page.value if page.next_link is None else await self._whole(page)
            meetings = tuple(meeting_of(event, query.room.time_zone) for event in events)
        except DriverError as error:
            return Failed(query, error.reason, str(error), error.retry_after)
        except (ValueError, OverflowError):
            return Failed(query, Reason.MALFORMED, "an event has times that are not to be understood")
        if page.next_link is None:  # of several, the first alone does not tell that nothing changed
            self._known[mailbox] = seen
        return Read(query, asked_at, meetings)

    async def _whole(self, first: Events) -> list[Event]:
        events = list(first.value)
        link, seen = first.next_link, set[str]()
        try:
            async with asyncio.timeout(TIMEOUT):
                while link is not None:
                    if link in seen or len(seen) >= MOST_PAGES:
                        raise UnexpectedAnswer("next links without an end")
                    seen.add(link)
                    async with self._pace.turn():
                        page = await self._graph.get(link, Events)
                    events += page.value
                    link = page.next_link
        except TimeoutError:
            raise Unavailable("the calendar's pages take too long") from None
        return events
