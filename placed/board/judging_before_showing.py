"""Judges the rooms of an answer before they are shown, in slices between which everything else goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.board.edge_timer import AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from placed.board.board import Board


class CatchUp:
    """Brings rooms up to date before they are shown.

    A process that was suspended has requests waiting when it resumes, and edges that have passed meanwhile.
    And where all rooms have an edge at the same second, requests come before the last room is judged.

    Args:
        board: the board whose rooms are shown.
        now: the wall clock.
        settle: reports a step of the machine's clock to the board.
    """

    def __init__(
        self, board: Board, now: Callable[[], datetime], settle: Callable[[], None] = lambda: None
    ) -> None:
        self._board = board
        self._now = now
        self._settle = settle
        self._judging = asyncio.Lock()

    async def rooms(self, room_ids: Collection[str] | None) -> datetime:
        """Judges these rooms, as far as they are due; all rooms if None.

        Returns:
            A moment at which no statement of these rooms that is on the board now had ended.
        """
        self._settle()
        moment = self._now()
        if room_ids is None:
            return await self._all_rooms(moment)
        for number, room_id in enumerate(room_ids, start=1):
            self._board.judge_if_due(room_id)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return moment

    async def _all_rooms(self, moment: datetime) -> datetime:
        due = self._board.next_due
        if due is None or due > moment:
            return moment
        async with self._judging:  # a hundred requests judge no more in a turn of the loop than one
            while self._board.judge_due(AT_ONCE):
                await asyncio.sleep(0)
                moment = self._now()
        return moment
