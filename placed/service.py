"""The daemon among signals: SIGTERM and SIGINT end it, SIGHUP reads the configuration again.

SIGUSR1 ends it as well, to be started again at once (systemd's RestartKillSignal=): panels hear nothing.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from placed.configuration import ConfigurationError
from placed.daemon import Around, Daemon
from placed.errors import CannotStart
from placed.rehearsal import rehearse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from placed.configuration import Configuration

log = structlog.get_logger("placed.service")


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
    daemon = Daemon(configuration, around)
    with signals.caught():
        while True:
            stop = asyncio.Event()
            running = asyncio.create_task(daemon.run(stop))
            following = await _until_next(running, signals, daemon, load, around)
            if signals.pausing:
                daemon.pause()
            stop.set()
            refusal: CannotStart | None = None
            try:
                await running
            except* CannotStart as group:
                refusal = _first(group)
            if refusal is not None:  # not raised up there: Python 3.11.2 would put it into a group again
                raise refusal
            if following is None:
                return
            daemon = following


async def _until_next(
    running: asyncio.Task[None],
    signals: _Signals,
    daemon: Daemon,
    load: Callable[[], Configuration],
    around: Around,
) -> Daemon | None:
    """Waits for the end, or for a reload that works out; gives the daemon that is to follow."""
    end = asyncio.create_task(signals.end.wait())
    try:
        while True:
            reload = asyncio.create_task(_prepare(signals.reload, daemon, load, around))
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


async def _prepare(
    wanted: asyncio.Event, daemon: Daemon, load: Callable[[], Configuration], around: Around
) -> Daemon | None:
    """Waits until a reload is wanted, and makes a daemon of the configuration as it is then.

    Until that is known to start, nothing of the one that runs is touched. None if it does not.
    """
    await wanted.wait()
    wanted.clear()
    around.supervisor.reloading()
    configuration = None
    try:
        configuration = load()
        following = Daemon(configuration, around)
        await rehearse(configuration, around, daemon.settings)
    except (ConfigurationError, CannotStart) as error:
        problems = error.problems if configuration is None else configuration.located(error.problems)
        for problem in problems:
            log.error("configuration.was_refused", problem=problem)  # noqa: TRY400 - no traceback
        log.info("configuration.stays", remedy="mend it and reload again")
        around.supervisor.ready()
        return None
    log.info("configuration.was_reloaded")
    following.board.take_over(daemon.board)
    return following


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
