"""The capability to change bookings, which a kind of driver may offer beside reading calendars.

A writer has a registration of its own: the driver that reads never changes anything. It is opened only where
the connection has a table `actions`. All rules are the caller's; a writer carries out one order, on exactly
the booking that was looked at just before.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from placed.domain.model import Meeting, Room
from placed.domain.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.domain.fence_result import Fence
    from placed.driver.protocol import Surroundings


class Booking(msgspec.Struct, frozen=True):
    """A meeting as it is on the calendar at this moment, and how the service names it.

    Attributes:
        meeting: as the driver that reads would report it; its key is the same.
        handle: the driver's own: what is needed to change exactly this version of it. It stays in memory.
        made_with: the key of the order with which placed made it; None if placed did not.
        changeable: whether it may be shortened or released: a single meeting or one occurrence of a series,
            never a whole series.
        version: changes with every change of it, as an ETag; empty if the service has none. It is stored, so
            that a change that was undone is not taken for one that was never made, after a crash.
    """

    meeting: Meeting
    handle: Any
    made_with: str | None = None
    changeable: bool = True
    version: str = ""


class Shorten(msgspec.Struct, frozen=True):
    """End a running booking at `end`, and leave its past as it was. Nobody is notified."""

    key: str
    room: Room
    booking: Booking
    end: datetime


class Release(msgspec.Struct, frozen=True):
    """Take the room out of a booking: the room declines, and the organizer is notified with `comment`.

    Where the room itself is the organizer, the booking is cancelled.
    """

    key: str
    room: Room
    booking: Booking
    comment: str


class Book(msgspec.Struct, frozen=True):
    """Make a booking [start, end) on the room's own calendar, without attendees.

    The key makes it safe to repeat: the same key never makes two bookings.
    """

    key: str
    room: Room
    start: datetime
    end: datetime
    subject: str


class Withdraw(msgspec.Struct, frozen=True):
    """Delete a booking that placed has made itself (`booking.made_with`), because it conflicts."""

    key: str
    room: Room
    booking: Booking


Order = Shorten | Release | Book | Withdraw


class WriteFailure(StrEnum):
    """Why an order was certainly not carried out."""

    FORBIDDEN = "forbidden"  # the grant, the fence or the service's rules refuse it
    GONE = "gone"  # the booking is not there any more
    CHANGED = "changed"  # the booking is not the version that was looked at
    DUPLICATE = "duplicate"  # the service knows the key already: look whether the booking is there
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"  # nothing was sent, or the service answered that nothing was done


class Written(msgspec.Struct, frozen=True):
    """The order was carried out.

    Attributes:
        reference: by which the service's support finds the request; empty if nothing was sent.
    """

    reference: str = ""


class NotWritten(msgspec.Struct, frozen=True):
    """The order was certainly not carried out.

    Attributes:
        problem: for the log; its text is as a rule the service's error code.
        reference: as of `Written`.
    """

    failure: WriteFailure
    problem: Problem
    reference: str = ""


class Unclear(msgspec.Struct, frozen=True):
    """The order may have been carried out or not, as after a time-out: look.

    Attributes:
        problem: for the log.
        reference: as of `Written`.
    """

    problem: Problem
    reference: str = ""


WriteResult = Written | NotWritten | Unclear


class BookingWriter(Protocol):
    """One connection, opened for writing."""

    async def look(self, room: Room, since: datetime, until: datetime) -> Sequence[Booking]:
        """Reads the room's calendar now: all bookings that overlap [since, until), also declined ones.

        Raises:
            DriverError: it cannot be read.
        """
        ...

    async def write(self, order: Order) -> WriteResult:
        """Carries out one order, at most once. Does not raise for what a service may answer."""
        ...

    async def try_fence(self, rooms: Sequence[Room] = ()) -> Fence:
        """Tries the canaries with the writer's own registration.

        Args:
            rooms: some rooms of the connection. One of them has to be readable for the writer, or one has to
                have been looked at, since otherwise the refusals prove nothing.

        Raises:
            DriverError: the trial itself failed.
        """
        ...

    async def close(self) -> None:
        """Closes what is open; a second call does nothing."""
        ...


@runtime_checkable
class OffersBooking(Protocol):
    """A kind of driver whose connections may have a table `actions`."""

    @staticmethod
    def open_writer(settings: Any, surroundings: Surroundings) -> BookingWriter:
        """Opens the writer of a connection that has `actions`, without any network traffic.

        Raises:
            SettingsError: a file that the settings name is missing, unreadable or invalid.
        """
        ...
