"""Removes a connection: finds what placed keeps of it, at the broker and on disk, and deletes that."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from placed.disconnect import topic_clearing
from placed.disconnect.topic_clearing import Retained
from placed.domain.problem import Problem
from placed.driver import OffersConsent
from placed.mqtt.client_options import address_of
from placed.mqtt.connection_problems import BrokerLost
from placed.store import Journal
from placed.store.database import NAME, Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from placed.driver import Surroundings
    from placed.settings.loader import Configuration
    from placed.settings.output_settings import Mqtt

# For a connection that is no longer configured, so that its grants are unknown.
_IN_GENERAL = (
    "As an administrator of its calendar service, run the undo script of what `placed setup` wrote for it.",
    "Or take away by hand, in this order: permissions, fence, and the registration if nothing else uses it.",
)

_OTHER_USER = "be the daemon's user, or root"


class NotDisconnected(Exception):
    """The connection could not be removed, or not completely."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.line)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Holding:
    """What is kept of a connection.

    Attributes:
        configured: file and place of its table; None if it is not configured.
        alone: whether no other connection is configured.
        broker: the broker's address; None if none is configured.
        rooms: how many of its rooms are at the broker, as topics or in the index.
        running: whether a running daemon reads it.
        remembered: how many of its rooms have an id in the state directory.
        consent: whether its consent is recorded there.
    """

    configured: str | None
    alone: bool
    broker: str | None
    rooms: int
    running: bool
    remembered: int
    consent: bool

    @property
    def anything(self) -> bool:
        """Whether the connection is known anywhere."""
        held = self.rooms or self.remembered or self.consent
        return bool(held or self.running or self.configured is not None)


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was deleted."""

    rooms: int
    remembered: int
    consent: bool


class Disconnection:
    """The removal of one connection, which need not be configured any more.

    Args:
        configuration: the current one; it names the broker.
        directory: the state directory.
        name: of the connection.
    """

    def __init__(self, configuration: Configuration, directory: Path, name: str) -> None:
        self._configuration = configuration
        self._mqtt: Mqtt | None = configuration.settings.mqtt
        self._prefix = configuration.settings.home_assistant.discovery_prefix
        self._directory = directory
        self._name = name

    async def find(self) -> Holding:
        """Returns what is kept of the connection; changes nothing.

        Raises:
            NotDisconnected: that could not be found out.
            CannotStart: files that the settings name cannot be used.
        """
        with self._journal() as journal:
            remembered, consent = journal.held_of(self._name)
        retained = Retained()
        if self._mqtt is not None:
            try:
                retained = await topic_clearing.look(self._mqtt, self._name, self._prefix)
            except BrokerLost as lost:
                raise NotDisconnected(_problem(self._mqtt, lost)) from lost
        places = [
            place
            for place, connection in enumerate(self._configuration.settings.connections)
            if connection.name == self._name
        ]
        return Holding(
            configured=self._configuration.where("connections", places[0]) if places else None,
            alone=len(self._configuration.settings.connections) == 1,
            broker=address_of(self._mqtt) if self._mqtt is not None else None,
            rooms=len(retained.rooms),
            running=retained.online and self._name in retained.connections,
            remembered=remembered,
            consent=consent,
        )

    async def clear(self) -> Cleared:
        """Deletes it: first at the broker, so that everything can be repeated if that fails.

        Raises:
            NotDisconnected: not everything could be deleted.
            CannotStart: files that the settings name cannot be used.
        """
        retained = Retained()
        if self._mqtt is not None:
            try:
                retained = await topic_clearing.clear(self._mqtt, self._name, self._prefix)
            except BrokerLost as lost:
                raise NotDisconnected(_problem(self._mqtt, lost)) from lost
        with self._journal() as journal:
            return Cleared(len(retained.rooms), *journal.forget(self._name))

    def revocation(self, surroundings: Surroundings) -> Sequence[str]:
        """Returns the steps that revoke its grants at the calendar service."""
        for connection in self._configuration.settings.connections:
            if connection.name == self._name:
                kind = self._configuration.drivers[connection.driver]
                if isinstance(kind, OffersConsent):
                    return kind.consent(connection, surroundings).revocation()
        return _IN_GENERAL

    @contextmanager
    def _journal(self) -> Iterator[Journal]:
        try:
            with closing(Journal(self._directory)) as journal:
                yield journal
        except Unusable as error:
            remedy = "take the file away, or put a better one back"
            raise NotDisconnected(Problem(str(self._directory / NAME), str(error), remedy)) from error
        except OSError as error:
            path = error.filename or self._directory
            raise NotDisconnected(Problem(str(path), str(error.strerror), _OTHER_USER)) from error
        except sqlite3.Error as error:
            problem = Problem(str(self._directory / NAME), str(error), _OTHER_USER)
            raise NotDisconnected(problem) from error


def _problem(settings: Mqtt, lost: BrokerLost) -> Problem:
    problem = lost.trouble.at(address_of(settings))
    remedy = problem.remedy or "check that the broker runs and can be reached, then call this again"
    return replace(problem, remedy=remedy)
