"""What an observation makes of what was known of consent."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.consent_record import ConsentMemory, ConsentRecord, Source, observed
from placed.driver import Consent
from tests.support.domain_builders import at

if TYPE_CHECKING:
    from datetime import datetime

NINE, TEN, NOON = at("9:00"), at("10:00"), at("12:00")
UNKNOWN, MISSING, REQUESTED = Consent.UNKNOWN, Consent.MISSING, Consent.REQUESTED
GRANTED, DECLINED, REVOKED = Consent.GRANTED, Consent.DECLINED, Consent.REVOKED


DELAY = timedelta(hours=2)  # how long a grant takes at this service


def record(state: Consent, source: Source = Source.OBSERVED, until: datetime | None = None) -> ConsentRecord:
    return ConsentRecord(state, NINE, until, source, who="ada")


@pytest.mark.parametrize(
    ("before", "seen", "after"),
    [
        (ConsentRecord(), UNKNOWN, UNKNOWN),
        (ConsentRecord(), MISSING, MISSING),
        (ConsentRecord(), GRANTED, GRANTED),
        (record(MISSING), GRANTED, GRANTED),
        (record(MISSING), MISSING, MISSING),
        (record(GRANTED), UNKNOWN, GRANTED),
        (record(GRANTED), MISSING, REVOKED),
        (record(GRANTED), DECLINED, DECLINED),
        (record(REVOKED), MISSING, REVOKED),
        (record(REVOKED), GRANTED, GRANTED),
        (record(DECLINED, Source.LINK), MISSING, DECLINED),
        (record(DECLINED, Source.LINK), GRANTED, GRANTED),
        (record(REQUESTED, Source.REQUEST, NOON), MISSING, REQUESTED),
        (record(REQUESTED, Source.REQUEST, NOON), UNKNOWN, REQUESTED),
        (record(REQUESTED, Source.REQUEST, NOON), GRANTED, GRANTED),
        (record(REQUESTED, Source.REQUEST, TEN), MISSING, MISSING),
        (record(REQUESTED, Source.REQUEST, TEN), UNKNOWN, MISSING),
        (record(GRANTED, Source.LINK), UNKNOWN, GRANTED),
        (record(GRANTED, Source.LINK), MISSING, GRANTED),
    ],
)
def test_what_becomes_of_it(before: ConsentRecord, seen: Consent, after: Consent) -> None:
    """Seen at ten, an hour after what was known."""
    found = observed(before, seen, TEN, DELAY)
    assert found.state is after
    if after is not before.state:
        assert (found.since, found.source) == (TEN, Source.OBSERVED)


def test_a_grant_by_link_has_the_services_delay_to_be_in_effect_and_is_missing_then() -> None:
    granted = record(GRANTED, Source.LINK)
    assert observed(granted, MISSING, NINE + timedelta(minutes=119), DELAY) is granted
    assert observed(granted, MISSING, NINE + timedelta(hours=2), DELAY).state is MISSING
    assert observed(granted, UNKNOWN, NINE + timedelta(days=9)) is granted


def test_a_grant_by_link_that_is_seen_keeps_its_time_and_can_be_revoked_from_then_on() -> None:
    seen = observed(record(GRANTED, Source.LINK), GRANTED, TEN)
    assert (seen.since, seen.source) == (NINE, Source.OBSERVED)
    assert observed(seen, MISSING, TEN).state is REVOKED


def test_what_does_not_change_stays_the_same_value() -> None:
    for state in Consent:
        before = record(state)
        assert observed(before, UNKNOWN, TEN) is before
    assert observed(record(GRANTED), GRANTED, TEN) == record(GRANTED)


def test_the_shown_record_names_no_person() -> None:
    shown = record(REQUESTED, Source.REQUEST, NOON).document()
    assert shown == {
        "state": "requested",
        "since": "2026-10-06T09:00:00Z",
        "until": "2026-10-06T12:00:00Z",
        "source": "request",
    }


def test_it_is_remembered_as_long_as_the_program_lives() -> None:
    memory = ConsentMemory()
    assert memory.load() == ConsentRecord()
    memory.observe(GRANTED, NINE)
    assert memory.observe(MISSING, TEN).state is REVOKED
    assert memory.load().since == TEN
