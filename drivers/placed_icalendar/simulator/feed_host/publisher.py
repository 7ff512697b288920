"""A publisher of calendars: rooms, their bookings and links, its clock and its faults."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from placed_icalendar.simulator.bookings.booking_store import BookingStore, wall_clock
from placed_icalendar.simulator.bookings.booking_text import feed_text, time_of
from placed_icalendar.simulator.feed_host.feed_faults import FeedFaults
from placed_icalendar.simulator.feed_host.moved_text import moved
from placed_icalendar.simulator.feed_host.published_room import PublishedRoom, Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from placed_icalendar.simulator.feed_host.published_room import Link

_VERSIONS = 200  # of a room's text are kept
_STAMP = re.compile(r"DTSTAMP:\w+")


class Publisher:
    """Everything that a host of feeds publishes.

    Args:
        now: its clock.

    Attributes:
        bookings: what is booked; changes are published by the methods of this class.
        delay: how old what it serves is.
        clock_ahead: of its `Date` before its clock.
    """

    def __init__(self, now: Callable[[], datetime] = wall_clock) -> None:
        self.now = now
        self.bookings = BookingStore(now)
        self.delay = timedelta()
        self.clock_ahead = timedelta()
        self.faults = FeedFaults()
        self._rooms: dict[str, PublishedRoom] = {}
        self._links = 0

    # --- rooms ---

    def add_room(
        self,
        address: str,
        *,
        name: str | None = None,
        link: Link = "secret",
        text: str | None = None,
        **service: Any,
    ) -> PublishedRoom:
        """Publishes a calendar; `service` has the fields of `Service`."""
        room = PublishedRoom(address, self._secret(address), link, Service(**service), text)
        self.bookings.add_room(address, name or address.partition("@")[0].title())
        self._rooms[address] = room
        self._publish(room)
        return room

    def add_text(self, address: str, text: str, played: date, **service: Any) -> PublishedRoom:
        """Publishes a text whose dates are moved: the week of `played` becomes this week."""
        return self.add_room(address, text=moved(text, played, self.now()), **service)

    def rooms(self) -> Sequence[PublishedRoom]:
        """All of them."""
        return [*self._rooms.values()]

    def room(self, address: str) -> PublishedRoom:
        """One of them.

        Raises:
            LookupError: there is none.
        """
        if address not in self._rooms:
            raise LookupError(f"there is no room {address!r}")
        return self._rooms[address]

    def remove_room(self, address: str) -> None:
        """Publishes a calendar no more."""
        del self._rooms[self.room(address).address]
        self.bookings.remove(address)

    def new_link(self, address: str) -> PublishedRoom:
        """Gives a calendar another link; the earlier one leads nowhere."""
        room = self.room(address)
        room.secret = self._secret(address)
        return room

    def serve(self, address: str, **service: Any) -> None:
        """Serves a feed in another way; see `Service`."""
        room = self.room(address)
        room.service = replace(room.service, **service)

    def at(self, path: str) -> PublishedRoom | None:
        """The room whose feed is at a path with its query."""
        return next((room for room in self._rooms.values() if room.path == path), None)

    def _secret(self, address: str) -> str:
        """Another one each time, and the same in each run."""
        self._links += 1
        return hashlib.sha256(f"{address}/{self._links}".encode()).hexdigest()[:40]

    # --- bookings ---

    def book(self, room: str, start: datetime | date, end: datetime | date, **fields: Any) -> str:
        """Books a room, and returns the booking's UID; `fields` as `BookingStore.book` takes them."""
        booking = self.bookings.book(room, start, end, **fields)
        self._publish(self.room(room))
        return booking.uid

    def move(self, uid: str, start: datetime | date, end: datetime | date) -> None:
        """Gives a meeting other times."""
        self.bookings.move(uid, start, end)
        self._publish(self._room_of(uid))

    def cancel(self, uid: str) -> None:
        """Cancels a meeting, which stays in the text."""
        self.bookings.cancel(uid)
        self._publish(self._room_of(uid))

    def delete(self, uid: str) -> None:
        """Removes a meeting."""
        room = self._room_of(uid)
        self.bookings.delete(uid)
        self._publish(room)

    def write(self, address: str, text: str | None) -> None:
        """Publishes a text in place of the bookings; None publishes these again."""
        room = self.room(address)
        room.text = text
        self._publish(room)

    def _room_of(self, uid: str) -> PublishedRoom:
        for name, calendar in self.bookings.calendars.items():
            if uid in calendar.bookings:
                return self.room(name)
        raise LookupError(f"there is no booking {uid!r}")

    # --- what is published ---

    def _publish(self, room: PublishedRoom) -> None:
        text = room.text
        if text is None:
            calendar = self.bookings.calendar(room.address)
            attendee = room.address if "@" in room.address else None
            text = feed_text(calendar.bookings.values(), attendee, f"X-WR-CALNAME:{calendar.title}")
        room.versions.append((self.now(), text))
        del room.versions[:-_VERSIONS]

    def published(self, room: PublishedRoom) -> tuple[datetime, str]:
        """What is served of a room, and since when. Where the clock is set back, what was published shows."""
        now = self.now()
        newest_first = reversed(room.versions)
        shown = (version for version in newest_first if not now - self.delay < version[0] <= now)
        made, text = next(shown, room.versions[0])
        if room.service.stamped:
            text = _STAMP.sub(f"DTSTAMP:{time_of(self.now())}", text)
        return made, text
