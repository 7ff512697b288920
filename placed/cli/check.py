"""`placed check`: the configuration, and nothing but the configuration."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING

import typer

from placed.cli.options import ConfigOption, cannot_start

if TYPE_CHECKING:
    from placed.configuration import Configuration


def check(config: ConfigOption = None) -> None:
    """Check the configuration: every key, and every file that it names. No network is touched.

    Tells all mistakes at once, a line each: file, key, what was found, what is expected.
    """
    from placed.configuration import ConfigurationError, load
    from placed.errors import CannotStart

    try:
        configuration = load(config)
        try:
            asyncio.run(_open_all(configuration))
        except CannotStart as error:
            raise ConfigurationError(configuration.located(error.problems)) from None
    except ConfigurationError as error:
        raise cannot_start(error.problems) from None
    settings = configuration.settings
    where = ", ".join(str(path) for path in configuration.files.read) or "the environment"
    broker = settings.mqtt.url if settings.mqtt else "none, nothing is published over MQTT"
    typer.echo(f"{where}: good")
    for connection in settings.connections:
        typer.echo(f"  connection {connection.name}: {connection.driver}")
    typer.echo(f"  broker: {broker}")
    typer.echo(f"  status endpoint: {settings.http.listen or 'off'}")


async def _open_all(configuration: Configuration) -> None:
    """Makes the daemon, which reads every file that the settings name, and does not run it."""
    from placed.clock import SystemClock
    from placed.daemon import Around, Daemon
    from placed.journal import Journal
    from placed.supervisor import Supervisor

    around = Around(
        clock=SystemClock(),
        supervisor=Supervisor(None),
        journal=Journal(None),  # nothing is kept, nor looked at
        version=version("placed"),
    )
    Daemon(configuration, around)
