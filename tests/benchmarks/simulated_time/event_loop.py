"""An event loop on which time passes at once: a task that waits for a moment is at that moment immediately.

What waits for the network would wait for ever, so nothing here does.
"""

from __future__ import annotations

import asyncio
import selectors
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

_T = TypeVar("_T")


class _Selector(selectors.SelectSelector):
    """Waits by having the time pass."""

    def __init__(self) -> None:
        super().__init__()
        self.passed = 0.0  # seconds

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Receives for how long there is nothing to do."""
        if timeout is None:
            raise RuntimeError("everybody waits for somebody else")
        self.passed += timeout
        return super().select(0)


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Time begins with 0."""

    def __init__(self) -> None:
        self._passing = _Selector()
        super().__init__(self._passing)

    def time(self) -> float:
        """Seconds that have passed."""
        return self._passing.passed


class LoopClock:
    """The clocks of placed, on such a loop.

    Args:
        begin: what the clock on the wall shows when the loop's shows 0.
    """

    def __init__(self, begin: datetime) -> None:
        self._begin = begin.astimezone(UTC)

    def now(self) -> datetime:
        """The clock on the wall."""
        return self._begin + timedelta(seconds=self.steady())

    def steady(self) -> float:
        """The steady clock."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Has the time pass."""
        await asyncio.sleep(max(0.0, seconds))


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Runs something to its end, in no time."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(main)
