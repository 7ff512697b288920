"""Reads one calendar: its objects that touch the window, and the meetings in them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import DriverError, Read, Unchanged
from placed.driver.parallel_reading import failure_of
from placed_icalendar.caldav import dav_names as names
from placed_icalendar.caldav.dav_errors import CUT, Meaning, failed, malformed, meaning_for_room
from placed_icalendar.caldav.dav_requests import calendar_query
from placed_icalendar.caldav.hrefs import is_within, key_of
from placed_icalendar.caldav.multistatus import each_response
from placed_icalendar.caldav.xml_tree import parse
from placed_icalendar.occurrences.calendar_reader import Malformed, Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.driver import Answer, Query
    from placed_icalendar.caldav.change_tags import CalendarTag, ChangeTags
    from placed_icalendar.caldav.dav_client import DavClient, DavReply
    from placed_icalendar.caldav.multistatus import DavResponse
    from placed_icalendar.occurrences.calendar_reader import CalendarReader, Contents

_NO_DATA = malformed("the server leaves an event of the calendar out of its answer")
_ELSEWHERE = malformed("the answer has events at addresses outside of the calendar that was asked for")
_NO_TEXT = malformed("the server sends an event as something else than calendar text")
_WITHOUT_DATA = frozenset({HTTPStatus.OK, HTTPStatus.NOT_FOUND})  # of the calendar itself
_LIMITS = frozenset({names.TOO_MANY, names.TOO_MANY_DAV})


class RoomReader:
    """Reads single calendars.

    Args:
        client: asks the server.
        reader: reads calendar text.
        tags: what is known of each calendar.
        address_of: the room's own mail address, by its mailbox.
        details: whether titles and organizers are wanted.
        bookings: whether it is wanted when a meeting was booked.
        default_zone: IANA name of the zone that rooms have if nobody has set one; None if it was set.
    """

    def __init__(  # noqa: PLR0913 - what reading needs
        self,
        client: DavClient,
        reader: CalendarReader,
        tags: ChangeTags,
        address_of: Callable[[str], str | None],
        *,
        details: bool,
        bookings: bool,
        default_zone: str | None = None,
    ) -> None:
        self._client = client
        self._reader = reader
        self._tags = tags
        self._address_of = address_of
        self._details = details
        self._bookings = bookings
        self._default_zone = default_zone

    async def read(self, query: Query, tag: CalendarTag | None) -> Answer:
        """Reads a calendar whose tag was asked for just before.

        Raises:
            Refused: the account is refused, and no list of calendars showed that it is not.
        """
        body = calendar_query(query.since, query.until)
        try:
            reply = await self._client.ask("REPORT", query.room.mailbox, body, depth="1")
            answer = await self._understood(query, reply, tag)
        except DriverError as error:
            if self._client.refusal is error:
                raise
            answer = failure_of(query, error)
        if not isinstance(answer, Read | Unchanged):
            self._tags.drop(query.room.mailbox)
        return answer

    async def _understood(self, query: Query, reply: DavReply, tag: CalendarTag | None) -> Answer:
        if reply.status != HTTPStatus.MULTI_STATUS:
            if reply.status == HTTPStatus.UNAUTHORIZED and tag is None:
                raise self._client.refused(reply)
            meaning = CUT if await _has_too_many_results(reply) else meaning_for_room(reply.status)
            return failed(query, meaning, reply.rest)
        bodies = await _bodies(reply)
        if isinstance(bodies, Meaning):
            return failed(query, bodies)
        try:
            found = await self._reader.read(bodies, self._window(query), known=self._tags.digest(query))
        except Malformed as error:
            return failed(query, malformed(str(error)))
        if found is None:
            digest = self._tags.digest(query)
            if digest is not None:
                self._tags.was_read(query, tag, digest)
            return Unchanged(query, reply.asked_at)
        return self._read(query, reply, tag, found)

    def _read(self, query: Query, reply: DavReply, tag: CalendarTag | None, found: Contents) -> Read:
        self._tags.was_read(query, tag, found.digest)
        return Read(query, reply.asked_at, found.meetings)

    def _window(self, query: Query) -> Window:
        address = query.room.address
        return Window(
            since=query.since,
            until=query.until,
            zone=query.room.time_zone,
            address=address if "@" in address else self._address_of(query.room.mailbox),
            details=self._details,
            bookings=self._bookings,
            zone_is_default=not query.room.zone_is_set and query.room.time_zone.key == self._default_zone,
        )


async def _bodies(reply: DavReply) -> list[bytes] | Meaning:
    """Returns the objects in the order of their addresses, or why the answer is not this calendar, whole.

    A report on a collection is about what lies in it (RFC 4791, 7.8; RFC 3253, 3.6). An object elsewhere may
    be of another room, or of this one under another name: either way it is not known what this room has.

    Raises:
        UnexpectedAnswer: it is no multistatus.
    """
    own = key_of(reply.path)
    found: dict[str, set[bytes]] = {}  # several objects may have addresses that look alike
    trouble: Meaning | None = None
    async for one in each_response(reply.body, reply.path):
        trouble = trouble or _trouble_of(one, own)
        data = one.properties.get(names.CALENDAR_DATA)
        if trouble is None and one.ok and data is not None:
            found.setdefault(one.key, set()).add(data.text.encode())
    return trouble or [text for key in sorted(found) for text in sorted(found[key])]


def _trouble_of(one: DavResponse, own: str) -> Meaning | None:
    """Returns why a response shows that the answer is not this calendar, whole; None if it does not."""
    if HTTPStatus.INSUFFICIENT_STORAGE in (one.status, *one.refused.values()):
        return CUT  # RFC 6578, 3.6
    if not is_within(one.key, own):
        return _ELSEWHERE
    data = one.properties.get(names.CALENDAR_DATA)
    if one.ok and data is not None:
        return _NO_TEXT if data.children else None
    withheld = one.refused.get(names.CALENDAR_DATA, HTTPStatus.OK) not in _WITHOUT_DATA
    return _NO_DATA if one.key != own or not one.ok or withheld else None


async def _has_too_many_results(reply: DavReply) -> bool:
    """Whether an error names the precondition about the number of results (RFC 4791, 7.8; RFC 6578, 3.6)."""
    if reply.status not in (HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT) or not reply.body.lstrip().startswith(
        b"<"
    ):
        return False
    try:
        root = await parse(reply.body)
    except DriverError:
        return False
    return root.name == names.ERROR and any(child.name in _LIMITS for child in root.children)
