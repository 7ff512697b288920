"""Who waits for news of what. Pure, but for the events that wake a task."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable


class Bells:
    """Rings those who wait. Who was rung waits no more: it has to hang up its bell again.

    So a thousand statements at the full hour wake every client once, and a panel is not woken by the news
    of other rooms.
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[str | None, set[asyncio.Event]] = defaultdict(set)

    def hang(self, bell: asyncio.Event, subjects: Iterable[str] | None) -> None:
        """Waits for news of these subjects; of any, if None."""
        bell.clear()
        for subject in (None,) if subjects is None else subjects:
            self._waiting[subject].add(bell)

    def take_down(self, bell: asyncio.Event, subjects: Iterable[str] | None) -> None:
        """Waits no more."""
        for subject in (None,) if subjects is None else subjects:
            self._waiting[subject].discard(bell)
            if not self._waiting[subject]:
                del self._waiting[subject]

    def ring(self, subject: str) -> None:
        """There is news of the subject."""
        for key in (subject, None):
            for bell in self._waiting.pop(key, ()):
                bell.set()

    def ring_all(self) -> None:
        """There is news for everybody."""
        for bells in self._waiting.values():
            for bell in bells:
                bell.set()
        self._waiting.clear()
