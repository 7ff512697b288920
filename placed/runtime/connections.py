"""A connection as the daemon runs it: what it was opened from, its driver and its poller."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from placed.domain.exit_errors import CannotStart
from placed.domain.privacy import Show
from placed.domain.problem import Problem
from placed.driver import OffersBooking, SettingsError, SignInTakeover, Surroundings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from placed.actions.connection_actions import ConnectionActions
    from placed.domain.corrected_clock import CorrectedClock
    from placed.domain.task_heartbeat import TaskHeartbeat
    from placed.driver import BookingWriter, ConnectionSettings, Driver, DriverError, Fence
    from placed.polling.poller import Poller
    from placed.settings.loader import Configuration
    from placed.settings.schema import Settings

_T = TypeVar("_T")
_LARGEST = 1024 * 1024  # bytes of a file that count


class Problems:
    """Collects the start-up errors of all parts and reports them together."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __enter__(self) -> None:
        """A part is made."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, CannotStart):
            self._found += error.problems
            return True
        return False

    def report(self) -> None:
        """Raises what was collected, if anything."""
        if self._found:
            raise CannotStart(*self._found)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a driver is opened from. Of an equal one another driver would be the same.

    Attributes:
        settings: the connection's table.
        files: a digest of the files that the table names.
        concurrency: requests under way at once.
        show: what of a meeting may be seen.
    """

    settings: ConnectionSettings
    files: bytes
    concurrency: int
    show: Show


@dataclass(frozen=True, slots=True)
class Connection:
    """One calendar account that is polled."""

    origin: Origin
    driver: Driver
    poller: Poller
    heartbeat: TaskHeartbeat
    actions: ConnectionActions

    async def close(self) -> None:
        """Closes the driver, and the writer if there is one: that after the commands under way."""
        await self.driver.close()
        await self.actions.close()


def origins_of(settings: Settings) -> dict[str, Origin]:
    """What every connection is opened from, by its name; the files are read now."""
    return {
        connection.name: Origin(
            connection, digest_of_files(connection), settings.polling.concurrency, settings.privacy.show
        )
        for connection in settings.connections
    }


def open_drivers(
    configuration: Configuration, clock: CorrectedClock, version: str, names: Collection[str]
) -> dict[str, Driver]:
    """Opens connections, which reads the files that they name; no network is touched.

    Args:
        configuration: of all connections.
        clock: what time it is; learns what the services report.
        version: of the program.
        names: the connections to open.

    Raises:
        CannotStart: with everything that is wrong with them.
    """
    details = configuration.settings.privacy.show is not Show.NOTHING

    def open_driver(connection: ConnectionSettings) -> Driver:
        surroundings = _surroundings(configuration, clock, version, connection.name, details=details)
        return configuration.drivers[connection.driver].open(connection, surroundings)

    return _opened(configuration, names, open_driver)


def open_writers(
    configuration: Configuration, clock: CorrectedClock, version: str, names: Collection[str]
) -> dict[str, BookingWriter]:
    """Opens those of the connections for writing that have a table `actions`; see `open_drivers`.

    Raises:
        CannotStart: with everything that is wrong with them.
    """

    def open_writer(connection: ConnectionSettings) -> BookingWriter:
        kind = configuration.drivers[connection.driver]
        if not isinstance(kind, OffersBooking):
            raise SettingsError(Problem("actions", "this driver cannot change bookings", "remove the table"))
        surroundings = _surroundings(configuration, clock, version, connection.name, details=False)
        return kind.open_writer(connection, surroundings)

    writing = {c.name for c in configuration.settings.connections if c.writes is not None}
    return _opened(configuration, writing.intersection(names), open_writer)


def _opened(
    configuration: Configuration, names: Collection[str], open_one: Callable[[ConnectionSettings], _T]
) -> dict[str, _T]:
    opened: dict[str, _T] = {}
    problems: list[Problem] = []
    for place, connection in enumerate(configuration.settings.connections):
        if connection.name in names:
            try:
                opened[connection.name] = open_one(connection)
            except SettingsError as error:
                problems.append(configuration.locate(error.problem, "connections", place, error.problem.key))
    if problems:
        raise CannotStart(*problems)
    return opened


def _surroundings(
    configuration: Configuration, clock: CorrectedClock, version: str, connection: str, *, details: bool
) -> Surroundings:
    return Surroundings(
        now=clock.now,
        steady=clock.steady,
        concurrency=configuration.settings.polling.concurrency,
        details=details,
        version=version,
        report_time=partial(clock.hear, connection),
    )


def digest_of_files(table: BaseModel) -> bytes:
    """A digest of the content of all files that a table of the settings names."""
    digest = hashlib.sha256()
    for path in _paths(table):
        content = b""
        with suppress(OSError):  # a file that cannot be read is reported when it is used
            if path.is_file():
                with path.open("rb") as file:
                    content = file.read(_LARGEST)
        digest.update(hashlib.sha256(content).digest())
    return digest.digest()


def _paths(table: BaseModel) -> Iterator[Path]:
    for _, value in table:
        for one in value.values() if isinstance(value, dict) else (value,):
            if isinstance(one, Path):
                yield one
            elif isinstance(one, BaseModel):
                yield from _paths(one)


def take_over_sign_ins(drivers: Mapping[str, Driver], earlier: Mapping[str, Driver]) -> None:
    """Lets connections use the sign-in of an earlier one of the same name, where the driver can do that."""
    for name, driver in drivers.items():
        before = earlier.get(name)
        if before is not None and isinstance(driver, SignInTakeover):
            driver.take_over_sign_in(before)


def breach(connection: str, fence: Fence) -> Problem:
    """Why a connection may not be read: its fence does not hold."""
    return Problem(
        f"connections.{connection}",
        "the fence does not hold: a canary is readable",
        f"{fence.limit} before starting again",
    )


def refusal(connection: str, error: DriverError) -> Problem:
    """Why a connection is refused."""
    return error.problem.at(f"connections.{connection}")
