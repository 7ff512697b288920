"""Options and helpers of the commands about one connection: its name and its state directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from placed.cli.options import cannot_start

if TYPE_CHECKING:
    from placed.driver import ConnectionSettings, Surroundings
    from placed.settings.loader import Configuration
    from placed.settings.schema import Settings

SERVICE_STATE = Path("/var/lib/placed")  # StateDirectory=placed in the systemd unit

NameArgument = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="The connection. [dim]Default: the only one[/dim]"),
]
StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state-directory",
        metavar="DIR",
        help="Where the daemon keeps its state. [dim]Default: $STATE_DIRECTORY, else the service's "
        "/var/lib/placed if it can be written, else the user's[/dim]",
    ),
]


def loaded(config: Path | None) -> Configuration:
    """The configuration; if it is invalid, ends the command with one line per error."""
    from placed.settings.loader import ConfigurationError, load

    try:
        return load(config)
    except ConfigurationError as error:
        raise cannot_start(error.problems) from None


def chosen(settings: Settings, name: str | None) -> ConnectionSettings:
    """The connection of that name, or the only one; ends the command if there is none."""
    names = [connection.name for connection in settings.connections]
    for connection in settings.connections:
        if connection.name == name or (name is None and len(names) == 1):
            return connection
    problem = "there are several connections" if name is None else f"there is no connection {name}"
    raise typer.BadParameter(f"{problem}; name one of: {', '.join(names)}", param_hint="NAME")


def state_directory_of_daemon(given: Path | None) -> Path:
    """The state directory of the daemon, for a command that runs beside it."""
    from placed.domain.exit_errors import CannotStart
    from placed.store import state_directory

    if given is not None:
        return given
    if "STATE_DIRECTORY" not in os.environ and os.access(SERVICE_STATE, os.R_OK | os.W_OK | os.X_OK):
        return SERVICE_STATE
    try:
        return state_directory()
    except CannotStart as error:
        raise cannot_start(error.problems) from None


def surroundings_of(settings: Settings) -> Surroundings:
    """The surroundings that a command passes to a driver."""
    from importlib.metadata import version

    from placed.domain.clock import SystemClock
    from placed.domain.privacy import Show
    from placed.driver import Surroundings

    return Surroundings(
        now=SystemClock().now,
        concurrency=settings.polling.concurrency,
        details=settings.privacy.show is not Show.NOTHING,
        version=version("placed"),
    )
