"""Reads many calendars: their tags with one request, and then those that may have changed, in parallel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placed.domain.model import Reason
from placed.driver import Failed, NotPermitted, Query, Unavailable, Unchanged, UnexpectedAnswer
from placed.driver.parallel_reading import in_parallel
from placed_icalendar.caldav import dav_names as names
from placed_icalendar.caldav.change_tags import CalendarTag
from placed_icalendar.caldav.dav_errors import failed, meaning_for_room
from placed_icalendar.caldav.dav_requests import TAGS
from placed_icalendar.caldav.hrefs import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from placed.driver import Answer
    from placed.driver.network.concurrency_limit import ConcurrencyLimit
    from placed_icalendar.caldav.calendar_home import CalendarHome
    from placed_icalendar.caldav.change_tags import ChangeTags
    from placed_icalendar.caldav.dav_client import DavClient
    from placed_icalendar.caldav.multistatus import DavResponse
    from placed_icalendar.caldav.room_query import RoomReader

GIVE_UP_AFTER = 3  # calendars in a row for which the server gives no answer


class _Due(NamedTuple):
    """A calendar to read, and the tag that it had just before; None if none was given."""

    query: Query
    tag: CalendarTag | None


class RoundReader:
    """Reads the calendars of one connection.

    Args:
        client: asks for the tags.
        rooms: reads single calendars.
        tags: what is known of each calendar.
        limit: how many requests may run in parallel.
        now: the program's clock.
    """

    def __init__(
        self,
        client: DavClient,
        rooms: RoomReader,
        tags: ChangeTags,
        limit: ConcurrencyLimit,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._rooms = rooms
        self._tags = tags
        self._limit = limit
        self._now = now

    async def read(
        self, queries: Sequence[Query], home: CalendarHome, answer: Callable[[Answer], None]
    ) -> None:
        """Reads all rooms; see `placed.driver.Driver.read`."""
        if not queries:
            return
        asked_at = self._now()
        listed = await self._listed(home)
        due = []
        for query in queries:
            one = listed.get(key_of(query.room.mailbox))
            if one is not None and not one.ok:
                self._tags.drop(query.room.mailbox)
                answer(failed(query, meaning_for_room(one.status)))
                continue
            tag = None if one is None else _tag_of(one)
            if self._tags.is_same(query, tag):
                answer(Unchanged(query, asked_at))
            else:
                due.append(_Due(query, tag))
        await in_parallel(due, _ReadRun(self._rooms, self._limit, answer).one, self._limit.most)

    async def _listed(self, home: CalendarHome) -> Mapping[str, DavResponse]:
        """Returns what the homes list; nothing if they cannot be listed, and each calendar is read then.

        Raises:
            DriverError: the server cannot be asked at all.
        """
        found: dict[str, DavResponse] = {}
        for path in home.paths:
            try:
                responses = await self._client.propfind(path, TAGS, depth=home.depth)
            except (NotPermitted, UnexpectedAnswer):
                continue
            found |= {one.key: one for one in responses}
        return found


class _ReadRun:
    """One reading of many calendars."""

    def __init__(self, rooms: RoomReader, limit: ConcurrencyLimit, answer: Callable[[Answer], None]) -> None:
        self._rooms = rooms
        self._limit = limit
        self._answer = answer
        self._failures = 0  # in a row

    async def one(self, due: _Due) -> None:
        """Reads one calendar.

        Raises:
            DriverError: the connection as a whole fails.
        """
        async with self._limit.slot() as number:
            found = await self._rooms.read(due.query, due.tag)
        reason = found.reason if isinstance(found, Failed) else None
        if isinstance(found, Failed) and reason is Reason.THROTTLED:
            self._limit.was_throttled(number, found.problem.retry_after or 0.0)
        else:
            self._limit.succeeded()
        self._answer(found)
        self._failures = self._failures + 1 if reason is Reason.UNAVAILABLE else 0
        if isinstance(found, Failed) and self._failures >= GIVE_UP_AFTER:
            raise Unavailable(found.problem.text, retry_after=found.problem.retry_after)


def _tag_of(one: DavResponse) -> CalendarTag | None:
    tag = CalendarTag(one.text(names.CTAG), one.text(names.SYNC_TOKEN))
    return tag if tag.offered else None
