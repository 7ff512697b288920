"""The services' time, as their answers show it in `Date`: reported to the program, and used for signing."""

from __future__ import annotations

import email.utils
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from placed.driver import ServiceTime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placed.driver import Surroundings

APART = 5.0  # seconds; clocks that differ by no more than this agree
_HALF = 0.5  # `Date` is rounded down to the second
# The one form that RFC 9110, section 5.6.7, lets a server send.
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServiceClock:
    """Reads the time in answers of one connection's services.

    Attributes:
        now: the time by which the program goes.
        steady: seconds that only ever grow.
        report: takes the time in each answer.
    """

    now: Callable[[], datetime]
    steady: Callable[[], float]
    report: Callable[[ServiceTime], None] = lambda _time: None

    @classmethod
    def of(cls, surroundings: Surroundings) -> ServiceClock:
        """That of a connection in these surroundings."""
        return cls(surroundings.now, surroundings.steady, surroundings.report_time)

    def answered(self, headers: Mapping[str, str], asked_at: float) -> ServiceTime | None:
        """Reports the time in an answer that has just come; None if it shows none.

        Args:
            headers: of the answer; their names in any case.
            asked_at: on the steady clock, when the request was about to be sent.
        """
        moment = date_in(headers)
        if moment is None:
            return None
        found = ServiceTime(moment, asked_at, self.steady())
        self.report(found)
        return found

    def at_service(self, found: ServiceTime | None) -> datetime:
        """The time by a service that showed it in an answer; `now` if they agree, or it showed none."""
        now = self.now()
        if found is None:
            return now
        service = found.moment.timestamp() + _HALF + self.steady() - found.answered_at
        return datetime.fromtimestamp(service, UTC) if abs(service - now.timestamp()) > APART else now


def date_in(headers: Mapping[str, str]) -> datetime | None:
    """The moment in `Date`; None if there is none, or the answer comes from a cache (RFC 9111, 5.1)."""
    age = headers.get("Age", "").strip()
    text = headers.get("Date", "").strip()
    if age not in ("", "0") or not _DATE.fullmatch(text):
        return None
    try:
        return email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
