"""Makes an async iterator of a reading that reports each answer by a callback."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from placed.driver import Answer


async def stream(
    read: Callable[[Callable[[Answer], None]], Awaitable[None]],
    abandoned: Callable[[], None] = lambda: None,
) -> AsyncIterator[Answer]:
    """The answers of `read`, each as soon as it is there; at the end the error that `read` raised, if any.

    The reading is a task of its own, so that its batches go on while an answer is processed. Nearly all
    answers are taken without waiting, since those of a batch come together.

    Args:
        read: is given the callback that takes an answer.
        abandoned: called if the iteration ends early, so that answers may not have been taken.
    """
    answers: deque[Answer] = deque()
    news = asyncio.Event()

    def report(answer: Answer) -> None:
        answers.append(answer)
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
