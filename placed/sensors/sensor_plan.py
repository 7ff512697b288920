"""All sensors of a configuration with the files read that they need: routes, brokers' logins and tokens."""

from __future__ import annotations

import hmac
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem
from placed.mqtt.client_options import Login
from placed.sensors.routing import Route, routes_of
from placed.sensors.sensor_broker_login import BrokerLink, login_of
from placed.settings.token_file import read_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from placed.settings.loader import Configuration
    from placed.settings.schema import Settings
    from placed.settings.sensor_settings import SensorSettings

_WORDS_OF_ROOMS = ("presence", "occupied")  # topics that hold ON and OFF, below each room


@dataclass(frozen=True, slots=True)
class SensorPlan:
    """What the sensors are read with.

    Attributes:
        routes: of every table.
        links: the brokers that are listened to, by their names; None is `[mqtt]`.
        tokens: of the webhooks, by the sensors' names.
    """

    routes: tuple[Route, ...]
    links: Mapping[str | None, BrokerLink]
    tokens: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def of(cls, configuration: Configuration, reading_token: bytes | None = None) -> Self:
        """Reads the files that the tables of sensors name.

        Args:
            configuration: with the settings.
            reading_token: the endpoint's token, which no sensor may have.

        Raises:
            CannotStart: with everything that is wrong with them.
        """
        settings = configuration.settings
        routes = routes_of(settings.sensors)
        problems: list[Problem] = []
        tokens: dict[str, bytes] = {}
        by_broker: dict[str | None, list[Route]] = {}
        for place, route in enumerate(routes):
            for key, problem in (*_broker_problem(settings, route.settings), *_own_topic(settings, route)):
                problems.append(configuration.locate(problem, "sensors", place, key))
            if route.settings.topic is not None:
                by_broker.setdefault(route.settings.broker, []).append(route)
            try:
                token = _webhook_token(settings, route.settings, reading_token)
            except CannotStart as error:
                problems += [
                    configuration.locate(problem, "sensors", place, "token_file")
                    for problem in error.problems
                ]
            else:
                if token is not None:
                    tokens[route.name] = token
        logins = _logins(configuration, problems)
        if problems:
            raise CannotStart(*problems)
        links = {
            name: BrokerLink(name, logins[name], tuple(own))
            for name, own in by_broker.items()
            if name in logins
        }
        return cls(tuple(routes), links, tokens)

    def is_same(self, other: SensorPlan) -> bool:
        """Whether the tables, and the tokens, are the same; the brokers are compared one by one."""
        ours, theirs = ([(r.name, r.settings) for r in plan.routes] for plan in (self, other))
        return ours == theirs and self.tokens == other.tokens

    def same_brokers(self, other: SensorPlan) -> bool:
        """Whether the connections to all brokers stay."""
        return self.links.keys() == other.links.keys() and all(
            link.is_same(other.links[name]) for name, link in self.links.items()
        )


def _broker_problem(settings: Settings, table: SensorSettings) -> Iterator[tuple[str, Problem]]:
    """The problem of the key that names the broker, or should."""
    if table.broker is None:
        if table.topic is not None and settings.mqtt is None:
            remedy = "set broker to a table [sensor_brokers.<name>], or set mqtt.url"
            yield "topic", Problem("", "a topic needs a broker, and there is no table [mqtt]", remedy)
    elif table.broker not in settings.sensor_brokers:
        known = ", ".join(sorted(settings.sensor_brokers))
        remedy = f"add it, or name one that there is: {known}" if known else "add it"
        text = f"expected a table [sensor_brokers.{table.broker}]"
        yield "broker", Problem("", text, remedy, found=f"found {table.broker!r}")


def _own_topic(settings: Settings, route: Route) -> Iterator[tuple[str, Problem]]:
    """The problem of a topic by which the daemon would take its own statements as those of a sensor."""
    if settings.mqtt is None or route.topic is None or route.settings.broker is not None:
        return
    rooms = f"{settings.mqtt.base_topic}/rooms"
    if any(_matches(route.topic.filter, [*rooms.split("/"), "+", leaf]) for leaf in _WORDS_OF_ROOMS):
        text = f"which matches what placed publishes below {rooms}"
        remedy = "use a filter that does not, or another mqtt.base_topic"
        yield "topic", Problem("", text, remedy, found=f"found {route.settings.topic!r}")


def _matches(topic_filter: str, published: list[str]) -> bool:
    """Whether a filter matches one of the published topics; their level `+` stands for the rooms' ids."""
    levels = topic_filter.split("/")
    if levels[-1] == "#":
        levels.pop()
        published = published[: len(levels)]
    return len(levels) == len(published) and all(
        "+" in (level, own) or level == own for level, own in zip(levels, published, strict=True)
    )


def _logins(configuration: Configuration, problems: list[Problem]) -> dict[str | None, Login]:
    """The logins of all brokers; their problems are added to `problems`."""
    settings = configuration.settings
    logins: dict[str | None, Login] = {}
    if settings.mqtt is not None:
        with suppress(CannotStart):  # the publisher has the same problem, and reports it
            logins[None] = Login.of(settings.mqtt)
    for name, table in settings.sensor_brokers.items():
        try:
            logins[name] = login_of(table, name)
        except CannotStart as error:
            for problem in error.problems:
                key = problem.key.rpartition(".")[2]
                problems.append(configuration.locate(problem, "sensor_brokers", name, key))
    return logins


def _webhook_token(settings: Settings, table: SensorSettings, reading_token: bytes | None) -> bytes | None:
    """The token of a sensor's webhook; None if it has none.

    Raises:
        CannotStart: it cannot be used.
    """
    if table.token_file is None:
        return None
    if not settings.http.listen:
        raise CannotStart(Problem("", "a webhook needs the status endpoint", "set http.listen"))
    token = read_token(table.token_file)
    if reading_token is not None and hmac.compare_digest(token, reading_token):
        text = f"{table.token_file}: is the token of http.token_file"
        raise CannotStart(Problem("", text, "make another token for the sensor"))
    return token
