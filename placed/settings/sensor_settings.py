"""Settings of presence sensors: `[[sensors]]` and `[sensor_brokers.<name>]`."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from placed.domain.presence import SensorKind
from placed.driver.setting_values import Duration, Table, above_zero
from placed.driver.settings import FilePath
from placed.sensors.payload.expression import compiled
from placed.settings.output_settings import Mqtt

_NAME = r"^[a-z0-9][a-z0-9_-]*$"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_PLACEHOLDERS = ("room", "device")


def _filter(value: str) -> str:
    levels = value.split("/")
    misused = [
        level for level in levels if ("+" in level and level != "+") or ("#" in level and level != "#")
    ]
    if not value or value.startswith("$") or "\0" in value or misused or "#" in levels[:-1]:
        rule = "; + is a whole level, # the last one" if misused or "#" in levels[:-1] else ""
        raise ValueError(f"expected a topic or a filter, such as zigbee2mqtt/{{room}} or tele/+/SENSOR{rule}")
    named = [name for level in levels for name in _PLACEHOLDER.findall(level)]
    whole = [level[1:-1] for level in levels if level.startswith("{") and level.endswith("}")]
    if named != whole or len(set(named)) < len(named) or not set(named) <= set(_PLACEHOLDERS):
        raise ValueError("expected {room} or {device} as a whole level of the topic, each at most once")
    return value


def _expression(value: str) -> str:
    compiled(value)
    return value


Filter = Annotated[str, AfterValidator(_filter)]
Expression = Annotated[str, AfterValidator(_expression)]


class SensorBroker(Mqtt):
    """Another broker that sensors report to; the keys of `[mqtt]` that concern a login."""


class Availability(Table):
    """Where a sensor's gateway reports whether the device is there."""

    topic: Filter = Field(description="The topic, with {room} or {device} where the sensor's has it.")
    path: Expression = Field(
        default="@", description="JMESPath of the word in the message; by default it is all of it."
    )
    offline: frozenset[str] = Field(
        default=frozenset(("offline", "lost", "disconnected", "unavailable", "false")),
        description="The words for a device that is not there, in any case of letters.",
    )

    @field_validator("offline")
    @classmethod
    def _lower(cls, value: frozenset[str]) -> frozenset[str]:
        return frozenset(word.strip().lower() for word in value)


class SensorSettings(Table):
    """One kind of message that states whether somebody is in a room."""

    name: str | None = Field(
        default=None,
        pattern=_NAME,
        description="The sensor's name in messages and in the address of its webhook: a-z, 0-9, - and _.",
    )
    topic: Filter | None = Field(
        default=None,
        description="MQTT filter; its level {room} is a room's id, {device} is looked up in `rooms`.",
    )
    token_file: FilePath | None = Field(
        default=None,
        description="File with the bearer token of its webhook, POST /api/v1/sensors/<name>.",
    )
    broker: str | None = Field(
        default=None, pattern=_NAME, description="A table [sensor_brokers.<name>]; by default [mqtt] is used."
    )
    room: str | None = Field(
        default=None, pattern=r"^[a-z0-9_-]+$", description="The id of its room: a-z, 0-9, - and _."
    )
    rooms: dict[str, Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]] = Field(
        default_factory=dict,
        description="The rooms' ids by device: the level {device}, or what `device` finds.",
    )
    device: Expression | None = Field(
        default=None, description="JMESPath of the device in the message, to look up in `rooms`."
    )
    presence: Expression | None = Field(
        default=None, description='JMESPath of the presence in the message; "@" if that is all of it.'
    )
    count: Expression | None = Field(default=None, description="JMESPath of the number of people.")
    at: Expression | None = Field(
        default=None, description="JMESPath of when it was measured; by default that is when it arrived."
    )
    kind: SensorKind | None = Field(
        default=None,
        description="pir, radar, counter, thermal or contact; by default counter if only people are counted, "
        "else pir.",
    )
    hold: Duration | None = Field(
        default=None,
        description="How long the room stays present after the sensor last noticed somebody; by its kind 10m "
        "(pir), 1m (radar, contact) or 2m (counter, thermal).",
    )
    stale_after: Annotated[Duration, AfterValidator(above_zero)] | None = Field(
        default=None,
        description="A sensor that is silent for this time is unknown; by default three times the longest "
        "interval between its messages, at least 10m.",
    )
    zone: str = Field(default="", description="The part of the room; counts of several zones are summed.")
    check_in: bool = Field(
        default=False,
        description="Whether somebody whom it notices is checked in to the meeting of the room.",
    )
    available: Availability | None = Field(
        default=None, description="Where its gateway reports whether the device is there."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.presence is None and self.count is None:
            raise ValueError("expected presence or count: where the reading is in the message")
        if self.topic is None and self.token_file is None:
            raise ValueError("expected topic, or token_file for a webhook")
        if self.token_file is not None and self.name is None:
            raise ValueError("expected a name for the webhook POST /api/v1/sensors/<name>")
        levels = _PLACEHOLDER.findall(self.topic or "")
        ways = [self.room is not None, "room" in levels, bool(self.rooms)]
        if sum(ways) != 1:
            raise ValueError("expected exactly one of: room, rooms, and the level {room} in the topic")
        if self.rooms and ("device" in levels) == (self.device is not None):
            raise ValueError("expected the level {device} in the topic or the key device, with rooms")
        if not self.rooms and ("device" in levels or self.device is not None):
            raise ValueError("expected rooms, which has the room of each device")
        unknown = set(_PLACEHOLDER.findall(self.available.topic)) - set(levels) if self.available else set()
        if unknown:
            raise ValueError(f"expected {{{min(unknown)}}} in available.topic only where the topic has it")
        return self

    @property
    def kind_or_default(self) -> SensorKind:
        """The sensor's kind."""
        if self.kind is not None:
            return self.kind
        return SensorKind.COUNTER if self.presence is None else SensorKind.PIR
