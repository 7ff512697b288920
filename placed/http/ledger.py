"""The latest news of every subject, in the order in which they came. Pure.

All clients of the event stream read the same ledger, each from where it has got to. So a statement costs the
same however many clients there are, a client that lags finds only the latest of each room, and what is kept
is bounded by the number of rooms.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True, eq=False)
class Entry:
    """News of a subject. Its bytes are made when the first client needs them, and shared by all."""

    subject: str
    seq: int
    gone: bool
    make: Callable[[], bytes]
    _frame: bytes | None = None

    @property
    def frame(self) -> bytes:
        """The bytes to send."""
        if self._frame is None:
            self._frame = self.make()
        return self._frame


class Ledger:
    """One entry a subject, by rising seq."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self.last = 0  # the highest seq

    def note(self, *entries: Entry) -> None:
        """Takes entries in place of their subjects' earlier ones."""
        in_order = True
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

    def latest(self, entry: Entry) -> bool:
        """Whether nothing newer is known of the entry's subject."""
        return self._entries.get(entry.subject) is entry
