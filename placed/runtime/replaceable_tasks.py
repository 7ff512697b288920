"""A task group whose tasks have names: each is begun, ended and replaced while the others go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from placed.domain.exit_errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType


class ReplaceableTasks:
    """A task group whose tasks have names.

    Args:
        keeps: whether a `CannotStart` of a task is put into `refused`; any other ends all tasks.

    Attributes:
        refused: what was kept of these errors.
    """

    def __init__(self, keeps: Callable[[CannotStart], bool]) -> None:
        self.refused: asyncio.Queue[CannotStart] = asyncio.Queue()
        self._keeps = keeps
        self._group = asyncio.TaskGroup()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ending = False

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._group.__aexit__(kind, error, trace)

    def begin(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Begins a task, unless all are ending; one of the same name has ended before."""
        if self._ending:
            return
        self._running[name] = self._group.create_task(self._run(work), name=name)

    async def end(self, name: str) -> None:
        """Cancels a task, and waits until it has ended."""
        task = self._running.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    def cancel(self) -> None:
        """Cancels all tasks. Leaving the context waits for them."""
        self._ending = True
        for task in self._running.values():
            task.cancel()

    async def _run(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except CannotStart as error:
            if not self._keeps(error):
                self._ending = True
                raise
            self.refused.put_nowait(error)
        except Exception:
            self._ending = True
            raise
