"""Feeds in a campaign: a publisher with rooms, of which each feed is served in another way."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from placed_icalendar.simulator.feed_host import FeedHost, Publisher
from placed_simulator.command_line import write_private
from tests.fault_injection.calendar_service import ZONE
from tests.fault_injection.network_link import Line
from tests.fault_injection.stored_calendars import StoredCalendars, booked

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import date, datetime
    from pathlib import Path
    from typing import Any

    from tests.fault_injection.calendar_service import Booked

ROOMS = ("feed-1", "feed-2", "feed-3")
_LOGIN = ("placed", "correct horse")  # of the last room's feed


class FeedCalendars(StoredCalendars):
    """The publisher, a line to its host, and its people.

    What is true of a room is what its feed holds: of news that is not published yet nobody can know.

    Args:
        clock: of the host.
        chance: what people do.
        changed: is called after each change of a calendar.

    Attributes:
        publisher: what is simulated.
        line: of the daemon, to it.
    """

    line: Line

    def __init__(
        self, clock: Callable[[], datetime], chance: random.Random, changed: Callable[[], None]
    ) -> None:
        self.publisher = Publisher(clock)
        desk = _Desk(self.publisher)
        super().__init__(self.publisher.bookings, desk, ROOMS, chance, changed)
        self._held = desk.held
        first, second, third = ROOMS
        self.publisher.add_room(first)
        self.publisher.add_room(second, link="nextcloud", etag="none", last_modified=True, chunked=True)
        # It ignores If-None-Match, and every text has other stamps: the driver has to see what is the same.
        self.publisher.add_room(third, link="plain", etag="ignored", stamped=True, login=_LOGIN)

    @asynccontextmanager
    async def served(self, folder: Path) -> AsyncIterator[str]:
        """See `CalendarService.served`."""
        host = FeedHost(self.publisher)
        async with host, Line(int(host.url.rpartition(":")[2])) as self.line:
            host.url = f"https://localhost:{self.line.port}"  # so that everything goes by the line
            yield self._table(host, folder)

    def calendars(self) -> Iterator[tuple[str, object, list[Booked]]]:
        """See `CalendarService.calendars`."""
        for name in ROOMS:
            made, _ = self.publisher.published(self.publisher.room(name))
            yield name, made, self._held[name].get(made, [])

    def _table(self, host: FeedHost, folder: Path) -> str:
        user, password = _LOGIN
        secret = folder / "feeds.password"
        write_private(secret, password.encode())
        rows = []
        for name in ROOMS:
            link = folder / f"{name}.link"
            write_private(link, host.link_of(name).encode())
            keys = [f"url_file = {json.dumps(str(link))}"]
            if name == ROOMS[-1]:
                keys += [f"username = {json.dumps(user)}", f"password_file = {json.dumps(str(secret))}"]
            rows.append(f"{name} = {{ {', '.join(keys)} }}")
        canary = f"{host.url}/calendar/somebody/private-{'0a1b2c3d4e' * 4}/basic.ics"
        return "\n".join(
            [
                "[[connections]]",
                'name = "feeds"',
                'driver = "icalendar"',
                f'time_zone = "{ZONE}"',
                f"ca_file = {json.dumps(str(host.ca_file))}",
                "[connections.feeds]",
                *rows,
                "[connections.fence]",
                f"canaries = [{json.dumps(canary)}]",
                "",
            ]
        )


class _Desk:
    """Books at the publisher, and remembers what each version of a feed holds.

    Attributes:
        held: by room, and by when the version was made.
    """

    def __init__(self, publisher: Publisher) -> None:
        self.held: dict[str, dict[datetime, list[Booked]]] = {name: {} for name in ROOMS}
        self._publisher = publisher

    def book(self, name: str, start: datetime | date, end: datetime | date, /, **fields: Any) -> object:
        """Books a room."""
        uid = self._publisher.book(name, start, end, **fields)
        self._keep(name)
        return uid

    def move(self, uid: str, start: datetime | date, end: datetime | date) -> None:
        """Gives a meeting other times."""
        self._publisher.move(uid, start, end)
        self._keep(self._room_of(uid))

    def cancel(self, uid: str) -> None:
        """Cancels a meeting, which stays."""
        self._publisher.cancel(uid)
        self._keep(self._room_of(uid))

    def delete(self, uid: str) -> None:
        """Removes a meeting."""
        room = self._room_of(uid)
        self._publisher.delete(uid)
        self._keep(room)

    def _room_of(self, uid: str) -> str:
        calendars = self._publisher.bookings.calendars
        return next(name for name, calendar in calendars.items() if uid in calendar.bookings)

    def _keep(self, name: str) -> None:
        versions = self._publisher.room(name).versions
        before = self.held[name]
        kept = {made: before[made] for made, _ in versions if made in before}
        bookings = self._publisher.bookings.calendar(name).bookings.values()
        self.held[name] = kept | {versions[-1][0]: [booked(booking) for booking in bookings]}
