"""`placed setup`: writes the folder for the service's administrator."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from placed.cli.options import ConfigOption, cannot_start
from placed.domain.exit_errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from placed.driver import ConnectionSettings, Kit, Question, Setup

_NAME = "name"  # the key of a connection's name


def setup(  # noqa: PLR0913 - its options
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="The connection; it can be a new one. [dim]Default: the only one[/dim]",
        ),
    ] = None,
    config: ConfigOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="DIR", help="The folder. [dim]Default: ./placed-setup-NAME[/dim]"
        ),
    ] = None,
    answers: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="An answer, by its key in a \\[\\[connections]] table; lists are separated by "
            "commas. It overrides the configuration. Can be repeated.",
        ),
    ] = None,
    driver: Annotated[
        str | None,
        typer.Option(
            help="The driver of a new connection. [dim]Default: the one that the keys of --set are of, "
            "or prompted for[/dim]"
        ),
    ] = None,
    *,
    renew: Annotated[
        bool,
        typer.Option(
            "--renew",
            help="Create another key and certificate; those in the folder stay valid.",
        ),
    ] = False,
    actions: Annotated[
        bool,
        typer.Option(
            "--actions",
            help="Write the folder for the second registration, with which panels book and end meetings.",
        ),
    ] = False,
) -> None:
    """Write a folder for the service's administrator: registration, fence, certificate.

    Values that are neither in the configuration nor given with --set are prompted for at a terminal.

    The command needs no configuration and no network. A second run changes nothing, and never a key.
    """
    connection = _connection(config, name)
    chosen = _name(name, connection)
    driver_setup = _setup(driver or (connection.driver if connection else None), answers or ())
    answers_of, write = (
        _setup_of_actions(driver_setup) if actions else (driver_setup.answers_of, driver_setup.write_kit)
    )
    known = dict(answers_of(connection)) if connection else {}
    known |= _given(answers or (), driver_setup.questions())
    prompted = _asked(known, driver_setup.questions())
    folder = output or Path(f"placed-setup-{chosen}{'-actions' if actions else ''}")

    def written(answered: Mapping[str, str]) -> Kit:
        from placed.domain.clock import SystemClock

        return write(chosen, answered, folder, now=SystemClock().now(), renew=renew)

    _show(_written(written, known, prompted, driver_setup.questions()))


def _setup_of_actions(
    driver_setup: Setup,
) -> tuple[Callable[[ConnectionSettings], Mapping[str, str]], Callable[..., Kit]]:
    """How to write the folder for the registration of actions."""
    from placed.driver import ActionsSetup

    if not isinstance(driver_setup, ActionsSetup):
        _usage("--actions: this driver cannot set up actions; it only reads calendars")
    return driver_setup.actions_answers_of, driver_setup.write_actions_kit


def _written(
    write: Callable[[Mapping[str, str]], Kit],
    known: Mapping[str, str],
    prompted: dict[str, str],
    questions: Sequence[Question],
) -> Kit:
    """Writes the kit. Invalid answers from the terminal are prompted for again."""
    from placed.driver import KitError

    while True:
        try:
            return write({**known, **prompted})
        except KitError as error:
            problems = error.problems
        for problem in problems:
            typer.echo(f"placed: {problem.line}", err=True)
        keys = {problem.key for problem in problems}
        if not keys <= prompted.keys():
            raise typer.Exit(ExitCode.USAGE if any(keys) else ExitCode.FAILED)
        prompted |= {question.key: _prompted(question) for question in questions if question.key in keys}


# --- which connection ---------------------------------------------------------------------------------------


def _connection(config: Path | None, name: str | None) -> ConnectionSettings | None:
    """The connection in the configuration; None if it is new, or if there is no configuration.

    An invalid configuration is ignored, unless it was named: it may be incomplete still.
    """
    import os

    from placed.settings.loader import DEFAULT_FILE, FILE_VARIABLE, ConfigurationError, load

    try:
        connections = load(config).settings.connections
    except ConfigurationError as error:
        if config is not None:
            raise cannot_start(error.problems) from None
        if FILE_VARIABLE in os.environ or DEFAULT_FILE.exists():
            typer.echo(f"placed: continues without the configuration: {error.problems[0].line}", err=True)
        return None
    if name is None and len(connections) > 1:
        names = ", ".join(connection.name for connection in connections)
        _usage(f"there are several connections; name one of: {names}, or a new one")
    return next((one for one in connections if name in (None, one.name)), None)


def _name(name: str | None, connection: ConnectionSettings | None) -> str:
    from pydantic import TypeAdapter, ValidationError

    from placed.driver import ConnectionSettings

    if connection is not None:
        return connection.name
    if name is None:
        if not sys.stdin.isatty():
            _usage("NAME: missing; expected a name for the connection, for example: placed setup contoso")
        name = str(typer.prompt("A name for the connection, such as contoso")).strip()
    rule = ConnectionSettings.model_fields[_NAME]
    try:
        TypeAdapter(Annotated[str, *rule.metadata]).validate_python(name)
    except ValidationError:
        _usage(f"NAME: found {name[:60]!r}, expected a-z, 0-9, - and _, such as contoso")
    return name


def _setup(driver: str | None, pairs: Iterable[str]) -> Setup:
    """The setup of the named driver, or of the only one that asks for the keys given with --set."""
    from placed.driver import OffersSetup, find_drivers

    offers = {name: kind.setup() for name, kind in find_drivers().items() if isinstance(kind, OffersSetup)}
    if driver is None:
        driver = _driver_for({pair.partition("=")[0].strip() for pair in pairs}, offers)
    if driver not in offers:
        _usage(f"--driver: there is no driver {driver} that can be set up")
    return offers[driver]


def _driver_for(keys: set[str], offers: Mapping[str, Setup]) -> str:
    """The only driver that asks for all of the keys, those left out that none knows; else prompted for."""
    asked = {name: {question.key for question in setup.questions()} for name, setup in offers.items()}
    known = keys & set().union(*asked.values())
    fitting = sorted(name for name in asked if known <= asked[name])
    if len(fitting) == 1:
        return fitting[0]
    choices = ", ".join(fitting or sorted(offers)) or "none is installed"
    if not offers or not sys.stdin.isatty():
        _usage(f"--driver: missing; give one of: {choices}")
    return str(typer.prompt(f"The calendar service, by its driver: {choices}")).strip().lower()


# --- the answers --------------------------------------------------------------------------------------------


def _given(pairs: Iterable[str], questions: Sequence[Question]) -> dict[str, str]:
    """The answers given with --set."""
    import difflib

    keys = [question.key for question in questions]
    given: dict[str, str] = {}
    problems = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        key = key.strip()
        if not equals:
            problems.append(f"--set {pair[:60]}: expected KEY=VALUE")
        elif key not in keys:
            close = difflib.get_close_matches(key, keys, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(keys)}"
            problems.append(f"--set {key[:60]}: unknown key; {hint}")
        else:
            given[key] = value.strip()
    if problems:
        _usage(*problems)
    return given


def _asked(known: Mapping[str, str], questions: Sequence[Question]) -> dict[str, str]:
    """Prompts for missing answers; without a terminal, missing answers end the command."""
    at_terminal = sys.stdin.isatty()
    prompted: dict[str, str] = {}
    missing = []
    for question in questions:
        answered = {key for key, answer in {**known, **prompted}.items() if answer}
        if question.key in known or not answered.isdisjoint(question.instead):
            continue
        if at_terminal:
            prompted[question.key] = _prompted(question)
        elif question.default is None:
            missing.append(question)
    if missing:
        _usage(*(_how_to_give(question) for question in missing))
    return prompted


def _prompted(question: Question) -> str:
    default = question.default
    answer: str = typer.prompt(question.text, default=default, show_default=bool(default))
    return answer.strip()


def _how_to_give(question: Question) -> str:
    value = "A,B" if question.several else "VALUE"
    ways = [f"--set {question.key}={value}", *(f"--set {key}=VALUE" for key in question.instead)]
    return f"{question.key}: missing; give it with {', or '.join(ways)}. {question.text}"


def _usage(*problems: str) -> NoReturn:
    for problem in problems:
        typer.echo(f"placed: {problem}", err=True)
    raise typer.Exit(ExitCode.USAGE)


# --- what was written ---------------------------------------------------------------------------------------


def _show(kit: Kit) -> None:
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    if console.is_terminal:
        from rich.table import Table
        from rich.text import Text

        table = Table(title=Text(str(kit.folder)), title_justify="left", box=None, show_header=False)
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for file in kit.files:
            table.add_row(file.path.name, Text(file.purpose))
        Console().print(table)
    else:
        typer.echo(f"{kit.folder}:")
        width = max(len(file.path.name) for file in kit.files)
        for file in kit.files:
            typer.echo(f"  {file.path.name:<{width}}  {file.purpose}")
    typer.echo("\nNext:")
    for number, step in enumerate(kit.next_steps, start=1):
        typer.echo(f"  {number}. {step}")
