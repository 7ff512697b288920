"""Carries out one command: looks at the calendar, judges, and writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from placed.actions.command_outcome import UNCERTAIN, CommandOutcome, Effect, done, refused
from placed.actions.plan import Plan, Situation, plan
from placed.domain.action import Action, Refusal
from placed.domain.model import Reason
from placed.driver import Book, DriverError, NotWritten, Unclear, Withdraw, WriteFailure, Written

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable

    from placed.actions.room_calendar import RoomCalendar
    from placed.actions.written_check import WrittenCheck
    from placed.domain.action import Command
    from placed.driver import ActionSettings, Order, WriteResult

Planner = Callable[["Command", Situation], Plan | Refusal]

_ATTEMPTS = 2  # a booking that changes at the last moment is judged again once
_FAILURES = {
    WriteFailure.FORBIDDEN: Refusal.FORBIDDEN,
    WriteFailure.GONE: Refusal.NO_SUCH_MEETING,
    WriteFailure.CHANGED: Refusal.CHANGED,
    WriteFailure.THROTTLED: Refusal.THROTTLED,
    WriteFailure.UNAVAILABLE: Refusal.UNAVAILABLE,
}


class CommandRun:
    """Carries out one command in one room.

    Args:
        calendar: the room's.
        check: looks whether what was written is there.
        settings: what panels may do.
        intend: stores an order before it is carried out.
        planner: returns what to write; `plan` unless the command is the program's own.
    """

    def __init__(
        self,
        calendar: RoomCalendar,
        check: WrittenCheck,
        settings: ActionSettings,
        intend: Callable[[Order], Awaitable[None]],
        planner: Planner = plan,
    ) -> None:
        self._calendar = calendar
        self._check = check
        self._settings = settings
        self._intend = intend
        self._planner = planner

    async def carry_out(self, command: Command, lock: asyncio.Lock) -> CommandOutcome:
        """Looks, judges and writes, while no other command of the room does; then looks whether it stays."""
        async with lock:
            written = await self._plan_and_write(command)
        if isinstance(written, CommandOutcome):
            return written
        order, result = written
        if isinstance(order, Book):
            return await self._check.booking(order, certain=isinstance(result, Written)) or UNCERTAIN
        effect = Effect.of(order)
        if isinstance(result, Written) or effect is None:
            return done(effect)
        return await self._check.change(effect, order.booking.version or None) or UNCERTAIN

    async def _plan_and_write(self, command: Command) -> tuple[Order, WriteResult] | CommandOutcome:
        """Returns the last order and its result, if it was carried out or may have been."""
        ending = UNCERTAIN
        for _ in range(_ATTEMPTS):
            planned = await self._plan(command)
            if not isinstance(planned, Plan):
                return planned
            order, result = await self._write(planned)
            is_last = order is planned.orders[-1]
            match result:
                case NotWritten(failure=WriteFailure.CHANGED):
                    ending = refused(Refusal.CHANGED)
                case NotWritten(failure=WriteFailure.DUPLICATE):
                    return order, result
                case NotWritten(failure=failure):
                    return refused(_FAILURES[failure])
                case Unclear() if not is_last:
                    ending = UNCERTAIN
                case _:
                    return order, result
        return ending

    async def _plan(self, command: Command) -> Plan | tuple[Order, WriteResult] | CommandOutcome:
        """Returns what to write, or why there is nothing to write.

        What the command has booked may be on the calendar already: if the process ended after the write, and
        the record of the command could not be stored.
        """
        try:
            bookings = await self._calendar.look(command.until)
        except DriverError as error:
            return refused(of_driver_error(error))
        calendar = self._calendar
        ours = next((booking for booking in bookings if booking.made_with == command.key), None)
        if ours is not None and command.action in (Action.BOOK, Action.EXTEND):
            times = ours.meeting.start, ours.meeting.end
            return Book(command.key, calendar.room, *times, self._settings.subject), Written()
        situation = Situation(calendar.room, bookings, calendar.clock.now(), calendar.policy, self._settings)
        planned = self._planner(command, situation)
        if isinstance(planned, Refusal):
            return refused(planned)
        return planned if planned.orders else done(planned.shown)

    async def _write(self, planned: Plan) -> tuple[Order, WriteResult]:
        """Carries out the orders up to the first that is not; returns that, or the last."""
        order, result = planned.orders[0], None
        for order in planned.orders:
            await self._intend(order)
            result = await self._calendar.write(order)
            is_gone = isinstance(result, NotWritten) and result.failure is WriteFailure.GONE
            if isinstance(order, Withdraw) and is_gone:
                result = Written()
            if not isinstance(result, Written):
                break
        return order, result or Written()


def of_driver_error(error: DriverError) -> Refusal:
    """Why a command is refused if a connection cannot be used."""
    match error.reason:
        case Reason.FORBIDDEN | Reason.REFUSED:
            return Refusal.FORBIDDEN
        case Reason.THROTTLED:
            return Refusal.THROTTLED
    return Refusal.UNAVAILABLE
