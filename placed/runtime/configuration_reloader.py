"""Reads the configuration again when a reload is requested, and tries it before the daemon takes it up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem
from placed.runtime.reload_trial import rehearse
from placed.settings.loader import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed.runtime.daemon import Daemon, DaemonSurroundings
    from placed.runtime.prepared_configuration import Prepared
    from placed.settings.loader import Configuration

_SHORTEST_PAUSE = 1.0  # seconds from one reload to the next; doubled as long as they go on
_LONGEST_PAUSE = 4.0
_QUIET = 30.0  # seconds without a reload after which the next one is taken up at once

log = structlog.get_logger("placed.runtime.signals")


class ConfigurationReloader:
    """Takes reloads one at a time. Any number that are wanted while one runs, or is paused for, are one.

    The configuration is read after the last of them, so the last configuration counts.

    Args:
        wanted: is set when a reload is wanted.
        load: reads the configuration.
        surroundings: what the daemon is given.
    """

    def __init__(
        self, wanted: asyncio.Event, load: Callable[[], Configuration], surroundings: DaemonSurroundings
    ) -> None:
        self._wanted = wanted
        self._load = load
        self._surroundings = surroundings
        self._pause = 0.0
        self._ended = 0.0  # on the event loop's clock

    async def next(self, daemon: Daemon) -> Prepared | None:
        """Waits until a reload is wanted, and tries the configuration as it is then.

        The daemon is left alone meanwhile. None if the configuration is refused.
        """
        await self._wanted.wait()
        try:
            await daemon.serving.wait()
            await self._keep_distance()
            self._wanted.clear()
            if daemon.is_ready:
                self._surroundings.supervisor.reloading()
            return await self._try(daemon)
        except asyncio.CancelledError:
            self._wanted.set()  # it was not answered
            raise
        finally:
            self._ended = asyncio.get_running_loop().time()

    async def _keep_distance(self) -> None:
        quiet = asyncio.get_running_loop().time() - self._ended
        if not self._pause or quiet > _QUIET:
            self._pause = _SHORTEST_PAUSE
            return
        if quiet < self._pause:
            log.info("configuration.reload_waits", seconds=round(self._pause - quiet, 1))
            await asyncio.sleep(self._pause - quiet)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)

    async def _try(self, daemon: Daemon) -> Prepared | None:
        configuration = prepared = None
        try:
            configuration = self._load()
            prepared = daemon.prepare(configuration)
            await rehearse(prepared, self._surroundings, daemon)
        except (ConfigurationError, CannotStart) as error:
            problems = list(error.problems)
            if configuration is not None:
                problems = configuration.located(problems)
        except Exception:
            log.exception("configuration.could_not_be_tried")
            problems = [
                Problem("", "the trial of the configuration failed by a fault in placed", "please report it")
            ]
        else:
            log.info(
                "configuration.was_reloaded",
                changed=daemon.prepared.changes(prepared),
                stays_until_a_start=["state directory", "epoch"],
            )
            return prepared
        if prepared is not None:
            await prepared.close()
        report_refusal(daemon, problems)
        if daemon.is_ready:
            self._surroundings.supervisor.ready()
        return None


def report_refusal(daemon: Daemon, problems: Sequence[Problem]) -> None:
    """Reports that a configuration was refused, and that `daemon` goes on with its own."""
    for problem in problems:
        log.error("configuration.was_refused", problem=problem.line)
    log.warning(
        "configuration.stays",
        remedy="everything goes on with the earlier configuration; fix this one and reload again",
    )
    daemon.status.refuse_reload(problems)
