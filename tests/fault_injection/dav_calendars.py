"""A CalDAV server in a campaign: the calendars of one account's home are rooms."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from placed_icalendar.simulator.caldav_host import BookingStore, CalDavHost
from tests.fault_injection.calendar_service import ZONE
from tests.fault_injection.network_link import Line
from tests.fault_injection.stored_calendars import StoredCalendars, booked
from tests.support.caldav_server import calendars_toml

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.fault_injection.calendar_service import Booked

ROOMS = ("dav-1", "dav-2", "dav-3")


class DavCalendars(StoredCalendars):
    """The server, a line to it, and its people.

    Args:
        clock: of the server.
        chance: what people do.
        changed: is called after each change of a calendar.

    Attributes:
        host: what is simulated.
        line: of the daemon, to it.
    """

    line: Line

    def __init__(
        self, clock: Callable[[], datetime], chance: random.Random, changed: Callable[[], None]
    ) -> None:
        store = BookingStore(clock)
        super().__init__(store, store, ROOMS, chance, changed)
        self.host = CalDavHost(store)
        for name in ROOMS:
            store.add_room(name, zone=ZONE)
            self.host.account.share(name)
        store.add_person("ada")

    @asynccontextmanager
    async def served(self, folder: Path) -> AsyncIterator[str]:
        """See `CalendarService.served`."""
        host = self.host
        async with host, Line(int(host.url.rpartition(":")[2])) as self.line:
            host.url = f"https://localhost:{self.line.port}"  # so that everything goes by the line
            yield calendars_toml(host, folder, more=f'time_zone = "{ZONE}"')

    def calendars(self) -> Iterator[tuple[str, object, list[Booked]]]:
        """See `CalendarService.calendars`."""
        for name in ROOMS:
            calendar = self.host.store.calendar(name)
            yield name, calendar.revision, [booked(booking) for booking in calendar.bookings.values()]
