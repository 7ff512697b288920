"""What stays on the terminal: drawn anew when it is another, and at most twice a second."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from rich.console import Console

    from placed.cli.room_table import View

_PAUSE = 0.5  # seconds between two drawings
_MARGIN = 0.25  # seconds after a state's time is over; where there is a next one, it has come by then


def is_live(console: Console) -> bool:
    """Whether it is a terminal on which something can change."""
    return console.is_terminal and not console.is_dumb_terminal


async def keep_drawn(
    console: Console, draw: Callable[[tuple[int, int]], tuple[View, float | None]], news: asyncio.Event
) -> None:
    """Draws for ever.

    Args:
        console: the terminal; what was on it before comes back at the end.
        draw: makes the view for (columns, lines), and says in how many seconds it will be another by itself.
        news: is set when it may be another now.
    """
    from rich.live import Live

    from placed.cli.room_table import rendered

    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError, RuntimeError):
        loop.add_signal_handler(signal.SIGWINCH, news.set)
    last: View | None = None
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            news.clear()
            view, seconds = draw((console.width, console.height))
            if view != last:
                live.update(rendered(view), refresh=True)
                last = view
            await asyncio.sleep(_PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(None if seconds is None else max(0.0, seconds - _PAUSE) + _MARGIN):
                    await news.wait()


async def first_of(*works: Coroutine[object, object, None]) -> None:
    """Until one of them ends; what it raises is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        task.result()


def until_interrupted(work: Coroutine[object, object, None]) -> None:
    """Runs it; Ctrl-C and SIGTERM end it, and leave the terminal as it was."""

    async def interruptible() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(interruptible())
