"""What is known of the administrators' consent, and what an observation makes of it. Pure.

Three tell of it: `placed consent`, when an administrator was asked or has answered; the token; and the
calendars, which can be read or are refused. The latest of them is believed, with two exceptions: a grant
that was just given may take hours to be in effect, and a request stands until it lapses.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from placed.domain.consent_state import Consent
from placed.domain.timestamps import timestamp_or_none


class Source(StrEnum):
    """Who told."""

    LINK = "link"  # the consent page sent the administrator's browser back
    REQUEST = "request"  # somebody wrote to an administrator
    OBSERVED = "observed"  # the services themselves


class ConsentRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """The consent of one connection.

    Attributes:
        since: since when it is what it is.
        until: when a request lapses.
        who: who asked or answered, as the command was told. It is kept, and never shown.
    """

    state: Consent = Consent.UNKNOWN
    since: datetime | None = None
    until: datetime | None = None
    source: Source | None = None
    who: str | None = None

    def document(self) -> dict[str, str | None]:
        """For those who look; names nobody."""
        return {
            "state": self.state.value,
            "since": timestamp_or_none(self.since),
            "until": timestamp_or_none(self.until),
            "source": self.source.value if self.source else None,
        }


class ConsentMemory:
    """Knows the consent of one connection, for as long as it lives."""

    def __init__(self) -> None:
        self._record = ConsentRecord()

    def load(self) -> ConsentRecord:
        """What is known now."""
        return self._record

    def save(self, record: ConsentRecord) -> None:
        """Takes it in place of what was known."""
        self._record = record

    def observe(
        self, seen: Consent, moment: datetime, grant_delay: timedelta = timedelta(0)
    ) -> ConsentRecord:
        """Keeps and returns what becomes of the record when the service shows `seen`."""
        before = self.load()
        after = observed(before, seen, moment, grant_delay)
        if after != before:
            self.save(after)
        return after


def observed(
    record: ConsentRecord, seen: Consent, moment: datetime, grant_delay: timedelta = timedelta(0)
) -> ConsentRecord:
    """What becomes of a record when the service shows `seen`: granted, missing or declined.

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
    """There is no grant in effect."""
    if record.state is Consent.GRANTED and record.source is Source.OBSERVED:
        return ConsentRecord(Consent.REVOKED, moment, source=Source.OBSERVED)
    on_its_way = record.since is not None and moment < record.since + grant_delay
    if record.state is Consent.UNKNOWN or (record.state is Consent.GRANTED and not on_its_way):
        return ConsentRecord(Consent.MISSING, moment, source=Source.OBSERVED)
    return _lapsed(record, moment)


def _lapsed(record: ConsentRecord, moment: datetime) -> ConsentRecord:
    """A request has an end."""
    if record.until is None or moment < record.until:
        return record
    return ConsentRecord(Consent.MISSING, moment, source=Source.OBSERVED)
