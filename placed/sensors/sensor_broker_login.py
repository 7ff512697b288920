"""The brokers that sensors report to: the login of each, and the options of its connection."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from placed.domain.exit_errors import CannotStart
from placed.mqtt.client_options import Login, client_id_of
from placed.sensors.payload.message_to_reading import LARGEST_PAYLOAD

if TYPE_CHECKING:
    from placed.domain.problem import Problem
    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.sensors.routing import Route
    from placed.settings.output_settings import Mqtt

_BEYOND_PAYLOAD = 64 * 1024 + 1024  # bytes of a packet beside its payload: the topic and properties
_KEY = re.compile(
    r"\bmqtt\.(?=(url|username|password_file|ca_file|certificate|key|base_topic|client_id|protocol)\b)"
)


@dataclass(frozen=True, slots=True)
class BrokerLink:
    """A broker, and the tables whose sensors report to it.

    Attributes:
        name: of its table `[sensor_brokers.<name>]`; None for `[mqtt]`.
        login: with the content of its files.
        routes: in the order of the tables.
    """

    name: str | None
    login: Login
    routes: tuple[Route, ...] = field(repr=False)

    @property
    def title(self) -> str:
        """What it is called in messages: its address."""
        return self.login.address

    @property
    def client_id(self) -> str:
        """The client identifier of its connection, which is not the publisher's."""
        return f"{client_id_of(self.login.settings)}-sensors"

    def options(self, client_id: str | None = None) -> ConnectOptions:
        """Returns the options of a connection: a clean start, and no message larger than is read."""
        return replace(
            self.login.options,
            client_id=client_id or self.client_id,
            largest_incoming=LARGEST_PAYLOAD + _BEYOND_PAYLOAD,
        )

    def is_same(self, other: BrokerLink | None) -> bool:
        """Whether one connection serves both."""
        return (
            other is not None
            and self.login.mark == other.login.mark
            and self.client_id == other.client_id
            and [route.settings for route in self.routes] == [route.settings for route in other.routes]
            and [route.name for route in self.routes] == [route.name for route in other.routes]
        )

    def own(self, problem: Problem) -> Problem:
        """Returns a problem of `[mqtt]` as one of this broker's table."""
        return of_table(problem, self.name)


def of_table(problem: Problem, name: str | None) -> Problem:
    """Returns a problem of `[mqtt]` as one of `[sensor_brokers.<name>]`."""
    if name is None:
        return problem
    own = f"sensor_brokers.{name}."
    key, text, remedy = (_KEY.sub(own, part) for part in (problem.key, problem.text, problem.remedy))
    return replace(problem, key=key, text=text, remedy=remedy)


def login_of(settings: Mqtt, name: str | None) -> Login:
    """Reads the files of a broker's table.

    Raises:
        CannotStart: a file cannot be used.
    """
    try:
        return Login.of(settings)
    except CannotStart as error:
        raise CannotStart(*(of_table(problem, name) for problem in error.problems)) from None
