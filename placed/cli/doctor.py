"""`placed doctor`: checks every link, with one remedy for each failure."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from placed.cli.connection_option import StateOption  # noqa: TC001 - typer reads the annotations
from placed.cli.options import ConfigOption  # noqa: TC001 - the same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta
    from pathlib import Path

    from rich.progress import TaskID

    from placed.doctor import Chart
    from placed.settings.loader import Configuration


def doctor(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The connection to check. [dim]Default: everything[/dim]"),
    ] = None,
    config: ConfigOption = None,
    state_directory: StateOption = None,
    *,
    wait: Annotated[
        str,
        typer.Option(
            "--wait", metavar="TIME", help="How long to wait for a message of each presence sensor."
        ),
    ] = "60s",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check every link: files, network, sign-in, consent, every room, the fence, the broker, sensors.

    Each failure comes with the one next step. The command changes nothing, and does not disturb a running
    daemon.

    Exit codes: 0 no failure, 1 some check failed, 2 usage.
    """
    import asyncio
    import logging

    from placed.cli.connection_option import state_directory_of_daemon
    from placed.doctor import Chart, refused_settings
    from placed.domain.exit_errors import ExitCode
    from placed.runtime.log_format_option import LogFormat
    from placed.runtime.logging import set_up
    from placed.settings.loader import ConfigurationError, load

    sensor_wait = _wait(wait)
    set_up(LogFormat.TEXT)
    logging.disable(logging.CRITICAL)  # the findings report each problem once
    try:
        configuration = load(config)
    except ConfigurationError as error:
        chart = Chart.of(refused_settings(error.problems))
    else:
        names = [connection.name for connection in configuration.settings.connections]
        if name is not None and name not in names:
            problem = f"there is no connection {name}; name one of: {', '.join(names)}"
            raise typer.BadParameter(problem, param_hint="NAME")
        folder = state_directory_of_daemon(state_directory)
        chart = asyncio.run(_examine(configuration, folder, name, sensor_wait))
    _print(chart, as_json=as_json)
    raise typer.Exit(ExitCode.DONE if chart.holds else ExitCode.FAILED)


def _wait(text: str) -> timedelta:
    from datetime import timedelta

    from pydantic import TypeAdapter, ValidationError

    from placed.driver.setting_values import Duration

    try:
        return TypeAdapter[timedelta](Duration).validate_python(text)
    except (ValidationError, OverflowError):
        problem = f"{text!r} is not a duration such as 60s or 10m"
        raise typer.BadParameter(problem, param_hint="--wait") from None


async def _examine(
    configuration: Configuration, state_directory: Path, only: str | None, sensor_wait: timedelta
) -> Chart:
    from placed.cli.connection_option import surroundings_of
    from placed.doctor import Chart, examine

    names = [connection.name for connection in configuration.settings.connections]
    surroundings = surroundings_of(configuration.settings)
    with _bars() as (progress, sensor_progress):
        findings = examine(
            configuration,
            surroundings,
            state_directory,
            only=only,
            progress=progress,
            sensor_wait=sensor_wait,
            sensor_progress=sensor_progress,
        )
        items = [item async for item in findings]
    return Chart.of(items, names)


@contextmanager
def _bars() -> Iterator[tuple[Callable[[str, int, int], None], Callable[[int, int], None]]]:
    """At a terminal, shows progress: a bar per connection while its rooms are read, one for the sensors."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _name, _done, _total: None, lambda _done, _total: None
        return
    columns = (
        SpinnerColumn(),
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        links = shown.add_task("checking every link", total=None)
        bars: dict[str, TaskID] = {}

        def show(title: str, done: int, total: int) -> None:
            shown.update(links, visible=False)
            if title not in bars:
                bars[title] = shown.add_task(title, total=total)
            shown.update(bars[title], completed=done, total=total)

        def rooms(name: str, done: int, total: int) -> None:
            show(f"{name}: reading the rooms", done, total)

        def sensors(done: int, total: int) -> None:
            show("waiting for a message of each sensor", done, total)

        yield rooms, sensors


def _print(chart: Chart, *, as_json: bool) -> None:
    import sys

    import msgspec

    from placed.cli.findings_table import lines, table

    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(chart.document())))
    elif sys.stdout.isatty():
        from rich.console import Console

        Console().print(table(chart))
    else:
        typer.echo("\n".join(lines(chart)))
