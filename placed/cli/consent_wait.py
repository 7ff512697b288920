"""`placed consent --wait`: checks periodically whether the grant is in effect, and shows progress."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import typer

from placed.cli.consent_connection import connection_line, length, print_problem
from placed.consent.grant_wait import until_effective
from placed.domain.exit_errors import ExitCode
from placed.driver import Consent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from placed.cli.consent_connection import ConsentContext
    from placed.consent.grant_wait import Look
    from placed.domain.clock import Clock


async def wait_for_effect(context: ConsentContext, timeout: float | None) -> ExitCode:  # noqa: ASYNC109 - shown to the user
    """Waits for `timeout` seconds at most, by default for the driver's usual propagation time."""
    usual = context.flow.propagation
    at_most = usual.at_most if timeout is None else timeout
    typer.echo(usual.normal)
    typer.echo(f"Checking every {length(usual.every)}, giving up after {length(at_most)}; Ctrl-C ends it.")
    with _display(context.clock) as looked:
        last = await until_effective(
            context.flow.probe,
            context.clock,
            every=usual.every,
            at_most=at_most,
            looked=looked,
        )
    if last.probe.effective:
        context.saw(Consent.GRANTED)
        typer.echo(
            f"{context.name}: the grant is in effect, after {length(last.elapsed)}: {last.probe.problem.text}"
        )
        typer.echo("To check the fence as well, run: placed doctor")
        return ExitCode.DONE
    if last.probe.problem.lasting:
        print_problem(connection_line(context.name, last.probe.problem))
        return ExitCode.CANNOT_START
    problem = last.probe.problem
    text = f"not in effect after {length(last.elapsed)}: {problem.text}"
    print_problem(connection_line(context.name, replace(problem, text=text)))
    return ExitCode.FAILED


class _Looked(Protocol):
    def __call__(self, look: Look) -> None: ...


@contextmanager
def _display(clock: Clock) -> Iterator[_Looked]:
    """An animated line at a terminal; else one line per check."""
    if not sys.stdout.isatty():
        yield _line
        return
    from rich.live import Live

    shown = _Shown(clock)
    with Live(get_renderable=shown.rendered, refresh_per_second=2, transient=True):
        yield shown.looked


def _line(look: Look) -> None:
    if look.rest is not None:
        typer.echo(f"{length(look.elapsed)}: {_state(look)}; next check in {length(look.rest)}")


def _state(look: Look) -> str:
    return (
        f"in effect: {look.probe.problem.text}"
        if look.probe.effective
        else f"not yet: {look.probe.problem.text}"
    )


class _Shown:
    """The animated line, rendered for the current time."""

    def __init__(self, clock: Clock) -> None:
        from rich.spinner import Spinner

        self._clock = clock
        self._began = clock.steady()
        self._last: Look | None = None
        self._spinner = Spinner("dots")

    def looked(self, look: Look) -> None:
        self._last = look

    def rendered(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        elapsed = self._clock.steady() - self._began
        self._spinner.update(text=Text(f"waiting for {length(elapsed)}"))
        grid.add_row(self._spinner)
        if self._last is None:
            grid.add_row(Text("checking for the first time ..."))
            return grid
        look = self._last
        grid.add_row(Text(f"last check, after {length(look.elapsed)}: {_state(look)}"))
        if look.probe.problem.remedy:
            grid.add_row(Text(look.probe.problem.remedy, "dim"))
        left = (look.rest or 0.0) - (elapsed - look.elapsed)
        grid.add_row(Text(f"next check in {length(left)}" if left > 0 else "checking ..."))
        return grid
