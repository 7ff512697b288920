"""Opens connections from their settings, and says in a line what makes it impossible to go on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.exit_errors import CannotStart
from placed.domain.fence import LIMIT_ACCESS
from placed.domain.privacy import Show
from placed.domain.problems import Problem
from placed.driver import SettingsError, SignInTakeover, Surroundings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.domain.corrected_clock import CorrectedClock
    from placed.driver import Driver, DriverError, Fence
    from placed.settings.loader import Configuration


class Problems:
    """What can not be used of several parts, so that it is told all at once."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def __enter__(self) -> None:
        """A part is made."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, CannotStart):
            self._found += error.problems
            return True
        return False

    def tell(self) -> None:
        """Every part was tried."""
        if self._found:
            raise CannotStart(*self._found)


def open_drivers(
    configuration: Configuration,
    clock: CorrectedClock,
    version: str,
) -> list[Driver]:
    """Opens every connection, which reads the files that it names; no network is touched.

    Args:
        configuration: of all connections.
        clock: what time it is; learns what the services report.
        version: of the program.

    Raises:
        CannotStart: with everything that is wrong with them.
    """
    settings = configuration.settings
    surroundings = Surroundings(
        now=clock.now,
        steady=clock.steady,
        concurrency=settings.polling.concurrency,
        details=settings.privacy.show is not Show.NOTHING,
        version=version,
    )
    drivers: list[Driver] = []
    problems: list[Problem] = []
    for place, connection in enumerate(settings.connections):
        try:
            own = replace(surroundings, report_time=partial(clock.hear, connection.name))
            drivers.append(configuration.drivers[connection.driver].open(connection, own))
        except SettingsError as error:
            problems.append(configuration.locate(error.problem, "connections", place, error.problem.key))
    if problems:
        raise CannotStart(*problems)
    return drivers


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
        f"{fence.remedy or LIMIT_ACCESS} before starting again",
    )


def refusal(connection: str, error: DriverError) -> Problem:
    """Why a connection is refused."""
    return error.problem.at(f"connections.{connection}")
