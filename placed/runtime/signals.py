"""The daemon among signals: SIGTERM and SIGINT end it, SIGHUP reads the configuration again.

SIGUSR1 ends it as well, to be started again at once (systemd's RestartKillSignal=): panels hear nothing.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from placed.domain.exit_errors import CannotStart, TakenOver
from placed.runtime.daemon import Around, Daemon, Earlier
from placed.runtime.reload import Reloads, report_refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from placed.settings.loader import Configuration


async def serve(configuration: Configuration, load: Callable[[], Configuration], around: Around) -> None:
    """Runs the daemon until SIGTERM or SIGINT.

    Args:
        configuration: what to begin with.
        load: reads the configuration again, for SIGHUP.
        around: the world.

    Raises:
        CannotStart: only a person can mend it.
    """
    signals = _Signals()
    reloads = Reloads(signals.reload, load, around)
    daemon = Daemon(configuration, around)
    earlier: Earlier | None = None
    with signals.caught():
        while True:
            stop = asyncio.Event()
            running = asyncio.create_task(daemon.run(stop))
            following = await _until_next(running, signals, daemon, reloads)
            if signals.pausing:
                daemon.pause()
            stop.set()
            refusal: CannotStart | None = None
            try:
                await running
            except* CannotStart as group:
                refusal = _first(group)
            if refusal is not None:  # not raised up there: Python 3.11.2 would put it into a group again
                if earlier is None or daemon.proven or isinstance(refusal, TakenOver) or signals.end.is_set():
                    raise refusal
                daemon, earlier = _back(earlier, daemon, refusal, around), None
            elif following is None:
                around.supervisor.status("stopped")
                return
            else:
                if earlier is None or daemon.proven:
                    earlier = Earlier(daemon.configuration, daemon.login)
                daemon = following


def _back(earlier: Earlier, failed: Daemon, refusal: CannotStart, around: Around) -> Daemon:
    """Goes back to the earlier configuration: only the switch has shown that the new one does not work."""
    try:
        daemon = Daemon(earlier.configuration, around, login=earlier.login, patient=True)
    except CannotStart as error:
        raise CannotStart(*refusal.problems, *error.problems) from error
    daemon.follow(failed)
    report_refusal(daemon, failed.configuration.located(refusal.problems))
    return daemon


async def _until_next(
    running: asyncio.Task[None], signals: _Signals, daemon: Daemon, reloads: Reloads
) -> Daemon | None:
    """Waits for the end, or for a reload that works out; gives the daemon that is to follow."""
    end = asyncio.create_task(signals.end.wait())
    try:
        while True:
            reload = asyncio.create_task(reloads.next(daemon))
            try:
                await asyncio.wait({running, end, reload}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                reload.cancel()
                await asyncio.wait({reload})
            if running.done() or end.done():
                return None
            following = reload.result()
            if following is not None:
                daemon.hand_over(following.settings)
                return following
    finally:
        end.cancel()


class _Signals:
    """What the process was told by signals."""

    def __init__(self) -> None:
        self.end = asyncio.Event()
        self.reload = asyncio.Event()
        self.pausing = False  # it ends to be started again

    @contextmanager
    def caught(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers = {
            signal.SIGTERM: self.end.set,
            signal.SIGINT: self.end.set,
            signal.SIGHUP: self.reload.set,
            signal.SIGUSR1: self._pause,
        }
        before = {number: signal.getsignal(number) for number in handlers}
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)
                signal.signal(number, before[number])

    def _pause(self) -> None:
        self.pausing = True
        self.end.set()


def _first(group: BaseExceptionGroup[CannotStart]) -> CannotStart:
    """The one that says it; several parts may find the same at once."""
    error: BaseExceptionGroup[CannotStart] | CannotStart = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
