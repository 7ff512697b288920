"""Reads the meetings of a room from calendar text: small calendars here, large ones in another process."""

from __future__ import annotations

import asyncio
import importlib
from time import perf_counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed_icalendar.calendar_text.malformed import Malformed, OverBudget
from placed_icalendar.occurrences.contents import Contents, Window
from placed_icalendar.occurrences.meeting_drafts import MeetingDrafts
from placed_icalendar.occurrences.worker_process import Budget, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["CalendarReader", "Contents", "Malformed", "OverBudget", "Window"]

MOST_BYTES_HERE = 64_000
"""Of all bodies. 64 kB take some 2 ms before the event loop gets its turn, hostile ones ten times that."""

MOST_STEPS_HERE = 1_000
"""Of a series. They take some 5 ms before the event loop gets its turn."""

_SLICE = 0.004  # seconds after which others get their turn
_READING = "placed_icalendar.occurrences.reading"


class CalendarReader:
    """Reads calendar text. It never holds the event loop for more than some milliseconds.

    Args:
        worker: whether large calendars, and those with rules that take long, may be read in a process of
            their own. It starts with the first of them.
        budget: what one reading there may take.
    """

    def __init__(self, *, worker: bool = True, budget: Budget | None = None) -> None:
        self._worker = WorkerProcess(budget) if worker else None

    @property
    def worker_pid(self) -> int | None:
        """Id of the worker's process; None if none runs."""
        return None if self._worker is None else self._worker.pid

    async def read(
        self, bodies: Sequence[bytes], window: Window, *, known: bytes | None = None
    ) -> Contents | None:
        """Returns what the bodies contain: one feed, or all objects of one CalDAV collection.

        Args:
            bodies: each a whole iCalendar stream.
            window: what is asked.
            known: the digest of an earlier reading for the same window.

        Returns:
            None if the digest is `known`.

        Raises:
            Malformed: the text is not understood. OverBudget: it took too much time or memory.
        """
        if self._worker is not None and sum(map(len, bodies)) > MOST_BYTES_HERE and window.zone.key:
            found = await self._worker.read(bodies, window, window.zone.key, known)
        else:
            # Importing takes some 25 ms, so it does not happen in the event loop.
            await asyncio.to_thread(importlib.import_module, _READING)
            found = await self._read_here(bodies, window, known)
        if found is None:
            return None
        drafts, turn = MeetingDrafts(), _Turn()
        for draft in found.meetings:
            drafts.add(draft)
            await turn.give()
        return replace(found, meetings=drafts.meetings)

    async def _read_here(
        self, bodies: Sequence[bytes], window: Window, known: bytes | None
    ) -> Contents | None:
        from placed_icalendar.occurrences.reading import Reading, understood  # noqa: PLC0415 - of an extra

        reading = Reading(window)
        turn = _Turn()
        with understood():
            for body in bodies:
                reading.add(body)
                await turn.give()
            if reading.digest == known:
                return None
            for _ in reading.read_events():
                await turn.give()
            if self._worker is not None and reading.largest_cost > MOST_STEPS_HERE and window.zone.key:
                return await self._worker.read(bodies, window, window.zone.key, known)
            for _ in reading.find_meetings():
                await turn.give()
            return reading.contents()

    async def close(self) -> None:
        """Ends the worker, if one runs; a second call does nothing."""
        if self._worker is not None:
            await self._worker.close()


class _Turn:
    """Gives the event loop its turn from time to time."""

    def __init__(self) -> None:
        self._since = perf_counter()

    async def give(self) -> None:
        if perf_counter() - self._since > _SLICE:
            await asyncio.sleep(0)
            self._since = perf_counter()
