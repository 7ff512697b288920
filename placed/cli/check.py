"""`placed check`: checks the configuration only."""

from __future__ import annotations

import asyncio
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from placed.cli.options import ConfigOption, cannot_start, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from placed.domain.problem import Problem
    from placed.settings.loader import Configuration


def check(config: ConfigOption = None) -> None:
    """Check the configuration: every key, and every file that it names. Uses no network.

    Reports all errors at once, one per line: file, key, the value found, the value expected.

    Files in $CREDENTIALS_DIRECTORY are those of the service. As root their sources in /etc/placed/secrets are
    checked; files that this user cannot read are listed, with the command that checks them as well.
    """
    from placed.domain.exit_errors import CannotStart
    from placed.polling.ids_in_settings import ONE_ROOM, connections_that_name
    from placed.polling.room_tables import tables_without_room
    from placed.settings.loader import ConfigurationError, load

    try:
        configuration = load(config)
        unseen = _credentials(configuration)
        try:
            asyncio.run(_open_all(configuration))
        except CannotStart as error:
            _others(configuration.located(error.problems), unseen)
        _missing(unseen)
    except ConfigurationError as error:
        raise cannot_start(error.problems) from None
    settings = configuration.settings
    where = ", ".join(str(path) for path in configuration.files.read) or "the environment"
    broker = settings.mqtt.url if settings.mqtt else "none, nothing is published over MQTT"
    typer.echo(printable(f"{where}: good{', as far as it can be checked here' if unseen else ''}"))
    for connection in settings.connections:
        typer.echo(f"  connection {connection.name}: {connection.driver}")
        rooms = connection.named_rooms
        interval = settings.polling.interval_of(connection.usual_interval)
        note = connection.reading_note(None if rooms is None else len(rooms), interval)
        if note:
            typer.echo(printable(f"    {note}"))
    for table in tables_without_room(settings.rooms, settings.connections):
        typer.echo(f'  [rooms."{table}"]: fits no room of any connection; correct the address, or remove it')
    for table, names in connections_that_name(settings.rooms, settings.connections).items():
        if settings.rooms[table].id is not None and len(names) > 1:
            several = f"fits rooms of {' and '.join(names)}; that of {names[0]} has the id"
            typer.echo(f'  [rooms."{table}"]: {several}; {ONE_ROOM}')
    typer.echo(f"  broker: {broker}")
    for line in _sensors(configuration):
        typer.echo(printable(f"  {line}"))
    typer.echo(f"  status endpoint: {settings.http.listen or 'off'}")
    if unseen:
        _show_unseen(unseen, config)


def _sensors(configuration: Configuration) -> Iterator[str]:
    """Lines about the presence sensors, and rooms of theirs that no connection has."""
    from placed.doctor.sensor_findings import judge_rooms
    from placed.polling.room_tables import ids_by_settings

    settings = configuration.settings
    for name, broker in settings.sensor_brokers.items():
        unused = all(table.broker != name for table in settings.sensors)
        yield f"broker of sensors {name}: {broker.url}{'; no table [[sensors]] names it' * unused}"
    topics = sum(table.topic is not None for table in settings.sensors)
    webhooks = sum(table.token_file is not None for table in settings.sensors)
    counts = [f"{topics} with a topic"] * bool(topics) + [f"{webhooks} with a webhook"] * bool(webhooks)
    if counts:
        yield f"tables of sensors: {', '.join(counts)}"
    ids = ids_by_settings(settings.rooms, settings.connections)
    if ids is not None:

        def locate(problem: Problem, place: int, key: str) -> Problem:
            return configuration.locate(problem, "sensors", place, key)

        for finding in judge_rooms(settings.sensors, ids, locate):
            yield finding.problem.line


# --- credentials that only the service has ------------------------------------------------------------------


def _credentials(configuration: Configuration) -> dict[str, Path]:
    """The files below $CREDENTIALS_DIRECTORY if that is not set, by the key that names them."""
    from pydantic import BaseModel

    from placed.driver.secret_file import of_the_service

    found: dict[str, Path] = {}

    def look(value: object, *location: str | int) -> None:
        if isinstance(value, Path) and of_the_service(value):
            found[configuration.where(*location)] = value
        elif isinstance(value, BaseModel):
            for name in type(value).model_fields:
                look(getattr(value, name), *location, name)
        elif isinstance(value, tuple):
            for place, one in enumerate(value):
                look(one, *location, place)
        elif isinstance(value, dict):
            for key, one in value.items():
                look(one, *location, key)

    look(configuration.settings)
    return found


def _others(problems: list[Problem], unseen: Mapping[str, Path]) -> None:
    """Raises the problems that are not about the service's files."""
    from placed.settings.loader import ConfigurationError

    about_others = [problem for problem in problems if problem.unread not in unseen.values()]
    if about_others:
        raise ConfigurationError(about_others)


def _missing(unseen: Mapping[str, Path]) -> None:
    """Raises missing files of the service, if this user can read their source folder."""
    from placed.domain.problem import Problem
    from placed.driver.secret_file import source_of
    from placed.settings.loader import ConfigurationError

    problems = []
    for where, path in unseen.items():
        source = source_of(path)
        if source is None or not os.access(source.parent, os.R_OK | os.X_OK) or os.path.lexists(source):
            continue
        problems.append(Problem(where, f"{source}: there is no such file", "create it"))
    if problems:
        raise ConfigurationError(problems)


def _show_unseen(unseen: Mapping[str, Path], config: Path | None) -> None:
    from placed.driver.secret_file import as_service

    for where, path in unseen.items():
        typer.echo(printable(f"  not checked: {where}: {path}"))
    command = "placed check" if config is None else f"placed check --config {config.absolute()}"
    again = as_service(command, unseen.values())
    typer.echo(printable(f"  only the service has these files; to check them as well: {again}"))


# --- everything else ----------------------------------------------------------------------------------------


async def _open_all(configuration: Configuration) -> None:
    """Creates the daemon, which reads every file that the settings name, without running it."""
    from placed.domain.clock import SystemClock
    from placed.runtime.daemon import Daemon, DaemonSurroundings
    from placed.runtime.systemd import Supervisor
    from placed.store import Journal

    surroundings = DaemonSurroundings(
        clock=SystemClock(),
        supervisor=Supervisor(None),
        journal=Journal(None),  # nothing is read or stored
        version=version("placed"),
    )
    Daemon(configuration, surroundings)
