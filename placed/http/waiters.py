"""Who waits for news of what. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable


class Bell(Protocol):
    """What is rung, such as an `asyncio.Event`."""

    def set(self) -> None:
        """There is news."""
        ...

    def clear(self) -> None:
        """There is none yet."""
        ...


class Bells:
    """Rings those who wait. Who was rung waits no more: it has to hang up its bell again.

    So a thousand statements at the full hour wake every client once, and a panel is not woken by the news
    of other rooms.
    """

    def __init__(self) -> None:
        self._waiting: defaultdict[str | None, set[Bell]] = defaultdict(set)

    def hang(self, bell: Bell, subjects: Iterable[str] | None) -> None:
        """Waits for news of these subjects; of any, if None."""
        bell.clear()
        for subject in (None,) if subjects is None else subjects:
            self._waiting[subject].add(bell)

    def take_down(self, bell: Bell, subjects: Iterable[str] | None) -> None:
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
