"""The latest entry of every room, or of every connection, in the order in which they came. Pure.

All clients of the event stream read the same log, each from its own position, in portions that clients at
the same position share. So a statement costs the same for any number of clients, a client that lags reads
only the latest entry of each room, and the size is bounded by the number of rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import msgspec

from placed.domain.connection_health import ConnectionHealth
from placed.domain.state_document import Statement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

PORTION = 64 * 1024  # bytes that are sent before the log is read again; the last frame goes beyond
_KEPT = 64  # portions that are kept to be shared, at most


class Entry(msgspec.Struct, eq=False, gc=False):
    """The latest of a room or connection; `news` is None if it was removed."""

    subject: str
    seq: int
    news: Statement | ConnectionHealth | None
    frame: bytes | None = None  # the bytes to send, made for the first client that needs them


@dataclass(frozen=True, slots=True)
class Portion:
    """Frames to send, and the position of a client that has them."""

    frames: bytes
    last: int


class EventLog:
    """One entry for each subject, by rising seq.

    Args:
        frame: makes the bytes of an entry.
    """

    def __init__(self, frame: Callable[[Entry], bytes]) -> None:
        self._frame = frame
        self._entries: dict[str, Entry] = {}
        self._portions: dict[tuple[int, int], Portion | None] = {}
        self.last = 0  # the highest seq

    def note(self, *entries: Entry) -> None:
        """Replaces the entries of these subjects."""
        in_order = True
        self._portions.clear()
        for entry in entries:
            self._entries.pop(entry.subject, None)
            self._entries[entry.subject] = entry
            in_order = in_order and entry.seq >= self.last
            self.last = max(self.last, entry.seq)
        if not in_order:  # removed rooms are noted after rooms that were added with them
            self._entries = {e.subject: e for e in sorted(self._entries.values(), key=lambda e: e.seq)}

    def drop(self, subject: str) -> None:
        """Forgets a subject, as if it had never been noted."""
        self._portions.clear()
        self._entries.pop(subject, None)

    def after(self, seq: int, subjects: frozenset[str] | None = None) -> list[Entry]:
        """The entries after `seq`, in order; only of these subjects, unless None."""
        new = takewhile(lambda entry: entry.seq > seq, reversed(self._entries.values()))
        return [entry for entry in new if subjects is None or entry.subject in subjects][::-1]

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
        if key not in self._portions:
            if len(self._portions) >= _KEPT:
                self._portions.clear()
            self._portions[key] = self._portion(seq, None, without_gone)
        return self._portions[key]

    async def read(
        self,
        send: Callable[[bytes], Awaitable[None]],
        position: int,
        subjects: frozenset[str] | None = None,
        *,
        without_gone: int = 0,
        before: Callable[[], None] = lambda: None,
    ) -> int:
        """Sends the entries after a position, in their latest form; returns the new position.

        `before` is called each time before the log is read.
        """
        end = self.last
        while position < end:
            before()
            portion = self.portion(position, subjects, without_gone=without_gone)
            if portion is None:
                return self.last
            await send(portion.frames)
            position = portion.last
        return position

    def _portion(self, seq: int, subjects: frozenset[str] | None, without_gone: int) -> Portion | None:
        frames: list[bytes] = []
        size, last = 0, seq
        for entry in self.after(seq, subjects):
            if entry.news is None and entry.seq <= without_gone:
                continue
            if entry.frame is None:
                entry.frame = self._frame(entry)
            frames.append(entry.frame)
            size, last = size + len(entry.frame), entry.seq
            if size >= PORTION:
                break
        return Portion(b"".join(frames), last) if frames else None


class Reader(Protocol):
    """A reader of logs. `wanted` are the subjects that it waits for, all if None."""

    @property
    def wanted(self) -> frozenset[str] | None:
        """See above."""
        ...


AnyReader = TypeVar("AnyReader", bound=Reader)


class Waiting(Generic[AnyReader]):
    """The readers that wait for new entries. One that was taken has to be added again.

    So thousands of statements at the full hour wake every client once, and other rooms do not wake a panel.
    """

    def __init__(self) -> None:
        self._readers: dict[str | None, set[AnyReader]] = {}  # by subject; None stands for all of them

    def add(self, reader: AnyReader) -> None:
        """It waits from now on."""
        for subject in _subjects(reader):
            self._readers.setdefault(subject, set()).add(reader)

    def discard(self, reader: AnyReader) -> None:
        """It waits no more."""
        for subject in _subjects(reader):
            readers = self._readers.get(subject, set())
            readers.discard(reader)
            if not readers:
                self._readers.pop(subject, None)

    def take(self, subject: str) -> set[AnyReader]:
        """Takes the readers that wait for this subject."""
        taken = self._readers.pop(None, set()) | self._readers.pop(subject, set())
        for reader in taken:
            if reader.wanted is not None:
                self.discard(reader)  # it may wait for other subjects, too
        return taken

    def take_all(self) -> set[AnyReader]:
        """Takes every reader."""
        taken: set[AnyReader] = set().union(*self._readers.values())
        self._readers.clear()
        return taken


def _subjects(reader: Reader) -> Iterable[str | None]:
    return (None,) if reader.wanted is None else reader.wanted
