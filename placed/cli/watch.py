"""`placed watch`: follows the broker as a panel does, and shows what a panel would show."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from placed.cli.options import ConfigOption, cannot_start
from placed.domain.exit_errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from placed.cli.room_table import View
    from placed.cli.watch_output import WatchPrinter
    from placed.panel.panel_client import Watching
    from placed.settings.output_settings import Mqtt

_MARGIN = 0.25  # seconds after the expiry of a state; by then a next one has arrived, if there is any
_ROOM = re.compile(r"[a-z0-9_-]+")


def watch(  # noqa: PLR0913 - its options
    rooms: Annotated[
        list[str] | None, typer.Argument(metavar="[ROOM]...", help="Ids of rooms. [dim]Default: all[/dim]")
    ] = None,
    *,
    config: ConfigOption = None,
    broker: Annotated[
        str | None,
        typer.Option(metavar="URL", help="mqtt://host:1883; by default the configuration's broker."),
    ] = None,
    base_topic: Annotated[str | None, typer.Option(metavar="TOPIC", help="The prefix of all topics.")] = None,
    protocol: Annotated[str | None, typer.Option(metavar="VERSION", help="5 or 3.1.1.")] = None,
    username: Annotated[str | None, typer.Option(metavar="NAME", help="Login.")] = None,
    password_file: Annotated[str | None, typer.Option(metavar="FILE", help="File with the password.")] = None,
    ca_file: Annotated[str | None, typer.Option(metavar="FILE", help="Private CA of the broker.")] = None,
    lines: Annotated[
        bool, typer.Option("--lines", help="Print a line for each change instead of a table.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="Print what a panel would show now, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each change.")] = False,
) -> None:
    """Follow the broker as a panel does, and show what a truthful panel shows; Ctrl-C ends it.

    It uses only the broker's messages and this machine's clock. If the state of a room is not certain, the
    room is unknown, with the reason. If the output is not a terminal, it prints lines.
    """
    from rich.console import Console

    from placed.cli.live_terminal import is_live, until_interrupted
    from placed.domain.exit_errors import CannotStart
    from placed.panel.panel_client import NotWatching

    for room in rooms or []:
        if not _ROOM.fullmatch(room):
            raise typer.BadParameter(f"{room!r} is not a room id: a-z, 0-9, - and _", param_hint="ROOM")
    given = {
        "url": broker,
        "base_topic": base_topic,
        "protocol": protocol,
        "username": username,
        "password_file": password_file,
        "ca_file": ca_file,
    }
    settings = _settings(config, {key: value for key, value in given.items() if value is not None})
    console = Console()
    live = is_live(console) and not (lines or once or as_json)
    try:
        until_interrupted(_watch(settings, rooms or [], console, live=live, once=once, as_json=as_json))
    except NotWatching as error:
        typer.echo(f"placed: {error.problem.line}", err=True)
        raise typer.Exit(ExitCode.CANNOT_START if error.problem.lasting else ExitCode.FAILED) from None
    except CannotStart as error:
        raise cannot_start(error.problems) from None


def _settings(config: Path | None, given: dict[str, Any]) -> Mqtt:
    """The broker from the options, else from the configuration; options override it."""
    from pydantic import ValidationError

    from placed.cli.connection_option import loaded
    from placed.domain.problem import Problem
    from placed.settings.error_messages import called
    from placed.settings.output_settings import Mqtt

    if "url" in given:
        known: dict[str, Any] = {}
    else:
        settings = loaded(config).settings.mqtt
        if settings is None:
            problem = Problem("mqtt", "the configuration names no broker", "name one with --broker")
            raise cannot_start([problem])
        known = settings.model_dump(exclude_unset=True)
    try:
        return Mqtt(**(known | given))
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        option = "--broker" if key == "url" else f"--{key.replace('_', '-')}"
        problem = called({**first, "loc": ("mqtt", *first["loc"])}, {}, lambda _: ("", ""))
        raise typer.BadParameter(problem.line, param_hint=option) from None


async def _watch(  # noqa: PLR0913 - the options
    settings: Mqtt, rooms: list[str], console: Console, *, live: bool, once: bool, as_json: bool
) -> None:
    from placed.cli.live_terminal import first_of
    from placed.cli.watch_output import WatchPrinter
    from placed.domain.clock import SystemClock
    from placed.panel.panel_client import Watching
    from placed.panel.state_validity import Panel

    changed = asyncio.Event()
    panel = Panel(settings.base_topic, rooms)
    printer = WatchPrinter(panel, as_json=as_json)

    def on_change(room: str | None) -> None:
        changed.set()
        if not live and not once and room is not None and watching.settled.is_set():
            printer.print_room(room, watching.moment())

    watching = Watching(settings, panel, SystemClock(), on_change)
    if once:
        await watching.once()
        if as_json:
            printer.print_changes(watching.moment())
        else:
            _print_table(printer, watching, console)
        if problem := printer.clock_problem():
            typer.echo(f"placed: {problem}", err=True)
    elif live:
        await first_of(watching.run(), _draw(printer, watching, console, changed))
    else:
        await first_of(watching.run(), _print_lines(printer, watching, changed))


def _print_table(printer: WatchPrinter, watching: Watching, console: Console) -> None:
    from placed.cli.room_table import cells, summary, table

    moment = watching.moment()
    lines = printer.lines(moment)
    shown = table([cells(line, moment.wall) for line in lines], console.width)
    shown.title = summary(lines, len(lines))
    console.print(shown)


async def _draw(printer: WatchPrinter, watching: Watching, console: Console, changed: asyncio.Event) -> None:
    from placed.cli.live_terminal import keep_drawn
    from placed.cli.room_table import changes_in, summary, view

    def draw(size: tuple[int, int]) -> tuple[View, float | None]:
        moment = watching.moment()
        lines = printer.lines(moment)
        head = (f"{watching.broker} · {summary(lines, len(lines))}", "bold")
        if watching.trouble is not None:
            head = (f"{watching.trouble}; trying again", "bold yellow")
        elif not watching.settled.is_set():
            head = (f"{watching.broker}: connecting", "bold")
        elif problem := printer.clock_problem():
            head = (problem, "bold yellow")
        shown = view(lines, moment.wall, head, size)
        counted = lines[: len(shown.rows)]
        changes = (printer.panel.holds(moment), changes_in(counted, moment.wall))
        return shown, min((seconds for seconds in changes if seconds is not None), default=None)

    await keep_drawn(console, draw, changed)


async def _print_lines(printer: WatchPrinter, watching: Watching, changed: asyncio.Event) -> None:
    """Prints the changes of all rooms: by connection, daemon and time."""
    troubled = warned = False
    while True:
        changed.clear()
        moment = watching.moment()
        if (watching.trouble is not None) is not troubled:
            troubled = not troubled
            text = f"{watching.trouble}; trying again" if troubled else f"{watching.broker}: connected again"
            typer.echo(f"placed: {text}", err=True)
        if watching.settled.is_set():
            printer.print_changes(moment)
        if not warned and (problem := printer.clock_problem()):
            warned = True
            typer.echo(f"placed: {problem}", err=True)
        await asyncio.sleep(_MARGIN)
        left = printer.panel.holds(watching.moment())
        try:
            async with asyncio.timeout(None if left is None else left + _MARGIN):
                await changed.wait()
        except TimeoutError:
            continue
