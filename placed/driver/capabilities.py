"""What a driver offers to those who connect its service: set it up, give consent, find what is wrong.

A driver may do without. What it offers is found by the driver's name in the entry-point group
`placed.administration`, which names an `AdministrationKind`; commands load it only when they are called.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from placed.domain.consent_state import Consent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from placed.driver.protocol import FoundRoom, Surroundings

GROUP = "placed.administration"


# --- finding what is wrong ----------------------------------------------------------------------------------


class Verdict(StrEnum):
    """What came of a check."""

    GOOD = "good"  # ✓
    DOUBTFUL = "doubtful"  # ! works, and somebody should look at it
    BAD = "bad"  # ✗


class Finding(msgspec.Struct, frozen=True):
    """One check of `placed doctor`.

    Attributes:
        check: which, for example `token`; the same word each time.
        said: what was found. Never a secret, and no person's name or address.
        remedy: the one next step, unless it is good.
        blocked_by: the check that has to be good before this one can be tried; `remedy` is that one's.
    """

    check: str
    verdict: Verdict
    said: str
    remedy: str = ""
    blocked_by: str = ""


# --- setting it up ------------------------------------------------------------------------------------------


class Question(msgspec.Struct, frozen=True):
    """What has to be known before a kit can be written, by the key that it has in a `[[connections]]` table.

    Attributes:
        key: for example `tenant`, or `fence.canaries`.
        text: asked at a terminal.
        default: taken for an empty answer; None if there has to be one.
        several: whether the answer is a list, separated by commas.
        instead: other keys; where one of these is answered, this one is not asked for.
    """

    key: str
    text: str
    default: str | None = None
    several: bool = False
    instead: tuple[str, ...] = ()


class KitFile(msgspec.Struct, frozen=True):
    """A file of a kit, and what it is for."""

    path: Path
    purpose: str


class Kit(msgspec.Struct, frozen=True):
    """A folder that an administrator can read and run."""

    folder: Path
    files: tuple[KitFile, ...]
    next_steps: tuple[str, ...]


class KitError(Exception):
    """A kit can not be written. `key` is the answer that it is about, or "" if it is none.

    `others` are the further answers that are of no use, so that all can be told at once.
    """

    def __init__(self, key: str, message: str, others: Sequence[KitError] = ()) -> None:
        super().__init__(message)
        self.key = key
        self.others = tuple(others)


# --- consent ------------------------------------------------------------------------------------------------


class Permission(msgspec.Struct, frozen=True):
    """A permission that the administrator is asked for.

    Attributes:
        name: as the service calls it.
        can: what whoever holds it can do, in a sentence.
        can_not: what it can not do, in a sentence.
    """

    name: str
    can: str
    can_not: str


class ConsentRequest(msgspec.Struct, frozen=True):
    """Who asks an administrator for consent, why, and until when."""

    who: str
    because: str
    asked_on: datetime
    lapses_on: datetime


class Letter(msgspec.Struct, frozen=True):
    """A message that is ready to be sent, twice: as text and as HTML."""

    subject: str
    text: str
    html: str


class ConsentAnswer(msgspec.Struct, frozen=True):
    """What came back from the consent page.

    Attributes:
        consent: `GRANTED` or `DECLINED`; `UNKNOWN` if the answer is not to be believed.
        said: what happened, for whoever waits at the terminal. Nothing of it is quoted that may name people.
        remedy: what to do about it.
        effective: whether the service itself was seen to know of the grant. The answer is no proof of it.
    """

    consent: Consent
    said: str
    remedy: str = ""
    effective: bool = False


class GrantProbe(msgspec.Struct, frozen=True):
    """Whether the grant has taken effect.

    Attributes:
        effective: everything that is needed can be read.
        said: how far it is.
        remedy: what to do if waiting does not help.
        lasting: whether waiting is of no use, since a person has to change something.
    """

    effective: bool
    said: str
    remedy: str = ""
    lasting: bool = False


class Propagation(msgspec.Struct, frozen=True):
    """How long a grant normally takes, in words, and how often it is good to look, in seconds."""

    normal: str
    every: float
    at_most: float  # seconds after which something else is wrong


# --- the port -----------------------------------------------------------------------------------------------


class Administration(Protocol):
    """What can be done for one connection of the settings.

    Methods that ask may raise a `DriverError`, or a `SettingsError` for a file that is of no use.
    """

    def examine(self) -> AsyncIterator[Finding]:
        """Tries every link from the files to the claims of the token, in this order, each once.

        Never raises a `DriverError`: that a link does not hold is a finding.
        """
        ...

    async def look_at_habits(self, rooms: Sequence[FoundRoom]) -> Sequence[Finding]:
        """What the calendars themselves show of how the service treats titles and private meetings."""
        ...

    @property
    def permissions(self) -> Sequence[Permission]:
        """What the administrator has to grant at the consent page; nothing, if all is granted elsewhere."""
        ...

    @property
    def granted_elsewhere(self) -> str:
        """What is granted in another way than at the consent page, and how; empty if nothing is."""
        ...

    @property
    def propagation(self) -> Propagation:
        """How long a grant takes to be in effect."""
        ...

    def consent_url(self, redirect_uri: str, state: str) -> str:
        """The page at which an administrator gives consent for the whole organisation."""
        ...

    async def judge(self, answer: Mapping[str, str]) -> ConsentAnswer:
        """What the query of the redirect means. Its `state` was seen to already."""
        ...

    def request(self, asked: ConsentRequest, url: str) -> Letter:
        """A message with which somebody who is no administrator asks one."""
        ...

    async def probe(self) -> GrantProbe:
        """Looks once whether the grant is in effect."""
        ...

    def revocation(self) -> Sequence[str]:
        """How to take back at the service what was granted, a step each."""
        ...


class AdministrationKind(Protocol):
    """What an entry point of the group `placed.administration` names."""

    questions: Sequence[Question]

    @staticmethod
    def open(settings: Any, surroundings: Surroundings) -> Administration:
        """Opens it for one connection, without any network traffic; files are read by `examine` only."""
        ...

    @staticmethod
    def answers(settings: Any) -> Mapping[str, str]:
        """The answers to `questions` that a connection's settings hold."""
        ...

    @staticmethod
    def write_kit(
        connection: str, answers: Mapping[str, str], folder: Path, *, now: datetime, renew: bool
    ) -> Kit:
        """Writes the folder; `renew` makes another key beside the one that is there, which keeps working.

        Raises:
            KitError: an answer is of no use, or the folder can not be written.
        """
        ...


def find_administration(driver: str) -> AdministrationKind | None:
    """What the driver of that name offers, if anything."""
    found = next(iter(entry_points(group=GROUP, name=driver)), None)
    kind: AdministrationKind | None = found.load() if found is not None else None
    return kind
