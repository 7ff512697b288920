"""A configuration with its files read: what only these can show to be wrong is known before it is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from placed.http.listen_options import ListenOptions
from placed.mqtt.client_options import Login
from placed.mqtt.messages import offers_for_buttons
from placed.runtime.connections import (
    Origin,
    Problems,
    digest_of_files,
    open_drivers,
    open_writers,
    origins_of,
)
from placed.sensors.sensor_plan import SensorPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.domain.corrected_clock import CorrectedClock
    from placed.driver import BookingWriter, Driver
    from placed.settings.loader import Configuration
    from placed.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a daemon runs with, or could run with.

    Attributes:
        configuration: the settings and where they are from.
        origins: what every connection is opened from, by its name.
        drivers: of the connections that are opened for this configuration; the others run already.
        writers: what changes bookings, of those among them that have actions.
        login: of the broker, if there is one.
        listen: what the endpoint's files decide, if it is on.
        listen_files: a digest of these files.
        sensors: the tables of presence sensors.
    """

    configuration: Configuration
    origins: Mapping[str, Origin]
    drivers: Mapping[str, Driver]
    writers: Mapping[str, BookingWriter]
    login: Login | None
    listen: ListenOptions | None
    listen_files: bytes
    sensors: SensorPlan

    @classmethod
    def of(
        cls,
        configuration: Configuration,
        clock: CorrectedClock,
        version: str,
        running: Mapping[str, Origin],
    ) -> Self:
        """Reads the files, and opens connections but for those that `running` has with the same origin.

        Raises:
            CannotStart: with everything that is wrong with the files.
        """
        settings = configuration.settings
        origins = origins_of(settings)
        listen_files = digest_of_files(settings.http)
        drivers: Mapping[str, Driver] = {}
        writers: Mapping[str, BookingWriter] = {}
        login, listen, sensors = None, None, SensorPlan((), {}, {})
        problems = Problems()
        names = [name for name, origin in origins.items() if running.get(name) != origin]
        with problems:
            drivers = open_drivers(configuration, clock, version, names)
        with problems:
            writers = open_writers(configuration, clock, version, names)
        with problems:
            login = Login.of(settings.mqtt) if settings.mqtt else None
        with problems:
            listen = ListenOptions.of(settings.http) if settings.http.listen else None
        with problems:
            sensors = SensorPlan.of(configuration, listen.token if listen else None)
        problems.report()
        return cls(configuration, origins, drivers, writers, login, listen, listen_files, sensors)

    @property
    def settings(self) -> Settings:
        """The tree of the settings."""
        return self.configuration.settings

    def again(self, clock: CorrectedClock, version: str, running: Mapping[str, Origin]) -> Prepared:
        """The same, as its files were read then, but for connections that run otherwise meanwhile.

        Raises:
            CannotStart: the files of such a connection are invalid now.
        """
        names = [name for name, origin in self.origins.items() if running.get(name) != origin]
        return replace(
            self,
            drivers=open_drivers(self.configuration, clock, version, names),
            writers=open_writers(self.configuration, clock, version, names),
        )

    async def close(self) -> None:
        """Closes the connections that were opened for it, which nobody uses."""
        for driver in self.drivers.values():
            await driver.close()
        for writer in self.writers.values():
            await writer.close()

    def same_publisher(self, other: Prepared) -> bool:
        """Whether one publisher serves both."""
        ours, theirs = self.settings, other.settings
        logins = [prepared.login and prepared.login.mark for prepared in (self, other)]
        same_budget = (
            not ours.home_assistant.discovery or ours.occupancy.expire_after == theirs.occupancy.expire_after
        )  # Home Assistant's configuration messages hold it
        return (
            ours.mqtt == theirs.mqtt
            and ours.home_assistant == theirs.home_assistant
            and offers_for_buttons(ours) == offers_for_buttons(theirs)
            and logins[0] == logins[1]
            and same_budget
        )

    def same_endpoint(self, other: Prepared) -> bool:
        """Whether one endpoint serves both."""
        return (self.settings.http, self.listen_files) == (other.settings.http, other.listen_files)

    def same_address(self, other: Prepared) -> bool:
        """Whether both listen at one address, either with TLS or without."""
        ours, theirs = self.settings.http, other.settings.http
        return (ours.listen, ours.certificate is None) == (theirs.listen, theirs.certificate is None)

    def changes(self, to: Prepared) -> list[str]:
        """The tables of the settings in which another configuration differs, and its connections."""
        ours, theirs = self.settings, to.settings
        tables = ("rooms", "polling", "occupancy", "privacy", "home_assistant")
        changed = [table for table in tables if getattr(ours, table) != getattr(theirs, table)]
        if ours.mqtt != theirs.mqtt or (self.login and self.login.mark) != (to.login and to.login.mark):
            changed.append("mqtt")
        if not self.same_endpoint(to):
            changed.append("http")
        if not self.sensors.is_same(to.sensors) or not self.sensors.same_brokers(to.sensors):
            changed.append("sensors")
        names = sorted(self.origins.keys() | to.origins.keys())
        return changed + [
            f"connections.{name}"
            for name in names
            if _table(self.origins.get(name)) != _table(to.origins.get(name))
        ]


def _table(origin: Origin | None) -> tuple[object, bytes] | None:
    """What of an origin is the connection's own."""
    return (origin.settings, origin.files) if origin is not None else None
