"""A calendar service in memory that bookings are written to, and that fails as the test wants it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from placed.domain.fence_result import Fence, FenceState
from placed.domain.model import Meeting
from placed.domain.problem import Problem
from placed.driver import (
    ActionSettings,
    Book,
    Booking,
    ConnectionSettings,
    NotWritten,
    Release,
    Shorten,
    Unclear,
    WriteFailure,
    Written,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed.domain.model import Room
    from placed.driver import DriverError, Order, WriteResult


class WritingSettings(ConnectionSettings):
    """A connection whose driver can write."""

    driver: Literal["fake"] = "fake"
    actions: ActionSettings | None = None

    @property
    def writes(self) -> ActionSettings | None:
        return self.actions


class FakeCalendar:
    """The calendar of each room, and a writer of it. A booking's handle is its version.

    Attributes:
        bookings: of all rooms, by (room id, meeting key), as they are on the calendar.
        results: answers of the next writes in place of the right ones; a failure changes nothing, and an
            unclear one that is `lost` neither.
        errors: of the next looks; None for one that succeeds.
        orders: what was written, as it was asked for.
        done: the orders that were carried out.
        before_write: called before each write, to change the calendar at the last moment.
        before_look: called before each look.
        shows_after: how late looks show what was written, by the clock `now`.
    """

    def __init__(self) -> None:
        self.bookings: dict[tuple[str, str], Booking] = {}
        self.results: list[WriteResult | None] = []
        self.lost = False
        self.errors: list[DriverError | None] = []
        self.orders: list[Order] = []
        self.done: list[Order] = []
        self.looks = 0
        self.before_write: Callable[[Order], None] = lambda _order: None
        self.before_look: Callable[[], None] = lambda: None
        self.shows_after = timedelta()
        self.now: Callable[[], datetime] = lambda: datetime.max.replace(tzinfo=UTC)
        self._past: list[tuple[datetime, dict[tuple[str, str], Booking]]] = []
        self.closed = False
        self.fence: Fence | Exception = Fence(FenceState.VERIFIED)
        self.trials: list[list[str]] = []

    def add(
        self, room_id: str, meeting: Meeting, *, made_with: str | None = None, changeable: bool = True
    ) -> None:
        """Somebody books, or changes a booking of the same key."""
        before = self.bookings.get((room_id, meeting.key))
        version = before.handle + 1 if before is not None else 0
        self.bookings[room_id, meeting.key] = Booking(meeting, version, made_with, changeable, f"v{version}")

    def remove(self, room_id: str, key: str) -> None:
        """Somebody deletes a booking."""
        del self.bookings[room_id, key]

    def meetings(self, room_id: str) -> tuple[Meeting, ...]:
        """What is on a room's calendar."""
        return tuple(b.meeting for (room, _), b in self.bookings.items() if room == room_id)

    # --- the port ---

    async def look(self, room: Room, since: datetime, until: datetime) -> Sequence[Booking]:
        await asyncio.sleep(0)
        self.before_look()
        self.looks += 1
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        shown = self._shown()
        return [
            booking
            for (room_id, _), booking in shown.items()
            if room_id == room.id and booking.meeting.start < until and since < booking.meeting.end
        ]

    def _shown(self) -> dict[tuple[str, str], Booking]:
        """The bookings as they were some time ago."""
        now = self.now()
        self._past = [(at, state) for at, state in self._past if now - at < self.shows_after]
        return self._past[0][1] if self._past else self.bookings

    async def write(self, order: Order) -> WriteResult:
        await asyncio.sleep(0)
        self.before_write(order)
        self.orders.append(order)
        result = self.results.pop(0) if self.results else None
        if isinstance(result, NotWritten) or (result is not None and self.lost):
            return result
        if self.shows_after:
            self.note_past()
        done = self.carry_out(order)
        return result if isinstance(result, Unclear) and isinstance(done, Written) else done

    def note_past(self) -> None:
        """Looks show what is there now for some time, whatever is written."""
        self._past.append((self.now(), dict(self.bookings)))

    def carry_out(self, order: Order) -> WriteResult:
        """Does what is asked for, as far as that is possible now."""
        result = self._change(order)
        if isinstance(result, Written):
            self.done.append(order)
        return result

    def _change(self, order: Order) -> WriteResult:
        room_id = order.room.id
        if isinstance(order, Book):
            if any(b.made_with == order.key for b in self.bookings.values()):
                return not_written(WriteFailure.DUPLICATE)
            self.add(room_id, Meeting(f"made-{order.key}", order.start, order.end), made_with=order.key)
            return Written()
        key = order.booking.meeting.key
        now = self.bookings.get((room_id, key))
        if now is None:
            return not_written(WriteFailure.GONE)
        if now.handle != order.booking.handle:
            return not_written(WriteFailure.CHANGED)
        if isinstance(order, Shorten):
            self.add(room_id, replace(now.meeting, end=order.end), made_with=now.made_with)
        elif isinstance(order, Release):
            self.add(room_id, replace(now.meeting, declined=True), made_with=now.made_with)
        else:
            self.remove(room_id, key)
        return Written()

    async def try_fence(self, rooms: Sequence[Room] = ()) -> Fence:
        self.trials.append([room.id for room in rooms])
        if isinstance(self.fence, Exception):
            raise self.fence
        return self.fence

    async def close(self) -> None:
        self.closed = True


def not_written(failure: WriteFailure) -> NotWritten:
    return NotWritten(failure, Problem("", failure.value))


def unclear() -> Unclear:
    return Unclear(Problem("", "timed out"))


def settings(**actions: object) -> WritingSettings:
    """A connection that by default allows everything."""
    wanted = {"allow": ["check-in", "end", "extend", "book"], "longest": timedelta(hours=2), **actions}
    return WritingSettings.model_validate({"name": "contoso", "actions": wanted, "check_in": {}})
