"""Turns the board at every edge, to the moment, and tells it when the clock on the wall was stepped."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from placed.pulse import Pulse

if TYPE_CHECKING:
    from placed.board import Board
    from placed.clock import Clock

_SILENCE = 15.0  # seconds; who turns the board only every so often is stuck
_LONGEST_SLEEP = 1.0  # seconds; so soon a step of the clock, or the end of a suspend, is noticed
_AT_ONCE = 25  # rooms; where a whole site has an edge, the first of it are told before the last are judged
_STEP = timedelta(seconds=0.5)  # less is the clock's own steering

log = structlog.get_logger("placed.timekeeper")


class Timekeeper:
    """Keeps the board's time.

    Args:
        board: whose edges are watched.
        clock: what time it is.
        pulse: shows that it gets on.
    """

    def __init__(self, board: Board, clock: Clock, pulse: Pulse | None = None) -> None:
        self._board = board
        self._clock = clock
        self._pulse = pulse or Pulse("board")
        self._offset = self._measure()

    async def run(self) -> None:
        """Turns the board at its edges until cancelled."""
        while True:
            self.check(_AT_ONCE)
            self._pulse.expect(_SILENCE)
            due = self._board.next_due
            left = (due - self._clock.now()).total_seconds() if due else _LONGEST_SLEEP
            await self._clock.sleep(min(max(left, 0.0), _LONGEST_SLEEP))

    def check(self, most: int = sys.maxsize) -> None:
        """Turns the board by so many rooms at most, after having told it of a step of the clock."""
        offset = self._measure()
        step = offset - self._offset
        self._offset = offset
        if abs(step) > _STEP:
            log.warning("clock.was_stepped", seconds=round(step.total_seconds(), 3))
            self._board.stepped(step)
        self._board.turn(most)

    def _measure(self) -> timedelta:
        return timedelta(seconds=self._clock.now().timestamp() - self._clock.steady())
