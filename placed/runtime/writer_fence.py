"""The fence of what writes to a connection's calendars: its canaries are tried as those of what reads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from placed.driver import DriverError, FenceCircumstances
from placed.polling.fence_check import FenceCheck

if TYPE_CHECKING:
    from collections.abc import Hashable

    from placed.board.board import Board
    from placed.domain.clock import Clock
    from placed.domain.fence_result import Fence
    from placed.driver import BookingWriter

_ROOMS = 3  # of which one has to be readable for the writer, or refusals prove nothing
_AGAIN = 60.0  # seconds until a registration that is refused is tried again
_LONGEST_SLEEP = 60.0  # seconds; commands ask for a trial, too

log = structlog.get_logger("placed.fence")


class WriterFence:
    """Tries the fence of one connection's writer, and reports it to the board.

    A breached writer stops acting. What reads goes on: its registration is another one.

    Args:
        connection: its name.
        writer: the connection, opened for writing.
        board: has the rooms, and passes the result on.
        clock: the clock.
    """

    def __init__(self, connection: str, writer: BookingWriter, board: Board, clock: Clock) -> None:
        self._connection = connection
        self._board = board
        self._clock = clock
        self._check = FenceCheck(connection, _Trial(connection, writer, board), clock, registration="actions")
        self._looking = asyncio.Lock()

    @property
    def enforcing(self) -> bool:
        """Whether a canary was readable, so that nothing may be written any more."""
        return self._check.enforcing

    @property
    def tried(self) -> bool:
        """Whether a trial has ended, whatever it showed."""
        return self._check.tried

    async def look(self) -> None:
        """Tries the canaries if that is due.

        Raises:
            DriverError: the registration as a whole is refused.
        """
        async with self._looking:
            self._check.observe(None)  # another token has other rights
            if await self._check.look():
                self._board.report_writer_fence(self._connection, self._check.fence)

    async def run(self) -> None:
        """Tries them on time, until it is cancelled."""
        reported = ""
        while True:
            pause = _LONGEST_SLEEP
            try:
                await self.look()
                pause = min(pause, max(1.0, self._check.next - self._clock.steady()))
                reported = ""
            except DriverError as error:
                line = error.problem.line
                if line != reported:
                    log.warning("actions.are_refused", connection=self._connection, problem=line)
                reported, pause = line, _AGAIN
            except Exception:  # nothing of what writes may end what reads
                log.exception("fence.was_not_tried", connection=self._connection, registration="actions")
            await self._clock.sleep(pause)


class _Trial:
    """The writer as `FenceCheck` sees it."""

    def __init__(self, connection: str, writer: BookingWriter, board: Board) -> None:
        self._connection = connection
        self._writer = writer
        self._board = board

    async def try_fence(self) -> Fence:
        """See `placed.driver.FenceTrial`."""
        rooms = [room for room in self._board.rooms if room.connection == self._connection]
        return await self._writer.try_fence(rooms[:_ROOMS])

    @property
    def fence_circumstances(self) -> Hashable:
        """See `placed.driver.FenceCircumstances`."""
        writer = self._writer
        return writer.fence_circumstances if isinstance(writer, FenceCircumstances) else None
