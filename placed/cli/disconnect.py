"""`placed disconnect`: clears a connection from broker and state, and prints how to revoke the grant."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from placed.cli.connection_option import StateOption, loaded, state_directory_of_daemon, surroundings_of
from placed.cli.options import ConfigOption, cannot_start
from placed.domain.exit_errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from placed.disconnect.disconnection import Cleared, Disconnection, Holding
    from placed.settings.loader import Configuration

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_RELOAD = "reload the daemon (systemctl reload placed)"


def disconnect(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The connection; it need not be in the configuration any more."),
    ],
    config: ConfigOption = None,
    state_directory: StateOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also while a daemon uses the connection and may publish it again."),
    ] = False,
) -> None:
    """Remove a connection: clear its rooms' topics on the broker, and its stored data.

    Other connections and their topics are not changed.

    If a running daemon uses the connection, the command prints how to end that first.

    It also prints how to revoke the permissions at the calendar service.
    """
    import asyncio

    from placed.disconnect.disconnection import Disconnection, NotDisconnected
    from placed.domain.exit_errors import CannotStart

    if not _NAME.fullmatch(name):
        raise typer.BadParameter("a connection's name has a-z, 0-9, - and _ only", param_hint="NAME")
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("this is not a terminal; confirm with --yes", param_hint="--yes")
    configuration = loaded(config)
    directory = state_directory_of_daemon(state_directory)
    disconnection = Disconnection(configuration, directory, name)
    try:
        held = asyncio.run(disconnection.find())
        if not held.anything:
            raise _end_with(_not_found(name, held, configuration, directory), ExitCode.USAGE)
        if held.running and not force:
            if held.configured is not None:  # without its settings the grants are not known
                _print_revocation(disconnection, configuration)
            raise _end_with(_still_running(name, held), ExitCode.FAILED)
        _show(name, held, directory)
        if not yes and not typer.confirm("Clear it?"):
            typer.echo("nothing was cleared")
            raise typer.Exit(ExitCode.FAILED)
        cleared = asyncio.run(disconnection.clear())
    except NotDisconnected as error:
        (problem,) = configuration.located([error.problem])
        raise _end_with(problem.line, ExitCode.FAILED) from None
    except CannotStart as error:
        raise cannot_start(configuration.located(error.problems)) from None
    _print_cleared(name, held, cleared)
    typer.echo("")
    _print_revocation(disconnection, configuration)


def _not_found(name: str, held: Holding, configuration: Configuration, directory: Path) -> str:
    places = [", ".join(str(path) for path in configuration.files.read) or "the environment"]
    places += [f"the state in {directory}", *([f"the broker {held.broker}"] if held.broker else [])]
    return f"there is no connection {name}: {', '.join(places[:-1])} and {places[-1]} contain none"


def _still_running(name: str, held: Holding) -> str:
    if held.configured is None:
        first = _RELOAD
    elif held.alone:
        first = "stop the daemon (systemctl stop placed), since there is no other connection"
    else:
        first = f"remove its table ({held.configured}), and {_RELOAD}"
    return f"a daemon uses {name} and would publish it again: {first}; then run this again, or use --force"


def _show(name: str, held: Holding, directory: Path) -> None:
    typer.echo(f"connection {name}")
    typer.echo(f"  configuration: {held.configured or 'does not contain it any more'}")
    if held.broker is None:
        typer.echo("  broker: not configured")
    else:
        typer.echo(f"  broker {held.broker}: topics of {_rooms(held.rooms)}")
    typer.echo(f"  state in {directory}: {_stored(held.remembered, consent=held.consent)}")


def _print_cleared(name: str, held: Holding, cleared: Cleared) -> None:
    if held.broker is not None:
        typer.echo(f"cleared on the broker: topics of {_rooms(cleared.rooms)}")
    typer.echo(f"cleared in the state: {_stored(cleared.remembered, consent=cleared.consent)}")
    if held.configured is None:
        return
    typer.echo("")
    if held.alone:
        typer.echo(
            f"It is the only connection in the configuration ({held.configured}), and returns at the next"
        )
        typer.echo("start of the daemon: keep it stopped (systemctl disable --now placed).")
    else:
        typer.echo(f"It is still in the configuration: {held.configured}.")
        typer.echo(f"Remove that table and {_RELOAD}, or {name} returns.")


def _print_revocation(disconnection: Disconnection, configuration: Configuration) -> None:
    typer.echo("The administrator's grant is still in effect. To revoke it:")
    for number, step in enumerate(disconnection.revocation(surroundings_of(configuration.settings)), start=1):
        typer.echo(f"  {number}. {step}")


def _rooms(number: int) -> str:
    return f"{number or 'no'} room{'' if number == 1 else 's'}"


def _stored(remembered: int, *, consent: bool) -> str:
    ids = f"the id{'' if remembered == 1 else 's'} of {_rooms(remembered)}" if remembered else ""
    return " and ".join(part for part in (ids, "its consent record" if consent else "") if part) or "nothing"


def _end_with(line: str, code: ExitCode) -> typer.Exit:
    """Prints the line and returns the exception to raise."""
    typer.echo(f"placed: {line}", err=True)
    return typer.Exit(code)
