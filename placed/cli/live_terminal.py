"""A live view in the terminal: redrawn when it changes, at most twice per second."""

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
_MARGIN = 0.25  # seconds after the expiry of a state; by then a next one has arrived, if there is any


def is_live(console: Console) -> bool:
    """Whether the output is a terminal that can be redrawn."""
    return console.is_terminal and not console.is_dumb_terminal


async def keep_drawn(
    console: Console, draw: Callable[[tuple[int, int]], tuple[View, float | None]], changed: asyncio.Event
) -> None:
    """Draws until it is cancelled.

    Args:
        console: the terminal; its previous content is restored at the end.
        draw: returns the view for (columns, lines), and the seconds until it changes by itself.
        changed: set when the view may have changed.
    """
    from rich.live import Live

    from placed.cli.room_table import rendered

    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError, RuntimeError):
        loop.add_signal_handler(signal.SIGWINCH, changed.set)
    last: View | None = None
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            changed.clear()
            view, seconds = draw((console.width, console.height))
            if view != last:
                live.update(rendered(view), refresh=True)
                last = view
            await asyncio.sleep(_PAUSE)
            with suppress(TimeoutError):
                async with asyncio.timeout(None if seconds is None else max(0.0, seconds - _PAUSE) + _MARGIN):
                    await changed.wait()


async def first_of(*works: Coroutine[object, object, None]) -> None:
    """Runs all until one of them ends; raises its exception."""
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
    """Runs the coroutine; Ctrl-C and SIGTERM end it and restore the terminal."""

    async def interruptible() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(interruptible())
