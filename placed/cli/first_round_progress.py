"""The progress of the first round: a bar at a terminal, else lines in the log."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MANY = 200  # rooms; with fewer no progress is shown
_EVERY = 2.0  # seconds

log = structlog.get_logger("placed.progress")


@contextmanager
def first_round() -> Iterator[Callable[[int, int], None]]:
    """Yields a callback for (rooms read, rooms) during the first round."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        bar = Progress(
            "reading the rooms",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        task = bar.add_task("rooms", visible=False)

        def show(done: int, total: int) -> None:
            if total < _MANY:
                return
            if not bar.live.is_started and done < total:
                bar.start()
            bar.update(task, completed=done, total=total, visible=True)
            if done >= total:
                bar.stop()

        try:
            yield show
        finally:
            bar.stop()
    else:
        last = time.monotonic()

        def log_progress(done: int, total: int) -> None:
            nonlocal last
            if total >= _MANY and time.monotonic() - last >= _EVERY:
                last = time.monotonic()
                log.info("rooms.are_being_read", done=done, total=total)

        yield log_progress
