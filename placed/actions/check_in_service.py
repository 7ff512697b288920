"""Check-ins: judged by the room's schedule, stored, and passed to the board. No calendar is written to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.actions.command_outcome import CommandOutcome, done, refused
from placed.domain.action import Refusal
from placed.domain.check_in_rules import CheckedIn
from placed.domain.model import Status
from placed.domain.occupancy import occupies

if TYPE_CHECKING:
    from placed.board.board import Board
    from placed.domain.action import Command
    from placed.domain.clock import Clock
    from placed.domain.model import Meeting, Room
    from placed.store.command_store import CommandStore


class CheckInService:
    """Takes check-ins.

    Args:
        board: keeps them, and states the rooms.
        clock: what time it is.
        store: keeps them for the next start.
    """

    def __init__(self, board: Board, clock: Clock, store: CommandStore) -> None:
        self._board = board
        self._clock = clock
        self._store = store

    def restore(self) -> None:
        """Restores the check-ins of the run before."""
        for room_id, check_ins in self._store.load_check_ins():
            self._board.check_in(room_id, *check_ins)

    async def check_in(self, command: Command) -> CommandOutcome:
        """Checks in to the meeting that a command names."""
        known, check_ins = self._board.known_of(command.room), self._board.check_ins_of(command.room)
        statement = self._board.statement(command.room)
        if known is None or statement is None or check_ins is None:
            return refused(Refusal.NOT_CONFIGURED)
        if known.schedule is None or statement.occupancy.status is Status.UNKNOWN:
            return refused(Refusal.UNAVAILABLE)
        occupying = [m for m in known.schedule.meetings if occupies(m, self._board.policy)]
        found = check_ins.find(occupying, command.meeting, self._clock.now())
        if isinstance(found, Refusal):
            return refused(found)
        if not check_ins.was_checked_in(found):
            await self.record(known.room, found)
        return done()

    async def record(self, room: Room, meeting: Meeting) -> None:
        """Records that somebody is there; the room is stated at once."""
        self._board.check_in(room.id, CheckedIn(meeting.key, meeting.start, self._clock.now()))
        await self._save(room)

    async def withdraw(self, room: Room, meeting: str) -> None:
        """Forgets the check-in to a meeting that is released here."""
        self._board.withdraw_check_in(room.id, meeting)
        await self._save(room)

    async def _save(self, room: Room) -> None:
        check_ins = self._board.check_ins_of(room.id)
        known = check_ins.known if check_ins is not None else ()
        await asyncio.to_thread(self._store.save_check_ins, room.connection, room.id, known)
