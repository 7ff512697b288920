"""The commands: which there are, and what of them is read when."""

from __future__ import annotations

import typer.main
from typer.core import TyperGroup
from typer.testing import CliRunner

from placed.cli.commands import app


def test_a_mistyped_command_is_answered_with_the_nearest_one() -> None:
    result = CliRunner().invoke(app, ["rnu"])
    assert result.exit_code == 2
    assert "Did you mean 'run'?" in result.output


def test_the_help_has_every_command_in_its_order() -> None:
    output = CliRunner().invoke(app, ["--help"]).output
    names = [
        "run",
        "demo",
        "check",
        "setup",
        "consent",
        "doctor",
        "rooms",
        "watch",
        "act",
        "sensors",
        "disconnect",
    ]
    found = [line.split()[1] for line in output.splitlines() if len(line.split()) > 2]
    assert [name for name in found if name in names] == names


def test_a_command_does_not_read_the_options_of_the_others() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    result = CliRunner().invoke(app, ["check", "--help"])
    assert result.exit_code == 0
    group.get_command(typer.Context(group), "check")
    assert list(group.commands) == ["check"]
