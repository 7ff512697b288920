"""Reads batches of rooms in parallel, and makes a stream of the answers.

Also what an error means for the rooms of a batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol, TypeVar

from placed.domain.problem import Problem
from placed.driver.errors import DriverError, Refused
from placed.driver.protocol import Failed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from placed.driver.protocol import Answer, Query

_Batch = TypeVar("_Batch")


async def in_parallel(
    batches: Iterable[_Batch], read: Callable[[_Batch], Awaitable[None]], most: int
) -> None:
    """Reads all batches, `most` of them at once.

    Raises:
        DriverError: the first error that ended a batch; of several, the one that a person has to fix.
    """
    waiting = deque(batches)

    async def work() -> None:
        while waiting:
            await read(waiting.popleft())

    failure: DriverError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(len(waiting), most)):
                group.create_task(work())
    except* DriverError as failures:
        failure = _most_severe(failures)
    if failure is not None:  # not raised above: Python 3.11.2 would wrap it in a group again
        raise failure


class Report(Protocol):
    """Takes answers, one or several at once."""

    def __call__(self, *answers: Answer) -> None:
        """Takes them; none is no mistake."""
        ...


async def stream(
    read: Callable[[Report], Awaitable[None]],
    abandoned: Callable[[], None] = lambda: None,
) -> AsyncIterator[Answer]:
    """The answers of `read`, each as soon as it is there; at the end the error that `read` raised, if any.

    The reading is a task of its own, so that its batches go on while an answer is processed. Nearly all
    answers are taken without waiting, since those of a batch come together.

    Args:
        read: is given the callback that takes answers.
        abandoned: called if the iteration ends early, so that answers may not have been taken.
    """
    answers: deque[Answer] = deque()
    news = asyncio.Event()

    def report(*found: Answer) -> None:
        answers.extend(found)
        news.set()

    async def work() -> None:
        await read(report)

    reading = asyncio.create_task(work())
    reading.add_done_callback(lambda _: news.set())
    complete = False
    try:
        while not complete:
            await news.wait()
            news.clear()
            while answers:
                yield answers.popleft()
            complete = reading.done()
        reading.result()
    finally:
        if not complete:
            reading.cancel()
            await asyncio.wait([reading])
            abandoned()


def failure_of(query: Query, error: DriverError) -> Failed:
    """The failure of a room that an error is, which is not believed to last."""
    problem = Problem("", str(error), error.problem.remedy, retry_after=error.problem.retry_after)
    return Failed(query, error.reason, problem)


def _most_severe(failures: BaseExceptionGroup[DriverError]) -> DriverError:
    """Returns, of several errors, the one that a person has to fix."""
    leaves = [error for error in failures.exceptions if isinstance(error, DriverError)]
    return next((error for error in leaves if isinstance(error, Refused)), leaves[0])
