"""How a driver finds what is wrong with a connection, for `placed doctor`. Optional."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from placed.domain.problem import Problem, one_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver.protocol import FoundRoom, Surroundings


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
class DiagnosesActions(Protocol):
    """A `Diagnosis` of a service at which bookings can be changed. Optional."""

    async def look_at_actions(self) -> Sequence[Finding]:
        """The findings `actions` about the credential that writes; none without a table `actions`.

        Changes nothing, and never raises a `DriverError`.
        """
        ...


@runtime_checkable
class OffersDiagnosis(Protocol):
    """A `DriverKind` that can examine a connection link by link."""

    @staticmethod
    def diagnosis(settings: Any, surroundings: Surroundings) -> Diagnosis:
        """For one connection. No network is touched; only `examine` reads files."""
        ...
