"""All sensors of a configuration with the files read that they need: routes, brokers' logins and tokens."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem
from placed.driver import Exposed, read_secret, remedy_for_missing
from placed.sensors.broker_link import BrokerLink, login_of
from placed.sensors.routing import Route, routes_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from placed.mqtt.client_options import Login
    from placed.settings.loader import Configuration
    from placed.settings.schema import Settings


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
            table = route.settings

            def add(problem: Problem, key: str, place: int = place) -> None:
                problems.append(configuration.locate(problem, "sensors", place, key))

            if table.topic is not None:
                missing = _missing_broker(settings, table.broker)
                if missing is None:
                    by_broker.setdefault(table.broker, []).append(route)
                else:
                    add(missing, "topic" if table.broker is None else "broker")
            elif table.broker is not None and (missing := _missing_broker(settings, table.broker)):
                add(missing, "broker")
            if table.token_file is not None and table.name is not None:
                if not settings.http.listen:
                    add(Problem("", "a webhook needs the status endpoint", "set http.listen"), "token_file")
                try:
                    token = _token(table.token_file)
                except CannotStart as error:
                    add(error.problems[0], "token_file")
                    continue
                if reading_token is not None and hmac.compare_digest(token, reading_token):
                    text = f"{table.token_file}: is the token of http.token_file"
                    add(Problem("", text, "make another token for the sensor"), "token_file")
                tokens[table.name] = token
        links: dict[str | None, BrokerLink] = {}
        for name, tables in settings.sensor_brokers.items():
            _link(links, name, _login(configuration, tables, name, problems), by_broker)
        if None in by_broker and settings.mqtt is not None:
            try:
                _link(links, None, login_of(settings.mqtt, None), by_broker)
            except CannotStart:
                pass  # it is reported as a problem of the publisher's
        if problems:
            raise CannotStart(*problems)
        return cls(tuple(routes), links, tokens)

    def is_same(self, other: SensorPlan) -> bool:
        """Whether the tables, and the tokens, are the same; the brokers are compared one by one."""
        ours, theirs = ([(r.name, r.settings) for r in plan.routes] for plan in (self, other))
        return ours == theirs and self.tokens == other.tokens


def _link(
    links: dict[str | None, BrokerLink],
    name: str | None,
    login: Login | None,
    by_broker: Mapping[str | None, list[Route]],
) -> None:
    if login is not None and name in by_broker:
        links[name] = BrokerLink(name, login, tuple(by_broker[name]))


def _missing_broker(settings: Settings, name: str | None) -> Problem | None:
    if name is None:
        if settings.mqtt is not None:
            return None
        remedy = "set broker to a table [sensor_brokers.<name>], or set mqtt.url"
        return Problem("", "a topic needs a broker, and there is no [mqtt]", remedy)
    if name in settings.sensor_brokers:
        return None
    known = ", ".join(sorted(settings.sensor_brokers)) or "none"
    text = f"expected a table [sensor_brokers.{name}]"
    return Problem("", text, f"add it, or name one that there is: {known}", found=f"found {name!r}")


def _login(configuration: Configuration, settings: object, name: str, problems: list[Problem]) -> Login | None:
    del settings
    try:
        return login_of(configuration.settings.sensor_brokers[name], name)
    except CannotStart as error:
        for problem in error.problems:
            problems.append(configuration.locate(problem, "sensor_brokers", name, problem.key.split(".")[-1]))
    return None


def _token(path: Path) -> bytes:
    try:
        token = read_secret(path).strip()
    except Exposed as exposed:
        problem = exposed.problem
        raise CannotStart(Problem("", f"{path}: {problem.text}", problem.remedy)) from None
    except FileNotFoundError:
        text = f"{path}: there is no such file"
        raise CannotStart(Problem("", text, remedy_for_missing(path), unread=path)) from None
    except OSError as error:
        remedy = "expected a readable file with the bearer token"
        raise CannotStart(Problem("", f"{path}: {error.strerror}", remedy, unread=path)) from None
    if not token or not all(0x20 < byte < 0x7F for byte in token):
        text = f"{path}: {'holds spaces, line breaks or letters beyond ASCII' if token else 'is empty'}"
        raise CannotStart(Problem("", text, "expected one token of letters, digits and - . _ ~ + / ="))
    return token
