"""The typer application with all commands."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup

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

if TYPE_CHECKING:
    from collections.abc import Callable

_COMMANDS: dict[str, Callable[..., object]] = {
    function.__name__: function
    for function in (run, demo, check, setup, consent, doctor, rooms, watch, act, sensors, disconnect)
}


class Commands(TyperGroup):
    """Reads the options of a command when it is called or its help is shown, not those of all commands."""

    def list_commands(self, ctx: object) -> list[str]:
        """The names of all commands, in the order of the help."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: object, cmd_name: str) -> TyperCommand | None:
        """The command of this name. If there is none, all are added, of which typer suggests one."""
        del ctx
        for name in (cmd_name,) if cmd_name in _COMMANDS else _COMMANDS:
            if name not in self.commands:
                self.commands[name] = _command_of(_COMMANDS[name])
        found = self.commands.get(cmd_name)
        return found if isinstance(found, TyperCommand) else None


def _command_of(function: Callable[..., object]) -> TyperCommand:
    alone = typer.Typer(add_completion=False, rich_markup_mode="rich")
    alone.command()(function)
    command = typer.main.get_command(alone)
    assert isinstance(command, TyperCommand)  # noqa: S101 - what typer makes of a single function
    return command


app = typer.Typer(
    name="placed",
    cls=Commands,
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
