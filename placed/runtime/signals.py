"""The daemon among signals: SIGTERM and SIGINT end it, SIGHUP reads the configuration again.

SIGUSR1 ends it as well, to be started again at once (systemd's RestartKillSignal=): panels hear nothing.
"""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from placed.domain.exit_errors import CannotStart
from placed.runtime import early_signals
from placed.runtime.configuration_reloader import ConfigurationReloader, report_refusal
from placed.runtime.daemon import Daemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from placed.runtime.daemon import DaemonSurroundings
    from placed.runtime.prepared_configuration import Prepared
    from placed.settings.loader import Configuration


async def serve(
    configuration: Configuration, load: Callable[[], Configuration], surroundings: DaemonSurroundings
) -> None:
    """Runs the daemon until SIGTERM or SIGINT.

    Args:
        configuration: what to begin with.
        load: reads the configuration again, for SIGHUP.
        surroundings: what the daemon is given.

    Raises:
        CannotStart: only a person can fix it.
    """
    signals = _Signals()
    daemon = Daemon(configuration, surroundings)
    stop = asyncio.Event()
    with signals.caught():
        running = asyncio.create_task(daemon.run(stop))
        end = asyncio.create_task(signals.end.wait())
        hopeless: CannotStart | None = None
        try:
            await _follow(daemon, ConfigurationReloader(signals.reload, load, surroundings), {running, end})
        except CannotStart as error:
            hopeless = error
        end.cancel()
        if signals.pausing:
            daemon.pause()
        stop.set()
        try:
            await running
        except* CannotStart as group:
            hopeless = hopeless or _first(group)
    if hopeless is not None:  # not raised up there: Python 3.11.2 would put it into a group again
        raise hopeless
    surroundings.supervisor.status("stopped")


async def _follow(daemon: Daemon, reloads: ConfigurationReloader, until: set[asyncio.Task[Any]]) -> None:
    """Has the daemon follow the configuration, until one of these tasks is done.

    Raises:
        CannotStart: neither a changed configuration works nor the one before.
    """
    while True:
        reload = asyncio.create_task(reloads.next(daemon))
        refused = asyncio.create_task(daemon.refused())
        try:
            await asyncio.wait({*until, reload, refused}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (reload, refused):
                task.cancel()
            await asyncio.wait({reload, refused})
        if any(task.done() for task in until):
            return
        if not refused.cancelled():
            await _go_back(daemon, refused.result())
        elif (prepared := reload.result()) is not None:
            await _change(daemon, prepared)


async def _change(daemon: Daemon, prepared: Prepared) -> None:
    try:
        await daemon.change(prepared)
    except CannotStart as error:
        report_refusal(daemon, prepared.configuration.located(error.problems))


async def _go_back(daemon: Daemon, refusal: CannotStart) -> None:
    """Only the change has shown that the new configuration does not work."""
    failed = daemon.prepared.configuration
    try:
        await daemon.go_back()
    except CannotStart as error:
        raise CannotStart(*refusal.problems, *error.problems) from error
    report_refusal(daemon, failed.located(refusal.problems))


class _Signals:
    """The requests that the process has received as signals."""

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
        if early_signals.take_reload():  # the configuration may have been read before
            self.reload.set()
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
    """Returns one of the errors, because several components may report the same one."""
    error: BaseExceptionGroup[CannotStart] | CannotStart = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
