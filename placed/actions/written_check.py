"""Looks whether what was written is on the calendar, and whether it may stay there.

There is no way to book a room only if it is free: two may book it at once. So the calendar is looked at again
after 2 s and after 10 s. A booking of placed yields to any of a person's; of two that placed made, the one
with the smaller key stays. A write whose end is unknown is looked for, too, until half a minute has passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from placed.actions.command_outcome import UNCERTAIN, CommandOutcome, Effect, done, refused
from placed.actions.plan import overlapping
from placed.actions.recent_bookings import is_unseen
from placed.domain.action import Refusal
from placed.domain.occupancy import occupies
from placed.driver import NotWritten, Withdraw, WriteFailure, Written

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from placed.actions.room_calendar import RoomCalendar
    from placed.domain.model import Meeting
    from placed.driver import Book, Booking

LOOKS = (2.0, 10.0, 30.0)  # seconds after the write
_STAYS_AFTER = 10.0  # a booking that nothing conflicts with by then may stay
_YIELDS = 3  # how often the deletion of a booking that has to yield is tried
_PAUSE = 2.0  # seconds between these

log = structlog.get_logger("placed.actions")


class WrittenCheck:
    """Looks at a calendar after a write.

    Args:
        calendar: the room's.
        made: called with a booking that was made, when it is first seen.
    """

    def __init__(self, calendar: RoomCalendar, made: Callable[[Meeting], Awaitable[None]]) -> None:
        self._calendar = calendar
        self._made = made

    async def booking(self, order: Book, *, certain: bool) -> CommandOutcome | None:
        """Whether a booking is there and may stay; it yields if not. None if the calendar does not show it.

        Args:
            order: what was written.
            certain: whether the service has confirmed it.
        """
        seen, bookings = False, None
        began = self._calendar.clock.steady()
        for after in LOOKS:
            bookings = await self._look_after(began + after, order)
            ours = _made_with(bookings or (), order.key)
            if ours is None:
                if seen and bookings is not None:
                    return refused(Refusal.CHANGED)  # somebody has deleted it
                continue
            if not occupies(ours.meeting, self._calendar.policy):
                return refused(Refusal.CHANGED)
            if not seen:
                await self._made(ours.meeting)
            seen = True
            if self._has_to_yield(ours, bookings or ()):
                return await self._give_way(order, ours)
            if after >= _STAYS_AFTER:
                return done(Effect(ours.meeting.key))
        if seen or certain or bookings is None:
            return None
        return refused(Refusal.UNAVAILABLE)

    async def change(self, effect: Effect, before: str | None) -> CommandOutcome | None:
        """Whether a change whose end is unknown is in effect; None if the calendar cannot be read.

        Args:
            effect: what the calendar shows if it was made.
            before: the version of the booking that was looked at before; None if it is not known. If another
                version is on the calendar, the change may have been made, and undone by somebody since.
        """
        bookings = None
        began = self._calendar.clock.steady()
        for after in LOOKS:
            bookings = await self._look_after(began + after)
            if bookings is not None and _is_in_effect(effect, bookings, self._calendar):
                return done(effect)
        if bookings is None:
            return None
        is_as_before = any((b.meeting.key, b.version) == (effect.meeting, before) for b in bookings)
        return refused(Refusal.UNAVAILABLE) if is_as_before else UNCERTAIN

    async def _look_after(self, moment: float, order: Book | None = None) -> Sequence[Booking] | None:
        clock = self._calendar.clock
        await clock.sleep(max(0.0, moment - clock.steady()))
        times = (order.start, order.end) if order is not None else ()
        return await self._calendar.try_look(*times)

    def _has_to_yield(self, ours: Booking, bookings: Iterable[Booking]) -> bool:
        meeting, key = ours.meeting, ours.made_with or ""
        rivals = overlapping(bookings, meeting.start, meeting.end, self._calendar.policy)
        return any(b.made_with is None or b.made_with < key for b in rivals if b.made_with != key)

    async def _give_way(self, order: Book, ours: Booking) -> CommandOutcome | None:
        clock = self._calendar.clock
        for _ in range(_YIELDS):
            result = await self._calendar.write(Withdraw(order.key, self._calendar.room, ours))
            if isinstance(result, Written) or (
                isinstance(result, NotWritten) and result.failure is WriteFailure.GONE
            ):
                return refused(Refusal.CONFLICT)
            bookings = await self._look_after(clock.steady() + _PAUSE, order)
            found = _made_with(bookings or (), order.key)
            if bookings is not None and found is None:
                return refused(Refusal.CONFLICT)
            ours = found or ours
        log.error(
            "action.conflict_stays",
            room=self._calendar.room.id,
            problem="a booking that was made at the room overlaps another one, and cannot be deleted",
            remedy="delete it in the room's calendar",
        )
        return None


def _made_with(bookings: Iterable[Booking], key: str) -> Booking | None:
    return next((b for b in bookings if b.made_with == key and not is_unseen(b)), None)


def _is_in_effect(effect: Effect, bookings: Iterable[Booking], calendar: RoomCalendar) -> bool:
    found = [b.meeting for b in bookings if b.meeting.key == effect.meeting]
    return all(
        effect.end is not None and meeting.end <= effect.end
        for meeting in found
        if occupies(meeting, calendar.policy)
    )
