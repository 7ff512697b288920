"""The administrator's consent as it is known, and how an observation changes it. Pure.

There are three sources: `placed consent`, when an administrator was asked or has answered; the token; and the
calendars, which are readable or refused. The latest one counts, with two exceptions: a new grant may take
hours to be in effect, and a request stands until it lapses.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from placed.domain.timestamps import timestamp_or_none


class Consent(StrEnum):
    """The administrator's grant of the application permissions."""

    UNKNOWN = "unknown"  # nothing was requested with it yet
    MISSING = "missing"  # not given, and not requested
    REQUESTED = "requested"  # an administrator was asked, and may still answer
    GRANTED = "granted"
    DECLINED = "declined"  # an administrator declined
    REVOKED = "revoked"  # it was given, and then revoked


class Source(StrEnum):
    """The source of the information."""

    LINK = "link"  # the redirect of the consent page
    REQUEST = "request"  # a message to an administrator
    OBSERVED = "observed"  # the services themselves


class ConsentRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """The consent of one connection.

    Attributes:
        since: since when it is the same.
        until: when a request lapses.
        who: who asked or answered, as given to the command. It is stored, and never shown.
    """

    state: Consent = Consent.UNKNOWN
    since: datetime | None = None
    until: datetime | None = None
    source: Source | None = None
    who: str | None = None

    def document(self) -> dict[str, str | None]:
        """The public part, without names."""
        return {
            "state": self.state.value,
            "since": timestamp_or_none(self.since),
            "until": timestamp_or_none(self.until),
            "source": self.source.value if self.source else None,
        }


class ConsentMemory:
    """Keeps the consent of one connection in memory."""

    def __init__(self) -> None:
        self._record = ConsentRecord()

    def load(self) -> ConsentRecord:
        """Returns the current record."""
        return self._record

    def save(self, record: ConsentRecord) -> None:
        """Replaces the record."""
        self._record = record

    def observe(
        self, seen: Consent, moment: datetime, grant_delay: timedelta = timedelta(0)
    ) -> ConsentRecord:
        """Updates and returns the record after the service has shown `seen`."""
        before = self.load()
        after = observed(before, seen, moment, grant_delay)
        if after != before:
            self.save(after)
        return after


def observed(
    record: ConsentRecord, seen: Consent, moment: datetime, grant_delay: timedelta = timedelta(0)
) -> ConsentRecord:
    """Returns the record after the service has shown `seen`: granted, missing or declined.

    `UNKNOWN` shows nothing, but time may have passed. A new grant may be missing for `grant_delay`.
    """
    if seen is Consent.UNKNOWN:
        return _lapsed(record, moment)
    if seen is Consent.MISSING:
        return _missed(record, moment, grant_delay)
    if record.state is seen and record.source is Source.OBSERVED:
        return record
    since = record.since if record.state is seen else moment
    return ConsentRecord(seen, since, source=Source.OBSERVED, who=record.who)


def _missed(record: ConsentRecord, moment: datetime, grant_delay: timedelta) -> ConsentRecord:
    """Returns the record if no grant is in effect."""
    if record.state is Consent.GRANTED and record.source is Source.OBSERVED:
        return ConsentRecord(Consent.REVOKED, moment, source=Source.OBSERVED)
    on_its_way = record.since is not None and moment < record.since + grant_delay
    if record.state is Consent.UNKNOWN or (record.state is Consent.GRANTED and not on_its_way):
        return ConsentRecord(Consent.MISSING, moment, source=Source.OBSERVED)
    return _lapsed(record, moment)


def _lapsed(record: ConsentRecord, moment: datetime) -> ConsentRecord:
    """Returns the record after a request's end."""
    if record.until is None or moment < record.until:
        return record
    return ConsentRecord(Consent.MISSING, moment, source=Source.OBSERVED)
