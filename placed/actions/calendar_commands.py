"""Carries out the commands that change a calendar, and looks for what interrupted ones have changed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.actions.audit import log_order
from placed.actions.command_outcome import CommandOutcome, refused
from placed.actions.interrupted import bookable, intent_of, resolve
from placed.actions.order_run import CommandRun, Planner, of_driver_error
from placed.actions.own_bookings import OwnBookings, extension_of
from placed.actions.recent_bookings import RecentBookings
from placed.actions.room_calendar import RoomCalendar
from placed.actions.written_check import WrittenCheck
from placed.domain.action import Refusal
from placed.driver import Book, DriverError, NotWritten, Release

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.actions.check_in_service import CheckInService
    from placed.actions.connection_actions import ConnectionActions, WriterFence
    from placed.actions.execution import CommandExecution
    from placed.board.board import Board
    from placed.domain.action import Command
    from placed.domain.clock import Clock
    from placed.domain.command_sink import Extension
    from placed.domain.model import Meeting, Room
    from placed.driver import Order, WriteResult
    from placed.store.command_store import CommandRecord, CommandStore

_FAR_AHEAD = timedelta(days=2)  # of the end of a meeting that may be extended


class CalendarCommands:
    """Writes to the calendars of all rooms, for one command of a room at a time.

    Args:
        board: the rooms.
        clock: what time it is.
        store: stores what is about to be written.
        desk: takes check-ins: a booking at a room counts as one.
        read_soon: asks for readings of a room, by its connection and id.
    """

    def __init__(
        self,
        board: Board,
        clock: Clock,
        store: CommandStore,
        desk: CheckInService,
        read_soon: Callable[[str, str], None],
    ) -> None:
        self._board = board
        self._clock = clock
        self._store = store
        self._desk = desk
        self._read_soon = read_soon
        self._recent = RecentBookings()
        self._own = OwnBookings()
        self._locks: dict[str, asyncio.Lock] = {}

    def restore(self, record: CommandRecord) -> None:
        """Remembers what a command of the run before has booked."""
        times = bookable(record)
        if times is not None:
            self._own.note(record.command.room, *times, self._clock.now())

    def extension(self, room_id: str, longest: timedelta) -> Extension | None:
        """How the meeting that runs in a room can be extended."""
        known = self._board.known_of(room_id)
        if known is None or known.schedule is None:
            return None
        own, now = self._own.of(room_id), self._clock.now()
        return extension_of(known.schedule, own, now, self._board.policy, longest)

    async def carry_out(
        self,
        execution: CommandExecution,
        record: CommandRecord,
        planner: Planner,
        room: Room,
        connection: ConnectionActions,
    ) -> CommandOutcome:
        """Looks at the room's calendar, writes what the planner returns, and looks what has become of it."""
        async with connection.used():
            return await self._write(execution, record, planner, room, connection)

    async def look_for(
        self, record: CommandRecord, room: Room, connection: ConnectionActions
    ) -> CommandOutcome | None:
        """Looks what has become of a command during which the process ended; None if nothing shows it yet."""
        calendar = self._calendar(record.command, room, connection)
        if calendar is None:
            return None
        async with connection.used():
            return await resolve(record, room, WrittenCheck(calendar, partial(self._made, room)))

    # --- internals ---

    async def _write(
        self,
        execution: CommandExecution,
        record: CommandRecord,
        planner: Planner,
        room: Room,
        connection: ConnectionActions,
    ) -> CommandOutcome:
        command = record.command
        calendar, writes = self._calendar(command, room, connection), connection.settings.writes
        if calendar is None or writes is None:
            return refused(Refusal.NOT_CONFIGURED)
        if command.until is not None and command.until - self._clock.now() > writes.longest + _FAR_AHEAD:
            return refused(Refusal.TOO_LONG)
        refusal = await _refused_by_fence(connection.fence)
        if refusal is not None:
            return refused(refusal)

        async def intend(order: Order) -> None:
            if isinstance(order, Release):
                await self._desk.withdraw(room, order.booking.meeting.key)
            execution.intent = intent = intent_of(order)
            await asyncio.to_thread(self._store.save, room.connection, replace(record, intent=intent))

        check = WrittenCheck(calendar, partial(self._made, room))
        run = CommandRun(calendar, check, writes, intend, planner)
        ending = await run.carry_out(command, self._locks.setdefault(room.id, asyncio.Lock()))
        is_so_already = ending.effect is not None and execution.intent is None
        if ending.shows_another_calendar or is_so_already:  # what the board shows may be older
            self._read_soon(room.connection, room.id)
        return ending

    async def _made(self, room: Room, meeting: Meeting) -> None:
        """A booking at the room counts as a check-in."""
        if self._board.check_ins_of(room.id) is not None:
            await self._desk.record(room, meeting)

    def _calendar(self, command: Command, room: Room, connection: ConnectionActions) -> RoomCalendar | None:
        def written(order: Order, result: WriteResult) -> None:
            log_order(command, order, result)
            if isinstance(order, Book) and not isinstance(result, NotWritten):
                self._own.note(room.id, order.start, order.end, self._clock.now())
            if not isinstance(result, NotWritten):
                self._read_soon(room.connection, room.id)

        if connection.writer is None:
            return None
        return RoomCalendar(
            room=room,
            writer=connection.writer,
            policy=self._board.policy,
            clock=self._clock,
            recent=self._recent,
            written=written,
        )


async def _refused_by_fence(fence: WriterFence | None) -> Refusal | None:
    """Why nothing may be written; None if it may. Nothing is before the canaries were tried once."""
    if fence is None:
        return None
    try:
        await fence.look()
    except DriverError as error:
        return of_driver_error(error)
    if fence.enforcing:
        return Refusal.FORBIDDEN
    return None if fence.tried else Refusal.UNAVAILABLE
