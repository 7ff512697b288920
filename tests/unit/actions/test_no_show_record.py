"""What is stored of no-shows: it is small, and without names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.actions.no_show_record import NoShowRecord
from tests.support.domain_builders import meeting

if TYPE_CHECKING:
    from placed.domain.model import Meeting

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def occurrence(day: int, series: str | None = "s") -> Meeting:
    start = MONDAY + day * DAY + 10 * HOUR
    return replace(meeting("10:00", "11:00"), start=start, end=start + HOUR, series=series)


def test_a_week_with_meetings_becomes_the_last_one() -> None:
    record = NoShowRecord.new(MONDAY + DAY)
    assert record.week.since == MONDAY
    record = replace(record, week=record.week.with_kept("exempt"))
    assert record.at(MONDAY + 6 * DAY) is record
    after = record.at(MONDAY + 7 * DAY)
    assert (after.week.since, after.week.meetings) == (MONDAY + 7 * DAY, 0)
    assert after.last_week == record.week
    assert after.at(MONDAY + 30 * DAY).last_week == record.week  # nothing happened since


def test_releases_are_counted_for_an_hour() -> None:
    record = NoShowRecord.new(MONDAY).with_release(MONDAY).with_release(MONDAY + HOUR / 2)
    assert len(record.at(MONDAY + HOUR / 2).releases) == 2
    assert record.at(MONDAY + HOUR).releases == (MONDAY + HOUR / 2,)
    assert record.at(MONDAY + 2 * HOUR).releases == ()


def test_strikes_of_a_series_are_in_a_row() -> None:
    record = NoShowRecord.new(MONDAY)
    numbers = []
    for day in range(3):
        record, strikes = record.with_no_show("boardroom", occurrence(day))
        numbers.append(strikes)
    assert numbers == [1, 2, 3]
    assert record.repeated_series == 1
    assert record.with_no_show("atrium", occurrence(3))[1] == 1
    used = record.with_use("boardroom", occurrence(3))
    assert used.repeated_series == 0
    assert used.with_no_show("boardroom", occurrence(4))[1] == 1


def test_a_single_meeting_has_no_strikes() -> None:
    record = NoShowRecord.new(MONDAY)
    assert record.with_no_show("boardroom", occurrence(0, None)) == (record, None)
    assert record.with_use("boardroom", occurrence(0, None)) is record


def test_a_series_that_has_ended_is_forgotten() -> None:
    record, _ = NoShowRecord.new(MONDAY).with_no_show("boardroom", occurrence(0))
    assert record.at(MONDAY + 8 * DAY).series
    assert not record.at(MONDAY + 101 * DAY).series
