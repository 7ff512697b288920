"""The CalDAV driver: composes the parts of one connection."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import Reason
from placed.driver import DriverError, NotPermitted, UnexpectedAnswer
from placed.driver.lost_rooms import LostRooms
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed.driver.parallel_reading import stream
from placed_icalendar.caldav.beyond_the_rooms import look_beyond
from placed_icalendar.caldav.caldav_settings import CalDavSettings
from placed_icalendar.caldav.calendar_home import find_home
from placed_icalendar.caldav.calendar_listing import calendars_of, rooms_of
from placed_icalendar.caldav.change_tags import ChangeTags
from placed_icalendar.caldav.dav_client import DavClient
from placed_icalendar.caldav.dav_fence import try_canaries, with_excess
from placed_icalendar.caldav.dav_requests import LISTING
from placed_icalendar.caldav.hrefs import key_of
from placed_icalendar.caldav.room_addresses import RoomAddresses
from placed_icalendar.caldav.round_reader import RoundReader
from placed_icalendar.default_zone import default_zone
from placed_icalendar.extra_packages import require_extra

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from placed.driver import Answer, Diagnosis, Fence, FoundRoom, Query, Setup, Surroundings
    from placed.driver.parallel_reading import Report
    from placed_icalendar.caldav.calendar_home import CalendarHome
    from placed_icalendar.caldav.calendar_listing import Calendar


class CalDav:
    """One connection to a CalDAV server; implements `placed.driver.Driver`."""

    Settings = CalDavSettings
    grant_delay = timedelta(minutes=5)  # a share is in effect at once; a list of calendars may be cached
    credential_expires_at = None

    def __init__(self, settings: CalDavSettings, surroundings: Surroundings) -> None:
        require_extra()
        from placed_icalendar.caldav.room_query import RoomReader  # noqa: PLC0415 - needs the extra
        from placed_icalendar.occurrences.calendar_reader import CalendarReader  # noqa: PLC0415 - the same

        self._settings = settings
        self._now = surroundings.now
        self._client = DavClient(settings, surroundings)
        self._reader = CalendarReader()
        self._tags = ChangeTags(surroundings.steady)
        self._lost_rooms = LostRooms({Reason.NOT_FOUND, Reason.FORBIDDEN}, _all_rooms_lost)
        self._addresses = RoomAddresses(self._client)
        self._home: CalendarHome | None = None
        self._calendars: Sequence[Calendar] = ()  # in the home, when it was last listed
        self.limit = ConcurrencyLimit(surroundings.concurrency)
        rooms = RoomReader(
            self._client,
            self._reader,
            self._tags,
            self._addresses.of,
            details=surroundings.details,
            bookings=settings.check_in is not None,
            default_zone=default_zone(settings),
        )
        self._round = RoundReader(self._client, rooms, self._tags, self.limit, surroundings.now)

    @staticmethod
    def open(settings: CalDavSettings, surroundings: Surroundings) -> CalDav:
        """Opens a connection; see `placed.driver.DriverKind.open`."""
        return CalDav(settings, surroundings)

    # --- for administrators: imported when a command needs it ---

    @staticmethod
    def diagnosis(settings: CalDavSettings, surroundings: Surroundings) -> Diagnosis:
        """See `placed.driver.OffersDiagnosis`."""
        from placed_icalendar.caldav.diagnosis import DavExamination  # noqa: PLC0415 - see above

        return DavExamination(settings, surroundings)

    @staticmethod
    def setup() -> Setup:
        """See `placed.driver.OffersSetup`."""
        from placed_icalendar.setup_kit import caldav_kit  # noqa: PLC0415 - see above

        return caldav_kit

    # --- rooms ---

    async def find_rooms(self) -> Sequence[FoundRoom]:
        """See `placed.driver.Driver.find_rooms`."""
        with self._forgetting():
            home = await self._find_home()
            self._calendars = await self._list(home)
            if await self._addresses.look(self._calendars):
                self._tags.forget()  # what a room has answered may be read in another way
        found = rooms_of(self._calendars, self._settings.calendars, home.paths[0])
        if default_zone(self._settings) is None:
            found = [replace(room, time_zone=None) for room in found]
        mailboxes = {room.mailbox for room in found}
        self._tags.keep(mailboxes)
        self._lost_rooms.keep(mailboxes)
        return found

    # --- reading ---

    def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        """See `placed.driver.Driver.read`."""
        return stream(partial(self._read, queries), self._tags.forget)

    async def _read(self, queries: Sequence[Query], report: Report) -> None:
        if not queries:
            return
        with self._forgetting(), self._lost_rooms.reading(report) as take:
            await self._round.read(queries, await self._find_home(), take)

    async def _find_home(self) -> CalendarHome:
        if self._home is None:
            self._home = await find_home(self._client)
        return self._home

    async def _list(self, home: CalendarHome) -> Sequence[Calendar]:
        """Lists the calendars of the homes; if the settings name the rooms, a home need not be listed.

        Raises:
            DriverError: the server cannot be asked, or does not list them.
        """
        found = []
        for path in home.paths:
            try:
                found += await self._client.propfind(path, LISTING, depth=home.depth)
            except (NotPermitted, UnexpectedAnswer):
                self._home = None  # it may have moved
                if not self._settings.calendars:
                    raise
        return calendars_of(found)

    # --- the fence ---

    async def try_fence(self) -> Fence:
        """See `placed.driver.FenceTrial`."""
        with self._forgetting():
            home = await self._find_home()
            calendars = await self._list(home)
            found = rooms_of(calendars, self._settings.calendars, home.paths[0])
            rooms = [room.mailbox for room in found]
            reach = await look_beyond(self._client, home, calendars, {key_of(path) for path in rooms})
            rooms.sort(key=lambda mailbox: not self._lost_rooms.is_readable(mailbox))
            result = await try_canaries(self._client, self._settings.fence, self._now(), rooms)
        return with_excess(result, reach.excess)

    @property
    def fence_circumstances(self) -> tuple[int, int]:
        """See `placed.driver.FenceCircumstances`: how many calendars, and how many can be changed."""
        return len(self._calendars), sum(bool(one.may_change) for one in self._calendars)

    async def close(self) -> None:
        """See `placed.driver.Driver.close`."""
        await self._client.close()
        await self._reader.close()

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """Forgets known answers after an error that ended a reading."""
        try:
            yield
        except DriverError:
            self._tags.forget()
            raise


def _all_rooms_lost(rooms: int) -> NotPermitted:
    return NotPermitted(
        f"none of the {rooms} calendars that were readable can be read any more",
        remedy="check that they are still shared with the account of this connection, for reading",
    )
