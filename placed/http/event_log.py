"""The latest news of every subject, in the order in which they came. Pure.

All clients of the event stream read the same ledger, each from where it has got to, in portions that those
who have got equally far share. So a statement costs the same however many clients there are, a client that
lags finds only the latest of each room, and what is kept is bounded by the number of rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

import msgspec

from placed.domain.connection_health import ConnectionHealth
from placed.domain.state_document import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

PORTION = 64 * 1024  # bytes to send before more is looked for; the last frame goes beyond
_KEPT = 64  # portions that may be shared, at most


class Entry(msgspec.Struct, eq=False, gc=False):
    """News of a subject; None where it is gone. There is one of every room, whoever listens."""

    subject: str
    seq: int
    news: Statement | ConnectionHealth | None
    frame: bytes | None = None  # the bytes to send, once they were made


@dataclass(frozen=True, slots=True)
class Portion:
    """Frames to send, and the seq that whoever has them has got to."""

    frames: bytes
    last: int


class Ledger:
    """One entry a subject, by rising seq.

    Args:
        frame: makes the bytes of an entry, which is when the first client needs them; all others share them.
    """

    def __init__(self, frame: Callable[[Entry], bytes]) -> None:
        self._frame = frame
        self._entries: dict[str, Entry] = {}
        self._portions: dict[tuple[int, int], Portion | None] = {}
        self.last = 0  # the highest seq

    def note(self, *entries: Entry) -> None:
        """Takes entries in place of their subjects' earlier ones."""
        in_order = True
        self._portions.clear()
        for entry in entries:
            self._entries.pop(entry.subject, None)
            self._entries[entry.subject] = entry
            in_order = in_order and entry.seq >= self.last
            self.last = max(self.last, entry.seq)
        if not in_order:  # rooms that are gone are told of after rooms that came later in the same go
            self._entries = {e.subject: e for e in sorted(self._entries.values(), key=lambda e: e.seq)}

    def after(self, seq: int, subjects: frozenset[str] | None = None) -> list[Entry]:
        """What came after `seq`, in order; of these subjects only, unless None."""
        new = takewhile(lambda entry: entry.seq > seq, reversed(self._entries.values()))
        return [entry for entry in new if subjects is None or entry.subject in subjects][::-1]

    def portion(
        self, seq: int, subjects: frozenset[str] | None = None, *, without_gone: int = 0
    ) -> Portion | None:
        """The first of what came after `seq`, as it is now; None if nothing did.

        Args:
            seq: where the reader has got to.
            subjects: of these only, unless None.
            without_gone: that subjects are gone is left out up to this seq.
        """
        if subjects is not None:
            return self._portion(seq, subjects, without_gone)
        key = seq, without_gone
        if key not in self._portions:
            if len(self._portions) >= _KEPT:
                self._portions.clear()
            self._portions[key] = self._portion(seq, None, without_gone)
        return self._portions[key]

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
