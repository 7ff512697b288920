"""Options that several commands have, and how they end with a problem."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from placed.domain.exit_errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed.domain.problems import Problem

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration; a folder placed.d beside it adds to it. "
        "[dim]Default: $PLACED_CONFIG, else /etc/placed/placed.toml[/dim]",
    ),
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Log every change of every room.")]


def printable(text: str) -> str:
    """With bytes of a file's name that are no UTF-8 written out, which no stream would take."""
    return text.encode("utf-8", "backslashreplace").decode()


def cannot_start(problems: Iterable[Problem]) -> typer.Exit:
    """Prints a line a problem; to be raised."""
    for problem in problems:
        typer.echo(printable(f"placed: {problem.line}"), err=True)
    return typer.Exit(ExitCode.CANNOT_START)
