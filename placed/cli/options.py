"""Options that several commands share, and their exit with a problem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from placed.domain.exit_errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed.domain.problem import Problem

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration; files in placed.d beside it are added. "
        "[dim]Default: $PLACED_CONFIG, else /etc/placed/placed.toml[/dim]",
    ),
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Log every change of every room.")]


def printable(text: str) -> str:
    """The text with invalid UTF-8 (from file names) escaped, so that it can be printed."""
    return text.encode("utf-8", "backslashreplace").decode()


def cannot_start(problems: Iterable[Problem]) -> typer.Exit:
    """Prints one line per problem and returns the exception to raise."""
    for problem in problems:
        typer.echo(printable(f"placed: {problem.line}"), err=True)
    return typer.Exit(ExitCode.CANNOT_START)
