"""The typer application with all commands."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer

from placed.cli.act import act
from placed.cli.check import check
from placed.cli.consent import consent
from placed.cli.demo import demo
from placed.cli.disconnect import disconnect
from placed.cli.doctor import doctor
from placed.cli.options import printable
from placed.cli.rooms import rooms
from placed.cli.run import run
from placed.cli.sensors import sensors
from placed.cli.setup import setup
from placed.cli.watch import watch
from placed.domain.exit_errors import ExitCode

app = typer.Typer(
    name="placed",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Room calendars in, truthful room occupancy out: reads the calendars of room mailboxes "
        "and publishes over MQTT and HTTP whether each room is free or busy, until when, and when that "
        "statement expires."
    ),
    epilog=(
        "Start with [bold]placed demo[/bold]: it needs no configuration. "
        "Exit codes: 0 done, 1 failed while running, 2 usage, 3 cannot start: "
        "a person must fix the configuration or a file."
    ),
)
app.command()(run)
app.command()(demo)
app.command()(check)
app.command()(setup)
app.command()(consent)
app.command()(doctor)
app.command()(rooms)
app.command()(watch)
app.command()(act)
app.command()(sensors)
app.command()(disconnect)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"placed {version('placed')}")
        raise typer.Exit


@app.callback()
def _placed(
    *,
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    del show_version


def end_with(error: OSError) -> NoReturn:
    """Ends with one line about a file, a folder or an output that cannot be used."""
    name = "the output"
    if error.filename is not None:
        name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
    typer.echo(printable(f"placed: {name}: {error.strerror}"), err=True)
    sys.exit(ExitCode.FAILED)
