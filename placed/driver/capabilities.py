"""What a driver may offer beside reading calendars. Each capability is a Protocol of its own, and optional.

Capabilities of an opened connection are attributes of the `Driver`: `FenceTrial`, `FenceCircumstances`,
`CredentialExpiry`, `SignInTakeover`. Capabilities for administrators are static methods of the `DriverKind`:
`OffersDiagnosis`, `OffersSetup`, `OffersConsent`. Such a method imports the code behind it when it is called,
so the daemon never loads that code. Both kinds are found with `isinstance`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from placed.domain.consent_record import Consent
from placed.domain.problem import Problem, one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Hashable, Mapping, Sequence

    from placed.domain.fence import Fence
    from placed.driver.protocol import Driver, DriverKind, FoundRoom, Surroundings


# --- an opened connection -----------------------------------------------------------------------------------


@runtime_checkable
class FenceTrial(Protocol):
    """A driver that can try whether mailboxes outside the fence are refused.

    The fence of a driver without it stays `unproven`.
    """

    async def try_fence(self) -> Fence:
        """Asks for every canary, which must be refused.

        Raises:
            DriverError: the trial itself failed.
        """
        ...


@runtime_checkable
class FenceCircumstances(Protocol):
    """A driver that knows when the fence has to be tried again before its time."""

    @property
    def fence_circumstances(self) -> Hashable:
        """What a trial depends on, such as the number of the token. A new value asks for a new trial."""
        ...


@runtime_checkable
class CredentialExpiry(Protocol):
    """A driver whose credential may expire."""

    @property
    def credential_expires_at(self) -> datetime | None:
        """When the credential expires, in UTC; None if it does not, or if that is unknown."""
        ...


@runtime_checkable
class SignInTakeover(Protocol):
    """A driver whose sign-in outlives a reload."""

    def take_over_sign_in(self, earlier: Driver) -> None:
        """Continues with the token of `earlier` if that is the same registration with the same credential.

        Otherwise it does nothing, and this driver signs in by itself.
        """
        ...


@runtime_checkable
class DelayedGrants(Protocol):
    """A service at which a grant takes a while; an attribute of the driver's class."""

    grant_delay: timedelta
    """How long a grant, or a change of the room group, takes at most to be in effect."""


def credential_expiry(driver: Driver) -> datetime | None:
    """When the credential expires; None where the driver does not report it."""
    return driver.credential_expires_at if isinstance(driver, CredentialExpiry) else None


def grant_delay(driver: Driver | DriverKind) -> timedelta:
    """How long a grant takes at most to be in effect; zero where the driver does not report it."""
    return driver.grant_delay if isinstance(driver, DelayedGrants) else timedelta(0)


# --- diagnosis ----------------------------------------------------------------------------------------------


class Verdict(StrEnum):
    """The result of a check."""

    GOOD = "good"  # ✓
    DOUBTFUL = "doubtful"  # ! it works, and somebody should look at it
    BAD = "bad"  # ✗


class Finding(msgspec.Struct, frozen=True):
    """One check of `placed doctor`.

    Attributes:
        check: which, for example `token`; the same word each time.
        problem: what was found, with the one next step unless it is good.
        blocked_by: the check that has to be good before this one can be tried; the remedy is that one's.
    """

    check: str
    verdict: Verdict
    problem: Problem
    blocked_by: str = ""

    @classmethod
    def of(cls, check: str, verdict: Verdict, text: str, remedy: str = "", *, key: str = "") -> Finding:
        """A finding with this text, which may be about a key of the settings."""
        return cls(check, verdict, Problem(key, text, remedy))

    @property
    def text(self) -> str:
        """What was found, with its key."""
        return self.problem.statement

    @property
    def remedy(self) -> str:
        """The one next step."""
        return one_line(self.problem.remedy)


class Diagnosis(Protocol):
    """Finds what is wrong with one connection, for `placed doctor`."""

    def examine(self) -> AsyncIterator[Finding]:
        """Tries every link from the files to the claims of the token, in this order, each once.

        Never raises a `DriverError`: a link that is broken is a finding.
        """
        ...

    async def look_at_habits(self, rooms: Sequence[FoundRoom]) -> Sequence[Finding]:
        """How the service treats titles and private meetings, as seen in the calendars themselves.

        Raises:
            DriverError: the calendars cannot be read.
        """
        ...


@runtime_checkable
class OffersDiagnosis(Protocol):
    """A `DriverKind` that can examine a connection link by link."""

    @staticmethod
    def diagnosis(settings: Any, surroundings: Surroundings) -> Diagnosis:
        """For one connection. No network is touched; only `examine` reads files."""
        ...


# --- setup --------------------------------------------------------------------------------------------------


class Question(msgspec.Struct, frozen=True):
    """An answer that a kit needs, by the key that it has in a `[[connections]]` table.

    Attributes:
        key: for example `time_zone`, or `fence.canaries`.
        text: the question at a terminal.
        default: taken for an empty answer; None if an answer is required.
        several: whether the answer is a list, separated by commas.
        instead: other keys; if one of these is answered, this question is not asked.
    """

    key: str
    text: str
    default: str | None = None
    several: bool = False
    instead: tuple[str, ...] = ()


class KitFile(msgspec.Struct, frozen=True):
    """A file of a kit, and its purpose."""

    path: Path
    purpose: str


class Kit(msgspec.Struct, frozen=True):
    """A folder that an administrator can read and run."""

    folder: Path
    files: tuple[KitFile, ...]
    next_steps: tuple[str, ...]


class KitError(Exception):
    """A kit cannot be written. The key of a problem is the answer that it is about, or "" if it is none."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(problem.line for problem in problems))
        self.problems = problems


class Setup(Protocol):
    """Writes what an administrator has to run at the service. A module may implement it."""

    def questions(self) -> Sequence[Question]:
        """What has to be known before a kit can be written."""
        ...

    def answers_of(self, settings: Any) -> Mapping[str, str]:
        """The answers to `questions` that a connection's settings hold."""
        ...

    def write_kit(
        self, connection: str, answers: Mapping[str, str], folder: Path, *, now: datetime, renew: bool
    ) -> Kit:
        """Writes the folder. `renew` makes another key beside the existing one, which continues to work.

        Raises:
            KitError: an answer is invalid, or the folder cannot be written.
        """
        ...


@runtime_checkable
class OffersSetup(Protocol):
    """A `DriverKind` for whose service `placed setup` can write a kit."""

    @staticmethod
    def setup() -> Setup:
        """What writes the kit."""
        ...


# --- consent ------------------------------------------------------------------------------------------------


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
