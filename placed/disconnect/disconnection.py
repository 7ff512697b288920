"""Disconnects a connection: finds what placed holds of it, at the broker and on disk, and takes that away."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from placed.disconnect import topic_clearing as clearing
from placed.disconnect.topic_clearing import Retained
from placed.domain.problems import Problem
from placed.driver import OffersConsent
from placed.mqtt.client_options import address_of
from placed.mqtt.errors import BrokerLost
from placed.store import Journal
from placed.store.database import NAME, Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from placed.driver import Surroundings
    from placed.settings.loader import Configuration
    from placed.settings.schema import Mqtt

# Of a connection whose settings are gone, so that it is not known what was granted to it.
_IN_GENERAL = (
    "As an administrator of its calendar service, run the undo script of what `placed setup` wrote for it.",
    "Or take away by hand, in this order: permissions, fence, and the registration if nothing else uses it.",
)

_OTHER_USER = "be the daemon's user, or root"


class NotDisconnected(Exception):
    """It cannot be done, or not to its end."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.line)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Holding:
    """What there is of a connection.

    Attributes:
        configured: file and place of its table; None if there is none.
        alone: whether no other connection is configured.
        broker: the broker's address; None if none is configured.
        rooms: how many rooms the broker holds something of, or lists.
        running: whether a daemon is there that reads it.
        remembered: how many of its rooms have an id in the state directory.
        consent: whether what is known of its consent is kept there.
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
        """Whether anybody knows it."""
        held = self.rooms or self.remembered or self.consent
        return bool(held or self.running or self.configured is not None)


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was taken away."""

    rooms: int
    remembered: int
    consent: bool


class Disconnection:
    """Of one connection, which need not be configured any more.

    Args:
        configuration: as it is now; it names the broker.
        directory: where the daemon keeps its state.
        name: of the connection.
    """

    def __init__(self, configuration: Configuration, directory: Path, name: str) -> None:
        self._configuration = configuration
        self._mqtt: Mqtt | None = configuration.settings.mqtt
        self._prefix = configuration.settings.home_assistant.discovery_prefix
        self._directory = directory
        self._name = name

    async def find(self) -> Holding:
        """What there is of it; nothing is changed.

        Raises:
            NotDisconnected: that can not be told.
            CannotStart: files that the settings name can not be used.
        """
        with self._journal() as journal:
            remembered, consent = journal.held_of(self._name)
        retained = Retained()
        if self._mqtt is not None:
            try:
                retained = await clearing.look(self._mqtt, self._name, self._prefix)
            except BrokerLost as lost:
                raise NotDisconnected(_told(self._mqtt, lost)) from lost
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
        """Takes it away: first at the broker, so that if that fails all of it can be repeated.

        Raises:
            NotDisconnected: not all of it could be taken away.
            CannotStart: files that the settings name can not be used.
        """
        retained = Retained()
        if self._mqtt is not None:
            try:
                retained = await clearing.clear(self._mqtt, self._name, self._prefix)
            except BrokerLost as lost:
                raise NotDisconnected(_told(self._mqtt, lost)) from lost
        with self._journal() as journal:
            return Cleared(len(retained.rooms), *journal.forget(self._name))

    def revocation(self, surroundings: Surroundings) -> Sequence[str]:
        """How to take back at the service what was granted, a step each."""
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


def _told(settings: Mqtt, lost: BrokerLost) -> Problem:
    problem = lost.trouble.at(address_of(settings))
    remedy = problem.remedy or "see that the broker runs and can be reached, then call this again"
    return replace(problem, remedy=remedy)
