"""A room's calendar as commands see it: every look and every write ends in time, whatever the driver does."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from placed.domain.problem import Problem
from placed.driver import DriverError, Unavailable, Unclear

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from placed.actions.recent_bookings import RecentBookings
    from placed.domain.clock import Clock
    from placed.domain.model import Room
    from placed.domain.occupancy import Policy
    from placed.driver import Booking, BookingWriter, Order, WriteResult

_AROUND = timedelta(days=1)  # of the calendar that is looked at, before and after
_PATIENCE = 60.0  # seconds; drivers have limits of their own, which are shorter

log = structlog.get_logger("placed.actions")


class RoomCalendar:
    """The calendar of one room.

    Args:
        room: the room.
        writer: its connection, opened for writing.
        policy: which bookings occupy the room.
        clock: what time it is.
        recent: what was booked a moment ago.
        written: called after every write, with its order and its result.
    """

    def __init__(  # noqa: PLR0913 - what a calendar is written with
        self,
        *,
        room: Room,
        writer: BookingWriter,
        policy: Policy,
        clock: Clock,
        recent: RecentBookings,
        written: Callable[[Order, WriteResult], None],
    ) -> None:
        self.room = room
        self.policy = policy
        self.clock = clock
        self._writer = writer
        self._recent = recent
        self._written = written

    async def look(self, *moments: datetime | None) -> Sequence[Booking]:
        """Reads the bookings from a day before the earliest of these moments to a day after the latest.

        The present is one of these moments.

        Raises:
            DriverError: the calendar cannot be read.
        """
        now = self.clock.now()
        known = [moment for moment in moments if moment is not None]
        since, until = min([now, *known]) - _AROUND, max([now, *known]) + _AROUND
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self._writer.look(self.room, since, until)
        except DriverError as error:
            log.warning("action.cannot_look", room=self.room.id, problem=error.problem.line)
            raise
        except TimeoutError as error:
            log.warning("action.cannot_look", room=self.room.id, problem="timed out")
            raise Unavailable("timed out") from error
        except Exception as error:
            log.exception("action.cannot_look", room=self.room.id)
            raise Unavailable("the driver failed") from error
        return self._recent.merged(self.room.id, found, self.clock.steady())

    async def try_look(self, *moments: datetime | None) -> Sequence[Booking] | None:
        """The same; None if the calendar cannot be read."""
        try:
            return await self.look(*moments)
        except DriverError:
            return None

    async def write(self, order: Order) -> WriteResult:
        """Carries out one order. If nobody knows whether it was, that is `Unclear`."""
        result: WriteResult
        try:
            async with asyncio.timeout(_PATIENCE):
                result = await self._writer.write(order)
        except TimeoutError:
            result = Unclear(Problem("", "timed out"))
        except Exception:
            log.exception("action.write_failed", room=self.room.id)
            result = Unclear(Problem("", "the driver failed"))
        self._recent.written(order, result, self.clock.steady())
        self._written(order, result)
        return result
