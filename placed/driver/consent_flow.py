"""How a driver leads an administrator to consent, for `placed consent` and `placed disconnect`. Optional."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from placed.domain.consent_record import Consent
from placed.domain.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placed.driver.protocol import Surroundings


class Permission(msgspec.Struct, frozen=True):
    """A permission that the administrator is asked for.

    Attributes:
        name: the service's name for it.
        can: what its holder can do, in a sentence.
        cannot: what its holder cannot do, in a sentence.
    """

    name: str
    can: str
    cannot: str


class ConsentRequest(msgspec.Struct, frozen=True):
    """Who asks an administrator for consent, why, and until when."""

    who: str
    because: str
    asked_on: datetime
    lapses_on: datetime


class Letter(msgspec.Struct, frozen=True):
    """A message that is ready to be sent, both as text and as HTML."""

    subject: str
    text: str
    html: str


class ConsentAnswer(msgspec.Struct, frozen=True):
    """The answer of the consent page.

    Attributes:
        consent: `GRANTED` or `DECLINED`; `UNKNOWN` if the answer cannot be trusted.
        problem: what happened, and what to do about it. It quotes nothing that may name people.
        effective: whether the service itself already shows the grant. The answer alone is no proof of it.
    """

    consent: Consent
    problem: Problem
    effective: bool = False


class GrantProbe(msgspec.Struct, frozen=True):
    """Whether the grant has taken effect.

    Attributes:
        effective: everything that is needed can be read.
        problem: how far it is, and what to do if waiting does not help; lasting, if waiting is useless.
    """

    effective: bool
    problem: Problem


class Propagation(msgspec.Struct, frozen=True):
    """How long a grant normally takes, in words, and how often to check, in seconds."""

    normal: str
    every: float
    at_most: float  # seconds after which something else must be wrong


class ConsentFlow(Protocol):
    """Leads an administrator to consent for one connection, for `placed consent` and `placed disconnect`.

    Methods that ask the service may raise a `DriverError`, or a `SettingsError` for an invalid file.
    """

    @property
    def permissions(self) -> Sequence[Permission]:
        """What the administrator grants at the consent page; empty if everything is granted elsewhere."""
        ...

    @property
    def granted_elsewhere(self) -> str:
        """What is not granted at the consent page, and how it is granted; empty if that is nothing."""
        ...

    @property
    def propagation(self) -> Propagation:
        """How long a grant takes to be in effect."""
        ...

    def consent_url(self, redirect_uri: str, state: str) -> str:
        """The page at which an administrator gives consent for the whole organisation."""
        ...

    async def judge(self, answer: Mapping[str, str]) -> ConsentAnswer:
        """What the query of the redirect means. Its `state` has been checked already."""
        ...

    def letter(self, asked: ConsentRequest, url: str) -> Letter:
        """A message that asks an administrator for consent."""
        ...

    async def probe(self) -> GrantProbe:
        """Checks once whether the grant is in effect."""
        ...

    def revocation(self) -> Sequence[str]:
        """How to take back the grant at the service, one step each."""
        ...


@runtime_checkable
class OffersConsent(Protocol):
    """A `DriverKind` whose service asks an administrator for consent."""

    @staticmethod
    def consent(settings: Any, surroundings: Surroundings) -> ConsentFlow:
        """For one connection. No network and no file is touched."""
        ...
