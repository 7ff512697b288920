"""Judges rooms at their edges, on time, and reports to the board when the clock was set or corrected."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from placed.domain.corrected_clock import CorrectedClock
from placed.domain.machine_clock_health import ClockState
from placed.domain.task_heartbeat import TaskHeartbeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.board.board import Board
    from placed.domain.clock import Clock
    from placed.domain.machine_clock_health import ClockHealth

_SILENCE = 15.0  # seconds; a board that is judged less often is stuck
_LONGEST_SLEEP = 1.0  # seconds; within this time a step of the clock, or the end of a suspend, is noticed
AT_ONCE = 25  # rooms; if a whole site has an edge, the first ones are published before the last are judged
_STEP = timedelta(seconds=0.5)  # less is the normal adjustment of the clock

log = structlog.get_logger("placed.board.edge_timer")


class EdgeTimer:
    """Runs the board's edges.

    Args:
        board: the board whose edges are due.
        clock: the clock.
        heartbeat: reports liveness.
    """

    def __init__(self, board: Board, clock: Clock, heartbeat: TaskHeartbeat | None = None) -> None:
        self._board = board
        self._clock = clock if isinstance(clock, CorrectedClock) else CorrectedClock(clock)
        self._heartbeat = heartbeat or TaskHeartbeat("board")
        self._reported: ClockHealth | None = None
        self.was_set: Callable[[], None] = lambda: None  # called when the machine's clock was set
        self.became_known: Callable[[], None] = lambda: None  # called when the time is known, and was not
        self.not_doubted = asyncio.Event()  # set unless a service's first answer contradicts the clock
        self.not_doubted.set()

    async def run(self) -> None:
        """Judges rooms at their edges until it is cancelled."""
        while True:
            self.check(AT_ONCE)
            self._heartbeat.expect(_SILENCE)
            due = self._board.next_due
            left = (due - self._clock.now()).total_seconds() if due else _LONGEST_SLEEP
            await self._clock.sleep(min(max(left, 0.0), _LONGEST_SLEEP))

    def check(self, most: int = sys.maxsize) -> None:
        """Judges at most so many rooms, after reporting a step of the clock to the board."""
        was_believable = self._clock.believable
        step = self._clock.settle()
        if abs(step.wall) > _STEP:
            log.warning("clock.was_stepped", seconds=round(step.wall.total_seconds(), 3))
            self.was_set()
        if abs(step.by) > _STEP or self._clock.believable is not was_believable:
            self._board.clock_was_set(step.by)
        if self._clock.believable and not was_believable:
            self.became_known()
        self._report(self._clock.health)
        self._board.judge_due(most)

    def settle(self) -> None:
        """Reports a step of the machine's clock that nobody has noticed yet; judges nothing."""
        if self._clock.was_set:
            self.check(0)

    def _report(self, health: ClockHealth) -> None:
        before, self._reported = self._reported, health
        if before is not None and before.document() == health.document():
            return
        self._board.report_clock(health)
        state, state_before = health.state, before.state if before else None
        if state is ClockState.DOUBTED:
            self.not_doubted.clear()
        else:
            self.not_doubted.set()
        if state is not state_before:
            if state_before is ClockState.CORRECTED:
                log.info("clock.is_right_again", offset=_rounded(health.offset))
            elif state_before is ClockState.UNSET and state is not ClockState.CORRECTED:
                log.info("clock.is_set")
            problem = health.problem
            if problem is not None and state is not ClockState.DOUBTED:  # a short piece of work
                event = "clock.is_wrong" if state is ClockState.CORRECTED else "clock.is_unset"
                log.warning(
                    event, offset=_rounded(health.offset), problem=problem.text, remedy=problem.remedy
                )
        if health.services_disagree and not (before and before.services_disagree):
            log.warning(
                "clock.services_disagree",
                problem="the services of several connections report different times",
                remedy="compare the clocks of their servers; the time that most of them agree on is used",
            )


def _rounded(offset: float | None) -> float | None:
    return None if offset is None else round(offset, 1)
