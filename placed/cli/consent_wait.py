"""`placed consent --wait`: looks now and then whether the grant is in effect, and shows how far it is."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import typer

from placed.cli.consent_connection import complain, connection_line, length
from placed.consent.grant_wait import until_effective
from placed.domain.exit_errors import ExitCode
from placed.driver import Consent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from placed.cli.consent_connection import Matter
    from placed.consent.grant_wait import Look
    from placed.domain.clock import Clock


async def wait_for_effect(matter: Matter, timeout: float | None) -> ExitCode:  # noqa: ASYNC109 - told to the user
    """Waits for `timeout` seconds at most, or as long as the service says is normal."""
    usual = matter.flow.propagation
    at_most = usual.at_most if timeout is None else timeout
    typer.echo(usual.normal)
    typer.echo(f"Checking every {length(usual.every)}, giving up after {length(at_most)}; Ctrl-C ends it.")
    with _display(matter.clock) as looked:
        last = await until_effective(
            matter.flow.probe, matter.clock, every=usual.every, at_most=at_most, looked=looked
        )
    if last.probe.effective:
        matter.saw(Consent.GRANTED)
        typer.echo(
            f"{matter.name}: the grant is in effect, after {length(last.elapsed)}: {last.probe.problem.text}"
        )
        typer.echo("Whether the fence keeps everybody else out is another matter: placed doctor")
        return ExitCode.DONE
    if last.probe.problem.lasting:
        complain(connection_line(matter.name, last.probe.problem))
        return ExitCode.CANNOT_START
    problem = last.probe.problem
    text = f"not in effect after {length(last.elapsed)}: {problem.text}"
    complain(connection_line(matter.name, replace(problem, text=text)))
    return ExitCode.FAILED


class _Looked(Protocol):
    def __call__(self, look: Look) -> None: ...


@contextmanager
def _display(clock: Clock) -> Iterator[_Looked]:
    """A moving line at a terminal; else a line a look."""
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
    """What a terminal shows, as it is at the moment at which it is drawn."""

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
