"""What every way of consenting has to do with: one connection, what it offers, and what is kept of it."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from placed.cli.connection_option import chosen, loaded, state_directory_of_daemon, surroundings_of
from placed.cli.options import cannot_start
from placed.domain.exit_errors import CannotStart, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from placed.domain.clock import Clock
    from placed.domain.consent import ConsentRecord
    from placed.domain.problems import Problem
    from placed.driver import Consent, ConsentFlow
    from placed.store import Journal

_TOLD_BY = {
    "link": "the consent page told",
    "request": "an administrator was asked",
    "observed": "the service shows it",
}


@dataclass(frozen=True, slots=True)
class Matter:
    """One connection's consent."""

    name: str
    flow: ConsentFlow
    journal: Journal
    clock: Clock

    def keep(self, record: ConsentRecord) -> None:
        """Keeps it for the daemon and for later; where that can not be done it is said, and all goes on."""
        self.journal.consent(self.name).save(record)
        self._see_that_it_is_kept(record)

    def saw(self, consent: Consent) -> None:
        """The services themselves have shown it."""
        self._see_that_it_is_kept(self.journal.consent(self.name).observe(consent, self.clock.now()))

    def status(self) -> str:
        """What is known, in a line. Who asked or answered stays in the file."""
        from placed.domain.consent import observed
        from placed.driver import Consent

        record = observed(self.journal.consent(self.name).load(), Consent.UNKNOWN, self.clock.now())
        if record.state is Consent.UNKNOWN or record.since is None:
            return f"{self.name}: nothing is known of consent yet"
        until = f", lapses {record.until:%Y-%m-%d}" if record.until else ""
        source = f" ({_TOLD_BY[record.source.value]})" if record.source else ""
        return f"{self.name}: {record.state.value} since {record.since:%Y-%m-%d %H:%M} UTC{until}{source}"

    def _see_that_it_is_kept(self, record: ConsentRecord) -> None:
        from placed.store import Journal

        path = self.journal.path
        assert path is not None  # noqa: S101 - made with one
        with closing(Journal(path.parent)) as another:
            kept = another.consent(self.name).load() == record
        if not kept:
            complain(
                f"{path}: can not be written, so the daemon does not hear of this; run it as the user of "
                "the service, or give --state-directory"
            )


@contextmanager
def opened(config: Path | None, name: str | None, state_directory: Path | None) -> Iterator[Matter]:
    """The connection that is meant; ends the command with a line where a file or a service is of no use."""
    import logging

    from placed.domain.clock import SystemClock
    from placed.driver import DriverError, OffersConsent, SettingsError
    from placed.runtime import logging as logs
    from placed.store import Journal

    logs.set_up()
    logs.set_level(logging.ERROR)  # the command prints what matters itself
    configuration = loaded(config)
    settings = configuration.settings
    connection = chosen(settings, name)
    kind = configuration.drivers[connection.driver]
    if not isinstance(kind, OffersConsent):
        raise usage(f"connections.{connection.name}: the driver {connection.driver} needs no consent")
    place = settings.connections.index(connection)
    try:
        flow = kind.consent(connection, surroundings_of(settings))
        with closing(Journal(state_directory_of_daemon(state_directory))) as journal:
            yield Matter(connection.name, flow, journal, SystemClock())
    except CannotStart as error:
        raise cannot_start(error.problems) from None
    except SettingsError as error:
        problem = configuration.locate(error.problem, "connections", place, error.problem.key)
        raise cannot_start([problem]) from None
    except DriverError as error:
        complain(connection_line(connection.name, error.problem))
        raise typer.Exit(ExitCode.CANNOT_START if error.problem.lasting else ExitCode.FAILED) from None


def connection_line(connection: str, problem: Problem) -> str:
    """The line of what is wrong with a connection."""
    return replace(problem, key=f"connections.{connection}", joint=": ").line


def complain(problem: str) -> None:
    """A line on stderr."""
    typer.echo(f"placed: {problem}", err=True)


def usage(problem: str) -> typer.Exit:
    """Tells what is wrong with how the command was called, in a line; to be raised."""
    complain(problem)
    return typer.Exit(ExitCode.USAGE)


def length(seconds: float) -> str:
    """The two largest units that it has: `31 min`, `1 h 5 min`, `2 days`."""
    left = max(0, round(seconds))
    parts = []
    for unit, size in (("day", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {'days' if unit == 'day' and number > 1 else unit}")
    return " ".join(parts[:2]) or "0 s"


def at_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def cleaned(text: str) -> str:
    """On one line, without what would steer a terminal or break a header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def whoever(who: str | None) -> str:
    """Who asks or answers, as far as that was told."""
    import getpass

    if who is not None:
        return cleaned(who)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        return ""
