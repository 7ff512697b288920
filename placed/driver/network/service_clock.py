"""Reads the services' time from the `Date` of responses, for the program's clock and for signing."""

from __future__ import annotations

import email.utils
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from placed.domain.service_time import ServiceTime

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placed.driver.protocol import Surroundings

APART = 5.0  # seconds; clocks that differ by less agree
_HALF = 0.5  # `Date` is truncated to the second
# The only form that RFC 9110, section 5.6.7, allows a server to send.
_DATE = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", re.ASCII)


@dataclass(frozen=True, slots=True)
class ServiceClock:
    """Reads the time in responses of one connection's services.

    Attributes:
        now: the program's clock.
        steady: seconds of a monotonic clock.
        report: receives the time of each response.
    """

    now: Callable[[], datetime]
    steady: Callable[[], float]
    report: Callable[[ServiceTime], None] = lambda _time: None

    @classmethod
    def of(cls, surroundings: Surroundings) -> ServiceClock:
        """Creates the clock of a connection."""
        return cls(surroundings.now, surroundings.steady, surroundings.report_time)

    def answered(self, headers: Mapping[str, str], asked_at: float) -> ServiceTime | None:
        """Reports the time in a response that has just arrived; None if it shows none.

        Args:
            headers: the headers of the response, in any case.
            asked_at: the steady clock just before the request was sent.
        """
        moment = date_in(headers)
        if moment is None:
            return None
        found = ServiceTime(moment, asked_at, self.steady())
        self.report(found)
        return found

    def at_service(self, found: ServiceTime | None) -> datetime:
        """Returns the service's time, by a response; `now` if both agree, or the response showed no time."""
        now = self.now()
        if found is None:
            return now
        service = found.moment.timestamp() + _HALF + self.steady() - found.answered_at
        return datetime.fromtimestamp(service, UTC) if abs(service - now.timestamp()) > APART else now


def date_in(headers: Mapping[str, str]) -> datetime | None:
    """Returns the moment in `Date`; None if it is missing, or if a cache answered (RFC 9111, 5.1)."""
    age = headers.get("Age", "").strip()
    if age not in ("", "0"):
        return None
    return _moment_of(headers.get("Date", "").strip())


@lru_cache(maxsize=8)
def _moment_of(text: str) -> datetime | None:
    """Returns the moment of a `Date`, which is the same for all responses of a second."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return email.utils.parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
