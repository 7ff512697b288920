"""The latest event of every room, or of every connection, in the order in which they came.

All clients of the event stream read these entries, each from its own position, in portions that clients at
the same position share. So a statement costs the same for any number of clients, a client that lags reads
only the latest entry of each room, and the size is bounded by the number of rooms.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from placed.domain.connection_health import ConnectionHealth
from placed.domain.state_document import Statement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

PORTION = 64 * 1024  # bytes that are sent before the entries are read again; the last frame goes beyond
_KEPT = 64  # portions that are kept to be shared, at most
_FEW = 100  # entries that were replaced and need not be removed yet, and a quarter of the subjects
_seq = attrgetter("seq")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)


class Entry(msgspec.Struct, eq=False, gc=False):
    """The latest of a room or connection; `news` is None if it was removed."""

    subject: str
    seq: int
    news: Statement | ConnectionHealth | None
    frame: bytes | None = None  # the bytes to send, made for the first client that needs them

    @property
    def ends(self) -> datetime:
        """Until when it may be sent."""
        return self.news.occupancy.valid_until if isinstance(self.news, Statement) else _NEVER

    def empty(self) -> None:
        """It was replaced: it only keeps its place in the order, and none of the memory of a statement."""
        self.news = self.frame = None


@dataclass(frozen=True, slots=True)
class Portion:
    """Frames to send, the position of a client that has them, and when the first statement in it ends."""

    frames: bytes
    last: int
    ends: datetime


class LatestEvents:
    """One entry for each subject, by rising seq.

    Args:
        frame: makes the bytes of an entry.
        now: the wall clock, by which statements end. One that has ended is not sent: a newer one follows.
        is_due: whether the subject is about to be judged again; then the entry is not sent either.
    """

    def __init__(
        self,
        frame: Callable[[Entry], bytes],
        now: Callable[[], datetime] = lambda: _LONG_AGO,
        is_due: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._frame = frame
        self._now = now
        self._is_due = is_due
        self._latest: dict[str, Entry] = {}
        self._in_order: list[Entry] = []  # by seq; also some that were replaced
        self._portions: dict[tuple[int, int], Portion | None] = {}
        self.last = 0  # the highest seq

    def note(self, *entries: Entry) -> None:
        """Replaces the entries of these subjects."""
        in_order = True
        self._portions.clear()
        for entry in entries:
            replaced = self._latest.get(entry.subject)
            if replaced is not None:
                replaced.empty()
            self._latest[entry.subject] = entry
            self._in_order.append(entry)
            in_order = in_order and entry.seq >= self.last
            self.last = max(self.last, entry.seq)
        if not in_order:  # removed rooms are noted after rooms that were added with them
            self._in_order.sort(key=_seq)
        if len(self._in_order) > len(self._latest) * 5 // 4 + _FEW:
            self._in_order = [entry for entry in self._in_order if self._counts(entry)]

    def drop(self, subject: str) -> None:
        """Forgets a subject, as if it had never been noted."""
        self._portions.clear()
        dropped = self._latest.pop(subject, None)
        if dropped is not None:
            dropped.empty()

    def after(self, seq: int, subjects: frozenset[str] | None = None) -> Iterator[Entry]:
        """The entries after `seq`, in order; only of these subjects, unless None."""
        if subjects is not None:
            found = [entry for subject in subjects if (entry := self._latest.get(subject)) is not None]
            yield from sorted((entry for entry in found if entry.seq > seq), key=_seq)
            return
        for place in range(bisect_right(self._in_order, seq, key=_seq), len(self._in_order)):
            if self._counts(self._in_order[place]):
                yield self._in_order[place]

    def _counts(self, entry: Entry) -> bool:
        return self._latest.get(entry.subject) is entry

    def portion(
        self, seq: int, subjects: frozenset[str] | None = None, *, without_gone: int = 0
    ) -> Portion | None:
        """The first frames after `seq`; None if there are none.

        Args:
            seq: the position of the reader.
            subjects: the subjects that it reads, all if None.
            without_gone: removals up to this seq are left out.
        """
        if subjects is not None:
            return self._portion(seq, subjects, without_gone)
        key = seq, without_gone
        shared = self._portions.get(key)
        if key not in self._portions or (shared is not None and shared.ends <= self._now()):
            if len(self._portions) >= _KEPT:
                self._portions.clear()
            self._portions[key] = shared = self._portion(seq, None, without_gone)
        return shared

    async def read(
        self,
        send: Callable[[bytes], Awaitable[None]],
        position: int,
        subjects: frozenset[str] | None = None,
        *,
        without_gone: int = 0,
        before: Callable[[], Awaitable[object]] | None = None,
    ) -> int:
        """Sends the entries after a position, in their latest form; returns the new position.

        `before` is awaited each time before entries are read. The caller's task gives way after each portion.
        """
        end = self.last
        while position < end:
            if before is not None:
                await before()
            portion = self.portion(position, subjects, without_gone=without_gone)
            if portion is None:
                return self.last
            await send(portion.frames)
            position = portion.last
            await asyncio.sleep(0)  # a client that reads at once holds up nobody
        return position

    def _portion(self, seq: int, subjects: frozenset[str] | None, without_gone: int) -> Portion | None:
        frames: list[bytes] = []
        size, last, now, ends = 0, seq, self._now(), _NEVER
        for entry in self.after(seq, subjects):
            if (entry.news is None and entry.seq <= without_gone) or entry.ends <= now:
                continue
            if self._is_due(entry.subject):
                continue
            if entry.frame is None:
                entry.frame = self._frame(entry)
            frames.append(entry.frame)
            size, last, ends = size + len(entry.frame), entry.seq, min(ends, entry.ends)
            if size >= PORTION:
                break
        return Portion(b"".join(frames), last, ends) if frames else None
