"""Copies the board's state to the journal every few seconds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from placed.domain.corrected_clock import CorrectedClock
from placed.domain.machine_clock_health import ClockState
from placed.store.records import (
    Again,
    Confirmed,
    Key,
    Kind,
    LastPresence,
    Reading,
    Saved,
    checksum,
    encoded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from placed.board.board import Board
    from placed.board.room_entry import KnownRoom
    from placed.domain.clock import Clock
    from placed.domain.model import Schedule
    from placed.domain.presence import Presence
    from placed.store.persistent_state import Journal

EVERY = 2.0  # seconds after which changes are written
ALL = 30.0  # seconds after which everything is compared, and the time of every reading is written

log = structlog.get_logger("placed.store")

_Which = tuple[str, str]  # connection and address


class PeriodicWriter:
    """Keeps the journal in step with the board.

    Args:
        board: the source.
        journal: the destination.
        clock: both clocks, with which a start computes how much time has passed.
    """

    def __init__(self, board: Board, journal: Journal, clock: Clock) -> None:
        self._board = board
        self._journal = journal
        self._clock = clock
        self._all_at = 0.0
        self._residue = False  # whether deleted texts may still be in the log

    async def run(self) -> None:
        """Writes until it is cancelled."""
        while True:
            await self._clock.sleep(EVERY)
            if self._clock.steady() >= self._all_at:
                await self.write_all()
                self._all_at = self._clock.steady() + ALL
                await self.scrub()
            else:
                await self._write_touched()

    async def scrub(self) -> None:
        """Removes deleted titles and names from the log, too."""
        if self._residue and await asyncio.to_thread(self._journal.scrub):
            self._residue = False

    async def write_all(self) -> None:
        """Compares everything, and writes differences and the time of every reading."""
        self._board.touched.clear()
        known = list(self._board.known())
        moment = self._clock.now(), self._clock.steady()
        await asyncio.to_thread(self._write, known, self._gone(known), moment)

    async def _write_touched(self) -> None:
        known: list[KnownRoom] = []
        gone: set[_Which] = set()
        for which, room_id in self._board.touched.items():
            one = self._board.known_of(room_id)
            if one is None or one.room.address != which[1] or one.schedule is None:
                gone.add(which)
            else:
                known.append(one)
        self._board.touched.clear()
        if known or gone:
            await asyncio.to_thread(self._write, known, gone & self._journal.saved.keys(), None)

    def _gone(self, known: Iterable[KnownRoom]) -> AbstractSet[_Which]:
        """Returns the readings in the journal of which the board has none: as a rule of no room."""
        saved = self._journal.saved
        if sum(one.schedule is not None and _which(one) in saved for one in known) == len(saved):
            return frozenset()
        return saved.keys() - {_which(one) for one in known if one.schedule is not None}

    def _write(
        self, known: Iterable[KnownRoom], gone: AbstractSet[_Which], moment: tuple[datetime, float] | None
    ) -> None:
        """Writes readings first: a confirmation must not exist before its reading."""
        saved: dict[_Which, Saved] = {}
        if not self._journal.write_all(self._records(known, gone, saved)):
            return
        if gone or saved:
            self._journal.saved = {w: s for w, s in self._journal.saved.items() if w not in gone}
            self._journal.saved.update(saved)
            log.debug("journal.was_written", readings=len(gone) + len(saved))
        if moment is not None:
            self._journal.write_all(self._confirmations(known, *moment))

    def _records(
        self, known: Iterable[KnownRoom], gone: AbstractSet[_Which], saved: dict[_Which, Saved]
    ) -> Iterator[tuple[Key, bytes | None]]:
        """Yields records as they are written: those of a whole site at once would take much memory."""
        for which in gone:
            self._residue = self._residue or self._drops_text(which, None)
            yield Key(Kind.SCHEDULE, *which), None
        for one in known:
            which = _which(one)
            if one.schedule is None or self._is_written(which, one):
                continue
            self._residue = self._residue or self._drops_text(which, one.schedule)
            key, value = Key(Kind.SCHEDULE, *which), encoded(Reading(one.schedule, one.changed_at))
            saved[which] = Saved(one.schedule, one.changed_at, checksum(key, value))
            yield key, value

    def _drops_text(self, which: _Which, schedule: Schedule | None) -> bool:
        saved = self._journal.saved.get(which)
        return saved is not None and not _texts(saved.schedule) <= _texts(schedule)

    def _is_written(self, which: _Which, one: KnownRoom) -> bool:
        """Returns whether the journal has this state, except for the time of reading."""
        saved = self._journal.saved.get(which)
        if saved is None or one.schedule is None:
            return False
        before, now = saved.schedule, one.schedule
        # A confirmed calendar has the identical meetings; one that was restored and read again, equal ones.
        equal = now.meetings is before.meetings or now.meetings == before.meetings
        same = equal and (now.since, now.until) == (before.since, before.until)
        return same and one.changed_at == saved.changed_at

    def _confirmations(
        self, known: Iterable[KnownRoom], wall: datetime, steady: float
    ) -> list[tuple[Key, bytes]]:
        rooms: dict[str, dict[str, Again]] = {}
        for one in known:
            saved = self._journal.saved.get(_which(one))
            if saved is not None and one.schedule is not None:
                again = Again(one.schedule.read_at, one.failure, saved.checksum, _last(one.presence))
                rooms.setdefault(one.room.connection, {})[one.room.address] = again
        return [
            (Key(Kind.CONFIRMED, name), encoded(Confirmed(wall, steady, those, self._is_corrected)))
            for name, those in rooms.items()
        ]

    @property
    def _is_corrected(self) -> bool:
        clock = self._clock
        return isinstance(clock, CorrectedClock) and clock.health.state is ClockState.CORRECTED


def _which(known: KnownRoom) -> _Which:
    return known.room.connection, known.room.address


def _last(presence: Presence | None) -> LastPresence | None:
    if presence is None or presence.valid_until is None:
        return None
    return LastPresence(presence.state, presence.since, presence.valid_until)


def _texts(schedule: Schedule | None) -> set[str | None]:
    meetings = schedule.meetings if schedule is not None else ()
    return {text for meeting in meetings for text in (meeting.title, meeting.organizer)} | {None}
