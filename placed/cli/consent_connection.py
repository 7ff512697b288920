"""The connection, driver and stored consent for all modes of `placed consent`; texts for the terminal."""

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
    from placed.domain.consent_record import ConsentRecord
    from placed.domain.problem import Problem
    from placed.driver import Consent, ConsentFlow
    from placed.store import Journal

_SOURCES = {
    "link": "from the consent page",
    "request": "by request",
    "observed": "from the service's answers",
}


@dataclass(frozen=True, slots=True)
class ConsentContext:
    """One connection's consent."""

    name: str
    flow: ConsentFlow
    journal: Journal
    clock: Clock

    def keep(self, record: ConsentRecord) -> None:
        """Stores the record for the daemon; if that fails, prints a warning and continues."""
        self.journal.consent(self.name).save(record)
        self._warn_if_not_stored(record)

    def saw(self, consent: Consent) -> None:
        """Records the state of consent that the service itself has shown."""
        self._warn_if_not_stored(self.journal.consent(self.name).observe(consent, self.clock.now()))

    def status(self) -> str:
        """The known state in one line, without the stored names."""
        from placed.domain.consent_record import observed
        from placed.driver import Consent

        record = observed(self.journal.consent(self.name).load(), Consent.UNKNOWN, self.clock.now())
        if record.state is Consent.UNKNOWN or record.since is None:
            return f"{self.name}: nothing is known of consent yet"
        until = f", lapses {record.until:%Y-%m-%d}" if record.until else ""
        source = f" ({_SOURCES[record.source.value]})" if record.source else ""
        return f"{self.name}: {record.state.value} since {record.since:%Y-%m-%d %H:%M} UTC{until}{source}"

    def _warn_if_not_stored(self, record: ConsentRecord) -> None:
        from placed.store import Journal

        path = self.journal.path
        assert path is not None  # noqa: S101 - made with one
        with closing(Journal(path.parent)) as another:
            kept = another.consent(self.name).load() == record
        if not kept:
            print_problem(
                f"{path}: cannot be written, so the daemon does not learn of this; run the command "
                "as the user of the service, or give --state-directory"
            )


@contextmanager
def open_consent(
    config: Path | None, name: str | None, state_directory: Path | None
) -> Iterator[ConsentContext]:
    """Opens the chosen connection; if a file or a service fails, ends the command with one line."""
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
            yield ConsentContext(connection.name, flow, journal, SystemClock())
    except CannotStart as error:
        raise cannot_start(error.problems) from None
    except SettingsError as error:
        problem = configuration.locate(error.problem, "connections", place, error.problem.key)
        raise cannot_start([problem]) from None
    except DriverError as error:
        print_problem(connection_line(connection.name, error.problem))
        raise typer.Exit(ExitCode.CANNOT_START if error.problem.lasting else ExitCode.FAILED) from None


def connection_line(connection: str, problem: Problem) -> str:
    """The problem of a connection in one line."""
    return replace(problem, key=f"connections.{connection}", joint=": ").line


def print_problem(problem: str) -> None:
    """Prints a line on stderr."""
    typer.echo(f"placed: {problem}", err=True)


def usage(problem: str) -> typer.Exit:
    """Prints a usage error and returns the exception to raise."""
    print_problem(problem)
    return typer.Exit(ExitCode.USAGE)


def length(seconds: float) -> str:
    """A duration in its two largest units: `31 min`, `1 h 5 min`, `2 days`."""
    left = max(0, round(seconds))
    parts = []
    for unit, size in (("day", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        number, left = divmod(left, size)
        if number:
            parts.append(f"{number} {'days' if unit == 'day' and number > 1 else unit}")
    return " ".join(parts[:2]) or "0 s"


def at_a_terminal() -> bool:
    """Whether the command can prompt."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def cleaned(text: str) -> str:
    """The text on one line, without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def operator_name(who: str | None) -> str:
    """The name given with --who, else the name of this user, else an empty text."""
    import getpass

    if who is not None:
        return cleaned(who)
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user has no name
        return ""
