"""`placed disconnect`: takes away what placed holds of a connection, and tells how to revoke the grant."""

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
        str, typer.Argument(metavar="NAME", help="The connection; it need not be configured any more.")
    ],
    config: ConfigOption = None,
    state_directory: StateOption = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also while a daemon reads it, which may publish it all again.")
    ] = False,
) -> None:
    """Disconnect a connection: clear its rooms' topics at the broker, and what is stored of it.

    Other connections, and what they publish, are not touched.

    A daemon that reads it has to let go first, and the command tells how.

    Tells as well how to take back what was granted at the calendar service.
    """
    import asyncio

    from placed.disconnect.disconnection import Disconnection, NotDisconnected
    from placed.domain.exit_errors import CannotStart

    if not _NAME.fullmatch(name):
        raise typer.BadParameter("a connection's name has a-z, 0-9, - and _ only", param_hint="NAME")
    if not yes and not sys.stdin.isatty():
        raise typer.BadParameter("there is nobody to ask here; say --yes", param_hint="--yes")
    configuration = loaded(config)
    directory = state_directory_of_daemon(state_directory)
    disconnection = Disconnection(configuration, directory, name)
    try:
        held = asyncio.run(disconnection.find())
        if not held.anything:
            raise _ended(_nobody_knows(name, held, configuration, directory), ExitCode.USAGE)
        if held.running and not force:
            if held.configured is not None:  # once it is not, nobody can tell what was granted
                _tell_how_to_revoke(disconnection, configuration)
            raise _ended(_still_running(name, held), ExitCode.FAILED)
        _show(name, held, directory)
        if not yes and not typer.confirm("Clear it?"):
            typer.echo("nothing was cleared")
            raise typer.Exit(ExitCode.FAILED)
        cleared = asyncio.run(disconnection.clear())
    except NotDisconnected as error:
        (problem,) = configuration.located([error.problem])
        raise _ended(problem.line, ExitCode.FAILED) from None
    except CannotStart as error:
        raise cannot_start(configuration.located(error.problems)) from None
    _tell(name, held, cleared)
    typer.echo("")
    _tell_how_to_revoke(disconnection, configuration)


def _nobody_knows(name: str, held: Holding, configuration: Configuration, directory: Path) -> str:
    places = [", ".join(str(path) for path in configuration.files.read) or "the environment"]
    places += [f"the state in {directory}", *([f"the broker {held.broker}"] if held.broker else [])]
    return f"there is no connection {name}: {', '.join(places[:-1])} and {places[-1]} know none"


def _still_running(name: str, held: Holding) -> str:
    if held.configured is None:
        first = _RELOAD
    elif held.alone:
        first = "stop the daemon (systemctl stop placed), since there is no other connection"
    else:
        first = f"take its table out ({held.configured}), and {_RELOAD}"
    return f"a daemon reads {name} and would publish it again: {first}; then call this again, or with --force"


def _show(name: str, held: Holding, directory: Path) -> None:
    typer.echo(f"connection {name}")
    typer.echo(f"  configuration: {held.configured or 'not there any more'}")
    if held.broker is None:
        typer.echo("  broker: none is configured")
    else:
        typer.echo(f"  broker {held.broker}: topics of {_rooms(held.rooms)}")
    typer.echo(f"  state in {directory}: {_stored(held.remembered, consent=held.consent)}")


def _tell(name: str, held: Holding, cleared: Cleared) -> None:
    if held.broker is not None:
        typer.echo(f"cleared at the broker: topics of {_rooms(cleared.rooms)}")
    typer.echo(f"cleared in the state: {_stored(cleared.remembered, consent=cleared.consent)}")
    if held.configured is None:
        return
    typer.echo("")
    if held.alone:
        typer.echo(
            f"It is the only connection in the configuration ({held.configured}), and comes back with a"
        )
        typer.echo("start of the daemon: leave that stopped (systemctl disable --now placed).")
    else:
        typer.echo(f"It is still in the configuration: {held.configured}.")
        typer.echo(f"Take that table out and {_RELOAD}, or {name} comes back.")


def _tell_how_to_revoke(disconnection: Disconnection, configuration: Configuration) -> None:
    typer.echo("What its administrator granted is still granted. To take it back:")
    for number, step in enumerate(disconnection.revocation(surroundings_of(configuration.settings)), start=1):
        typer.echo(f"  {number}. {step}")


def _rooms(number: int) -> str:
    return f"{number or 'no'} room{'' if number == 1 else 's'}"


def _stored(remembered: int, *, consent: bool) -> str:
    ids = f"the id{'' if remembered == 1 else 's'} of {_rooms(remembered)}" if remembered else ""
    return " and ".join(part for part in (ids, "its consent record" if consent else "") if part) or "nothing"


def _ended(line: str, code: ExitCode) -> typer.Exit:
    """Prints the line; to be raised."""
    typer.echo(f"placed: {line}", err=True)
    return typer.Exit(code)
