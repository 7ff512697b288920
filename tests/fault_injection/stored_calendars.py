"""Rooms whose bookings a simulated calendar server stores, and people who book them, in a campaign."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from tests.fault_injection.calendar_service import MANY, Booked, moment
from tests.fault_injection.secrecy_oracle import HIDDEN_TITLE

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from datetime import date

    from placed_icalendar.simulator.bookings.booking_store import (
        BookingStore,
        Response,
        ShowAs,
        StoredBooking,
    )

_FORGET = timedelta(seconds=30)
_DAY = timedelta(days=1)
_DAILY = "FREQ=DAILY;COUNT="


class Desk(Protocol):
    """Where meetings are booked and changed."""

    def book(  # noqa: PLR0913 - what a meeting has
        self,
        name: str,
        start: datetime | date,
        end: datetime | date,
        /,
        *,
        summary: str,
        rule: str | None = None,
        show_as: ShowAs = "busy",
        private: bool = False,
        response: Response | None = None,
    ) -> object:
        """Books a room."""

    def move(self, uid: str, start: datetime | date, end: datetime | date) -> None:
        """Gives a meeting other times."""

    def cancel(self, uid: str) -> None:
        """Cancels a meeting, which stays."""

    def delete(self, uid: str) -> None:
        """Removes a meeting."""


class StoredCalendars:
    """The people.

    Args:
        store: what is booked.
        desk: where they book, move and delete.
        names: of the rooms.
        chance: what they do.
        changed: is called after each change of a calendar.

    Attributes:
        changes: how many so far.
    """

    def __init__(
        self,
        store: BookingStore,
        desk: Desk,
        names: tuple[str, ...],
        chance: random.Random,
        changed: Callable[[], None],
    ) -> None:
        self.names = names
        self.changes = 0
        self._store = store
        self._desk = desk
        self._chance = chance
        self._changed = changed

    async def run(self, pause: float) -> None:
        """People book, move, cancel and delete, for ever, with such a pause on average."""
        while True:
            await asyncio.sleep(self._chance.uniform(0.2, 1.8) * pause)
            self.step()

    def step(self) -> None:
        """Something happens now."""
        room, now = self._chance.choice(self.names), self._store.now()
        bookings = self._store.calendar(room).bookings
        for uid, booking in [*bookings.items()]:
            if not now - _FORGET < booked(booking).end < now + 2 * _DAY:
                self._desk.delete(uid)
        if bookings and (len(bookings) >= MANY or self._chance.random() < 0.4):
            self._change(self._chance.choice([*bookings.values()]), now)
        else:
            self._book(room, now)
        self.changes += 1
        self._changed()

    def _book(self, room: str, now: datetime) -> None:
        chance = self._chance
        start = now.replace(microsecond=0) + timedelta(seconds=chance.randint(-4, 15))
        end = start + timedelta(seconds=chance.choice((0, 2, 5, 8, 12, 20, 30, 45)))
        if chance.random() < 0.05:
            self._desk.book(room, start.date(), start.date() + _DAY, summary=HIDDEN_TITLE)
            return
        days = chance.choice((0, 0, 1, 30))  # so many days ago a series began that ends with this meeting
        rule = f"{_DAILY}{days + 1}" if days else None
        self._desk.book(
            room,
            start - days * _DAY,
            end - days * _DAY,
            summary=HIDDEN_TITLE,
            rule=rule,
            show_as=chance.choice(("busy", "busy", "tentative", "free")),
            private=chance.random() < 0.3,
            response=chance.choice((None, None, "ACCEPTED", "NEEDS-ACTION", "DECLINED")),
        )

    def _change(self, booking: StoredBooking, now: datetime) -> None:
        chance, start, end = self._chance, booking.start, booking.end
        what = chance.choice(("move", "move", "cancel", "delete", "shorten"))
        later = timedelta(seconds=chance.randint(-10, 20))
        if what == "delete" or not isinstance(start, datetime) or not isinstance(end, datetime):
            self._desk.delete(booking.uid)
        elif what == "move":
            self._desk.move(booking.uid, start + later, end + later)
        elif what == "shorten":
            ends = now.replace(microsecond=0) - _since_first(booking)
            self._desk.move(booking.uid, start, max(start, ends))
        else:
            self._desk.cancel(booking.uid)


def booked(booking: StoredBooking) -> Booked:
    """A booking as the truth knows it; of a series its last meeting, since the others are long over."""
    return Booked(
        moment(booking.start) + _since_first(booking),
        moment(booking.end) + _since_first(booking),
        booking.cancelled,
        "declined" if booking.response == "DECLINED" else "accepted",
        booking.show_as,
        booking.all_day,
    )


def _since_first(booking: StoredBooking) -> timedelta:
    """From the first meeting of a series to its last one."""
    return timedelta() if booking.rule is None else (int(booking.rule.removeprefix(_DAILY)) - 1) * _DAY
