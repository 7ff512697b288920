"""`placed run`: the daemon."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from placed.cli.options import ConfigOption, VerboseOption, cannot_start
from placed.runtime.log_format_option import LogFormat

if TYPE_CHECKING:
    from placed.runtime.systemd import Supervisor
    from placed.settings.loader import Configuration


def run(
    config: ConfigOption = None,
    log_format: Annotated[
        LogFormat,
        typer.Option(help="text, json, or auto: JSON under systemd, text elsewhere."),
    ] = LogFormat.AUTO,
    *,
    verbose: VerboseOption = False,
) -> None:
    """Run the daemon: poll the room calendars, publish over MQTT, answer over HTTP.

    It runs in the foreground and logs to stderr. SIGTERM or Ctrl-C ends it, SIGHUP reloads the configuration,
    SIGUSR1 ends it for a restart. If a broker or a calendar service is down it waits; it ends only with
    problems that a person must fix.
    """
    import asyncio

    import structlog

    from placed.domain.exit_errors import CannotStart, ExitCode
    from placed.runtime import early_signals
    from placed.runtime import logging as logs
    from placed.runtime.systemd import Supervisor, first_of
    from placed.settings.loader import ConfigurationError, load

    early_signals.catch()
    form = logs.set_up(log_format, verbose=verbose)
    log = structlog.get_logger("placed.run")
    supervisor = Supervisor.from_environment()
    try:
        configuration = load(config)
        try:
            asyncio.run(_serve(configuration, config, supervisor))
        except CannotStart as error:
            raise ConfigurationError(configuration.located(error.problems)) from None
    except ConfigurationError as error:
        supervisor.status(f"failed: {first_of(error.problems)}")
        if form is LogFormat.TEXT:
            raise cannot_start(error.problems) from None
        for problem in error.problems:
            log.error("daemon.could_not_start", problem=problem.line)  # noqa: TRY400 - no traceback
        raise typer.Exit(ExitCode.CANNOT_START) from None
    except Exception:
        supervisor.status("crashed by a fault in placed; the log has the details, please report it")
        log.exception("daemon.crashed")
        raise typer.Exit(ExitCode.FAILED) from None


async def _serve(configuration: Configuration, config: Path | None, supervisor: Supervisor) -> None:
    from contextlib import closing
    from importlib.metadata import version

    from placed.cli.first_round_progress import first_round
    from placed.domain.clock import SystemClock
    from placed.runtime.daemon import DaemonSurroundings
    from placed.runtime.process_age import process_age
    from placed.runtime.signals import serve
    from placed.settings.loader import load
    from placed.store import Journal, state_directory
    from placed.store.state_lock import locked

    directory = state_directory()
    with locked(directory), closing(Journal(directory)) as journal, first_round() as progress:
        surroundings = DaemonSurroundings(
            clock=SystemClock(),
            supervisor=supervisor,
            journal=journal,
            version=version("placed"),
            progress=progress,
            imported_within=process_age(),
        )
        await serve(configuration, lambda: load(config), surroundings)
