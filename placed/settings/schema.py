"""The tree of settings; every field has a description. `placed.settings.loader` reads it from files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ConfigDict, Field, SerializeAsAny

from placed.domain.model import ShowAs
from placed.domain.occupancy import DEFAULT_BUSY_FOR, Policy
from placed.driver import ConnectionSettings, Table
from placed.settings.output_settings import HomeAssistant, Http, Mqtt
from placed.settings.polling_settings import Polling
from placed.settings.room_settings import Occupancy, Privacy, RoomSettings
from placed.settings.sensor_settings import SensorBroker, SensorSettings

if TYPE_CHECKING:
    from datetime import timedelta

ENVIRONMENT_PREFIX = "PLACED_"


def unique_connections(value: tuple[ConnectionSettings, ...]) -> tuple[ConnectionSettings, ...]:
    """Refuses two connections of the same name."""
    _once([connection.name for connection in value])
    return value


def _rooms(value: dict[str, RoomSettings]) -> dict[str, RoomSettings]:
    _once([room.id for room in value.values() if room.id])
    return value


def _sensors(value: tuple[SensorSettings, ...]) -> tuple[SensorSettings, ...]:
    _once([sensor.name for sensor in value if sensor.name])
    return value


class Settings(Table):
    """All settings. `placed.settings.loader` makes a subclass that knows the installed drivers."""

    model_config = ConfigDict(validate_default=True)

    connections: Annotated[
        tuple[SerializeAsAny[ConnectionSettings], ...], AfterValidator(unique_connections)
    ] = Field(min_length=1, description="The calendar service accounts.")
    rooms: Annotated[dict[str, RoomSettings], AfterValidator(_rooms)] = Field(
        default_factory=dict, description="Settings of single rooms, by their address or object id."
    )
    polling: Polling = Polling()
    occupancy: Occupancy = Occupancy()
    privacy: Privacy = Privacy()
    mqtt: Mqtt | None = None
    http: Http = Http()
    home_assistant: HomeAssistant = HomeAssistant()
    sensors: Annotated[tuple[SensorSettings, ...], AfterValidator(_sensors)] = Field(
        default=(), description="Presence sensors, and how their messages are read."
    )
    sensor_brokers: dict[str, SensorBroker] = Field(
        default_factory=dict, description="Other brokers that sensors report to, by name."
    )

    @property
    def longest_interval(self) -> timedelta:
        """The longest interval with a budget, from the other settings."""
        return self.polling.longest_interval(self.occupancy.expire_after, self.occupancy.stale_after)

    @property
    def policy(self) -> Policy:
        """The policy by which occupancy is computed."""
        stale_after = self.occupancy.stale_after or 3 * self.polling.interval
        return Policy(
            lead=self.occupancy.lead,
            busy_for=frozenset(ShowAs(word) for word in self.occupancy.busy_for) & DEFAULT_BUSY_FOR,
            stale_after=min(stale_after, self.occupancy.expire_after),
            expire_after=self.occupancy.expire_after,
            offline_grace=self.occupancy.offline_grace,
        )


def _once(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is used more than once")
